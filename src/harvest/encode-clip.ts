/** Frames as H.264, by an ffmpeg of the lowest priority: models and ingest come first. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import type { Writable } from 'node:stream';
import { LookaheadError } from '../errors.js';
import type { Rectangle } from '../models/preprocess.js';
import type { Frame } from '../types.js';

export interface EncodeOptions {
  readonly ffmpegPath: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** What of the frames is the camera's picture; their bars are left out. */
  readonly picture: Rectangle;
  readonly framesPerSecond: number;
  /** Ends ffmpeg. */
  readonly signal: AbortSignal;
}

/** A machine so busy that this does not suffice has no room for a harvest. */
const encodeMaxMs = 120_000;
const complaintCharsMax = 2_000;

/**
 * As an Annex-B byte stream without B-frames, a key frame every 16 pictures, as the yard's recordings; but nearly without
 * loss, since the pictures are small and have been coded once already: on the yard a colour is off by 0.9 of 255 on average and
 * by 12 at most, and twelve seconds are 0.7 MB. One thread, so that equal pictures give equal bytes.
 */
export function encodeArgs(options: Omit<EncodeOptions, 'ffmpegPath' | 'signal'>): string[] {
  const { widthPx, heightPx, picture, framesPerSecond } = options;
  const { x, y, width, height } = picture;
  return [
    ...['-v', 'error', '-nostdin', '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
    ...['-s', `${widthPx}x${heightPx}`, '-r', String(framesPerSecond), '-threads', '1'],
    ...['-i', 'pipe:0', '-vf', `crop=${width}:${height}:${x}:${y}`],
    // RGB: the readers' scaler would lose colour on the way back from any YUV. It can also code an odd number of pixels.
    ...['-c:v', 'libx264rgb', '-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1'],
    ...['-g', '16', '-crf', '16', '-pix_fmt', 'rgb24', '-f', 'h264', 'pipe:1'],
  ];
}

/** @throws LookaheadError ffmpeg_missing, ffmpeg_failed; what `signal` was aborted with */
export async function encodeClip(
  frames: readonly Pick<Frame, 'pixels'>[],
  { ffmpegPath, signal, ...options }: EncodeOptions,
): Promise<Buffer> {
  signal.throwIfAborted();
  const child = spawn(ffmpegPath, encodeArgs(options), { stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const late = new AbortController();
  late.signal.addEventListener('abort', kill);
  const timer = setTimeout(() => late.abort(), encodeMaxMs);
  const video: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (piece: Buffer) => video.push(piece));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-complaintCharsMax);
  });
  // What is written to an ffmpeg that has died is answered by how it ended.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Error | number | NodeJS.Signals | null>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, by) => resolve(code ?? by));
  });
  try {
    lowerPriority(child.pid);
    for (const { pixels } of frames) {
      // Waiting for each frame leaves the event loop to the cameras.
      if (!child.stdin.write(pixels)) await Promise.race([drained(child.stdin), ended]);
      if (child.stdin.destroyed) break;
    }
    child.stdin.end();
    const end = await ended;
    signal.throwIfAborted();
    if (end === 0) return Buffer.concat(video);
    if (end instanceof Error)
      throw new LookaheadError(
        'ffmpeg_missing',
        `${ffmpegPath} could not be started: ${end.message}.`,
        'Install ffmpeg, or say where it is.',
        { cause: end },
      );
    const why = late.signal.aborted
      ? `was not done after ${encodeMaxMs / 1000} s`
      : `ended with ${String(end)}`;
    throw new LookaheadError(
      'ffmpeg_failed',
      `ffmpeg ${why} while a kept window was encoded: ${complaint.trim()}`,
      'See what it says; an encoder named libx264rgb is needed.',
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    kill();
  }
}

/** Also where it never will be, because ffmpeg has ended. */
function drained(stream: Writable): Promise<unknown> {
  return once(stream, 'drain').catch(() => undefined);
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the system does not allow it: a courtesy only.
  }
}
