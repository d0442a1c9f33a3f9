/** One run of ffmpeg to its end, its output in memory. */
import { spawn } from 'node:child_process';
import { LookaheadError } from '../errors.js';

export interface FfmpegRun {
  readonly code: number | null;
  readonly stdout: Buffer;
  /** The last 64k characters. */
  readonly stderr: string;
  /** ffmpeg wrote more than was allowed and was ended. */
  readonly isTooLong: boolean;
}

const stderrCharsMax = 64 * 1024;

/** Rejects with `ffmpeg_missing` when it cannot be started; any exit code is an answer. */
export function runFfmpeg(
  ffmpegPath: string,
  args: readonly string[],
  stdoutBytesMax = 1024 * 1024,
): Promise<FfmpegRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(ffmpegPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= stdoutBytesMax) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrCharsMax);
    });
    child.once('error', (cause) => {
      reject(
        new LookaheadError(
          'ffmpeg_missing',
          `${ffmpegPath} could not be started: ${cause.message}.`,
          'Install ffmpeg, or say where it is.',
          { cause },
        ),
      );
    });
    child.once('close', (code) => {
      const stdout = Buffer.concat(chunks);
      resolve({ code, stdout, stderr, isTooLong: bytes > stdoutBytesMax });
    });
  });
}
