import { defer, filter, map, tap, type OperatorFunction } from 'rxjs';
import type { Clip, Frame } from '../types.js';

export interface ClipLimits {
  /** F: frames of one clip. */
  readonly framesPerClip: number;
  /** Two frames further apart than this have a gap between them; no clip spans it. */
  readonly gapMaxMs: number;
}

/**
 * Groups frames into clips of F that do not overlap. A gap in time, a clock that runs backwards, and the end of the
 * source throw the begun clip away; `onDrop` is told how many frames that were.
 *
 * ```
 * frames  a-b-c-----d-e-f-|      F = 3, a gap after c
 * clips   ----(abc)-----(def)-|
 * ```
 */
export function slideClips(
  { framesPerClip, gapMaxMs }: ClipLimits,
  onDrop: (frames: number) => void,
): OperatorFunction<Frame, readonly Frame[]> {
  return (frame$) =>
    defer(() => {
      let begun: Frame[] = [];
      const dropBegun = (): void => {
        const count = begun.length;
        begun = [];
        if (count > 0) onDrop(count);
      };
      return frame$.pipe(
        map((frame) => {
          const sinceLastMs =
            frame.capturedAtMs - (begun.at(-1)?.capturedAtMs ?? frame.capturedAtMs);
          if (sinceLastMs < 0 || sinceLastMs > gapMaxMs) dropBegun();
          begun.push(frame);
          if (begun.length < framesPerClip) return null;
          const whole = begun;
          begun = [];
          return whole;
        }),
        filter((frames) => frames !== null),
        tap({ error: dropBegun, complete: dropBegun }),
      );
    });
}

/** Numbers a clip. Called behind `reconnect`, so that the index counts on over reconnects. */
export function toClip(camera: string, index: number, frames: readonly Frame[]): Clip {
  const [first, last] = [frames[0], frames.at(-1)];
  if (!first || !last) throw new TypeError(`Clip ${String(index)} of ${camera} has no frames.`);
  return { camera, index, fromMs: first.capturedAtMs, toMs: last.capturedAtMs, frames };
}
