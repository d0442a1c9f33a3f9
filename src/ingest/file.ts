/** A recording, read as fast as the reader wants and no faster: the same frames at every run. */
import { spawn } from 'node:child_process';
import { LookaheadError } from '../errors.js';
import type { Frame } from '../types.js';
import { FrameCutter } from './cut-frames.js';
import { argv, fileArgs, letterbox, type Masked, type PictureRectangle } from './ffmpeg-args.js';
import { ffmpegVersion } from './ffmpeg-version.js';
import { redactAddresses } from './redact.js';
import { parseSource } from './source-url.js';
import { StderrReader } from './stderr.js';

export interface RecordingOptions extends Masked {
  readonly camera: string;
  readonly ffmpegPath: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Sampled at this rate by the picture's own time. */
  readonly framesPerSecond: number;
}

/**
 * Frame n has the time n / framesPerSecond; the wall clock plays no part. Leaving the loop ends ffmpeg.
 *
 * @throws LookaheadError `ffmpeg_missing`, `source_refused`, or `ffmpeg_failed` when the file cannot be read to its end.
 */
export async function* readRecording(
  path: string,
  options: RecordingOptions,
): AsyncGenerator<Frame, void, undefined> {
  const { camera, ffmpegPath, widthPx, heightPx, framesPerSecond } = options;
  const version = await ffmpegVersion(ffmpegPath);
  const { url } = parseSource(`file:${path}`);
  let picture: PictureRectangle | undefined;
  const stderr = new StderrReader({
    redact: redactAddresses,
    onSize: (width, height) => (picture = letterbox(width, height, widthPx, heightPx)),
    onDecodeErrors: () => undefined,
    onWarning: () => undefined,
  });
  const child = spawn(ffmpegPath, argv(fileArgs({ ...options, url, version })), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const exited = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? null : `ffmpeg ended with ${signal ?? `code ${code}`}`),
    );
  });
  let ready: Uint8Array[] = [];
  const cutter = new FrameCutter(widthPx * heightPx * 3, (pixels) => ready.push(pixels));
  let sequence = 0;
  try {
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      cutter.push(piece);
      const whole = ready;
      ready = [];
      for (const pixels of whole) {
        const frame = {
          camera,
          sequence,
          capturedAtMs: Math.round((sequence * 1000) / framesPerSecond),
          pixels,
        };
        sequence += 1;
        yield picture === undefined ? frame : { ...frame, picture };
      }
    }
    const how = await exited;
    if (how !== null)
      throw unreadable(path, stderr.lines.findLast((line) => line.includes('[error]')) ?? how);
    if (sequence === 0) throw unreadable(path, 'it holds no picture');
  } finally {
    child.kill('SIGKILL');
  }
}

function unreadable(path: string, why: string): LookaheadError {
  return new LookaheadError(
    'ffmpeg_failed',
    `${JSON.stringify(path)} cannot be read: ${why}`,
    'Check that the file exists and holds a video in a common format.',
  );
}
