import { filter, defer, type MonoTypeOperatorFunction } from 'rxjs';
import type { Frame } from '../types.js';

/**
 * Keeps frames at a rate from a stream that is as fast or faster, by their times on a grid. 25 frames a second become
 * exactly 8 on average; a stream slower than the rate passes whole. What is left out was never wanted, so it is not a drop.
 *
 * ```
 * rate 1/4:  0123456789ab
 *            0---4---8---
 * ```
 * A frame may come up to half an interval early or a whole one late and still takes its place, so that jitter costs nothing.
 */
export function sampleFrames(framesPerSecond: number): MonoTypeOperatorFunction<Frame> {
  return (frames$) =>
    defer(() => {
      const isWanted = sampler(framesPerSecond);
      return frames$.pipe(filter((frame) => isWanted(frame.capturedAtMs)));
    });
}

/** One camera's grid: says for each time, in order, whether a frame of that time is kept. */
export function sampler(framesPerSecond: number): (timeMs: number) => boolean {
  const intervalMs = 1000 / framesPerSecond;
  let nextMs: number | null = null;
  return (timeMs) => {
    // The wall clock was set back: begin the grid anew, else nothing would pass until it catches up.
    if (nextMs !== null && nextMs - timeMs > 2 * intervalMs) nextMs = null;
    if (nextMs !== null && timeMs < nextMs - intervalMs / 2) return false;
    const slotMs: number = nextMs === null ? timeMs : Math.max(nextMs, timeMs - intervalMs);
    nextMs = slotMs + intervalMs;
    return true;
  };
}
