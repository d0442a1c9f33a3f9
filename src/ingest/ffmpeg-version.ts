/** Which ffmpeg this is: option names changed over the years. */
import { execFile } from 'node:child_process';
import { LookaheadError, messageOf } from '../errors.js';

export interface FfmpegVersion {
  readonly major: number;
  readonly minor: number;
  /** As ffmpeg prints it. */
  readonly text: string;
}

const known = new Map<string, Promise<FfmpegVersion>>();

/**
 * Asks once for each path.
 *
 * @throws LookaheadError `ffmpeg_missing` when it cannot be run or does not answer like ffmpeg.
 */
export function ffmpegVersion(path: string): Promise<FfmpegVersion> {
  const asked = known.get(path);
  if (asked !== undefined) return asked;
  const answer = ask(path);
  known.set(path, answer);
  // A failure is not kept: ffmpeg may be installed while we run.
  answer.catch(() => known.delete(path));
  return answer;
}

function ask(path: string): Promise<FfmpegVersion> {
  return new Promise((resolve, reject) => {
    const missing = (why: string, cause?: unknown): void => {
      reject(
        new LookaheadError(
          'ffmpeg_missing',
          `${JSON.stringify(path)} ${why}`,
          'Install ffmpeg 4.3 or newer, or give its path in the configuration.',
          { cause },
        ),
      );
    };
    execFile(path, ['-version'], { timeout: 20_000, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error !== null) {
        missing(`cannot be run: ${messageOf(error).split('\n')[0] ?? ''}`, error);
        return;
      }
      const version = readVersion(stdout);
      if (version === null) missing('does not answer like ffmpeg.');
      else resolve(version);
    });
  });
}

/** From the output of `ffmpeg -version`; builds from git have no number, so libavformat's counts there. */
export function readVersion(output: string): FfmpegVersion | null {
  const text = /^ffmpeg version (\S+)/m.exec(output)?.[1];
  if (text === undefined) return null;
  const release = /^n?(\d{1,2})\.(\d+)/.exec(text);
  if (release !== null) return { major: Number(release[1]), minor: Number(release[2]), text };
  const library = /^libavformat +(\d+)\. *(\d+)/m.exec(output);
  if (library === null) return null;
  // libavformat 58 came with ffmpeg 4, 59 with 5, and so on; 59.27 with 5.1.
  const major = Number(library[1]) - 54;
  return { major, minor: major === 5 && Number(library[2]) < 27 ? 0 : 1, text };
}
