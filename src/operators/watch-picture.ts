import { defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { StateName } from '../messages.js';
import type { Clip, Frame } from '../types.js';

export interface PictureLimits {
  /** Pictures that are equal byte by byte for longer than this come from a camera that hangs. */
  readonly frozenAfterMs: number;
  /** A picture whose sampled channels differ by no more than this (of 255) is one flat colour. */
  readonly flatMax: number;
}

/**
 * Looks at every clip that passes and tells `onState` what its pictures say of the camera: `online`, `frozen` (the
 * stream runs, the picture does not) or `corrupt` (a whole clip of one flat colour: a decoder without a key frame, a
 * covered lens). Told for each clip, also unchanged; the receiver keeps the changes.
 */
export function watchPicture(
  { frozenAfterMs, flatMax }: PictureLimits,
  onState: (state: Extract<StateName, 'online' | 'frozen' | 'corrupt'>, why: string) => void,
): MonoTypeOperatorFunction<Clip> {
  return (clip$) =>
    defer(() => {
      let last: Frame | undefined;
      let sameSinceMs = 0;
      return clip$.pipe(
        tap((clip) => {
          for (const frame of clip.frames) {
            if (!last || Buffer.compare(last.pixels, frame.pixels) !== 0) {
              sameSinceMs = frame.capturedAtMs;
            }
            last = frame;
          }
          if (clip.frames.every((frame) => isFlat(frame.pixels, flatMax))) {
            onState('corrupt', 'The picture is one flat colour.');
          } else if (clip.toMs - sameSinceMs > frozenAfterMs) {
            onState('frozen', 'The picture has not changed; the camera may hang.');
          } else {
            onState('online', 'Pictures arrive.');
          }
        }),
      );
    });
}

/** Pixels that are looked at: a picture with things in it shows itself among the first few. */
const sampleCount = 256;

/** Only the middle rows count: the letterbox above and below is always black. */
function isFlat(pixels: Uint8Array, flatMax: number): boolean {
  const from = Math.floor(pixels.length / 12) * 3;
  const to = pixels.length - from;
  // An odd step wanders over all columns, since pictures have an even width.
  const stepBytes = 3 * (Math.floor((to - from) / 3 / sampleCount) | 1);
  for (let at = from; at < to; at += stepBytes) {
    for (let channel = 0; channel < 3; channel += 1) {
      const difference = (pixels[at + channel] ?? 0) - (pixels[from + channel] ?? 0);
      if (Math.abs(difference) > flatMax) return false;
    }
  }
  return true;
}
