import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LookaheadError, messageOf } from '../errors.js';
import { heightPx, widthPx } from './world/camera.js';

export interface Encoder {
  readonly write: (pixels: Buffer) => Promise<void>;
  /** Resolves when the file is complete. */
  readonly end: () => Promise<void>;
}

/**
 * Starts ffmpeg to write 320 x 180 rgba pictures as a cheap camera would send them: H.264 without B-frames, a key frame every
 * 16 pictures. One thread, so that equal pictures give equal bytes.
 */
export function encodeH264(ffmpegPath: string, path: string, framesPerSecond: number): Encoder {
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgba',
    '-s',
    `${String(widthPx)}x${String(heightPx)}`,
  ];
  const rate = ['-r', String(framesPerSecond), '-i', 'pipe:0'];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1'];
  const stream = ['-g', '16', '-crf', '25', '-pix_fmt', 'yuv420p', '-f', 'h264', path];
  const child = spawn(
    ffmpegPath,
    ['-v', 'error', '-nostdin', '-y', ...input, ...rate, ...codec, ...stream],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let complaint = '';
  let broken: LookaheadError | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      broken = new LookaheadError(
        'ffmpeg_missing',
        `${ffmpegPath} could not be started: ${messageOf(error)}`,
        'Install ffmpeg, or give the path of one.',
        { cause: error },
      );
      resolve();
    });
    child.once('close', (code) => {
      if (code !== 0)
        broken ??= new LookaheadError(
          'ffmpeg_failed',
          `ffmpeg ended with ${String(code)}: ${complaint.trim()}`,
          'See what it says; an encoder named libx264 is needed.',
        );
      resolve();
    });
  });
  // What is written to an ffmpeg that has died is answered by `broken`.
  child.stdin.on('error', () => undefined);
  return {
    write: async (pixels) => {
      if (broken) throw broken;
      if (!child.stdin.write(pixels)) await Promise.race([once(child.stdin, 'drain'), closed]);
    },
    end: async () => {
      child.stdin.end();
      await closed;
      if (broken) throw broken;
    },
  };
}
