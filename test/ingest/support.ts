/** What the ingest tests share: the ffmpeg to use, recordings made by it, and what child processes there are. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { afterAll } from 'vitest';
import type { Frame } from '../../src/types.js';

/** From LOOKAHEAD_FFMPEG, the project's cache folder (where the set-up puts it) or PATH. */
export const ffmpegPath =
  process.env['LOOKAHEAD_FFMPEG'] ??
  (existsSync('.cache/bin/ffmpeg') ? '.cache/bin/ffmpeg' : 'ffmpeg');

/** A folder of its own for a test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-ingest-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs ffmpeg to its end and gives what it wrote to its standard output. */
export function ffmpeg(...args: string[]): Buffer {
  return execFileSync(ffmpegPath, ['-nostdin', '-hide_banner', '-loglevel', 'error', ...args], {
    maxBuffer: 1 << 28,
  });
}

/** A moving test picture as H.264 in an Annex-B byte stream, without B pictures. */
export function testH264(size: string, framesPerSecond: number, seconds: number): Buffer {
  const source = `testsrc2=size=${size}:rate=${String(framesPerSecond)}`;
  return ffmpeg(
    ...['-f', 'lavfi', '-i', source, '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0'],
    ...['-g', String(framesPerSecond), '-threads', '1', '-f', 'h264', 'pipe:1'],
  );
}

/** Process ids of this process's own children whose command line holds a text. */
export function children(text: string): number[] {
  return childrenOf(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

/** Process ids of the children of a process. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
        return Number(/ \(.*\) \S (\d+)/s.exec(stat)?.[1]) === parent;
      } catch {
        return false;
      }
    });
}

/** Waits for a condition, generously. */
export async function until(isSo: () => boolean, what: string, timeoutMs = 40_000): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 20) {
    if (waitedMs > timeoutMs) throw new Error(`waited in vain for: ${what}`);
    await delay(20);
  }
}

/** All frames up to the end. */
export function all(frame$: Observable<Frame>): Promise<Frame[]> {
  return lastValueFrom(frame$.pipe(toArray()), { defaultValue: [] });
}

/** Frames with a hash for their pixels: what a test can compare and print. */
export function digests(frames: readonly Frame[]): unknown[] {
  return frames.map(({ pixels, ...rest }) => ({
    ...rest,
    sha256: createHash('sha256').update(pixels).digest('hex'),
  }));
}
