/** What the tracks tell about the next key frame: where to ask, and whether anything moves. Pure. */
import { toPixels, type Rectangle, type Size } from './preprocess.js';
import type { Point } from './prompt-points.js';
import { centre, predictBox, type Track } from './tracks.js';

/** Where tracks should be at that time, in input pixels; without those that should have left the frame. */
export function expectedPoints(
  tracks: readonly Track[],
  atMs: number,
  picture: Rectangle,
  { widthPx, heightPx }: Size,
): Point[] {
  return tracks.flatMap((one): Point[] => {
    const { x, y } = centre(toPixels(predictBox(one, atMs), picture));
    return x >= 0 && y >= 0 && x < widthPx && y < heightPx ? [[x, y]] : [];
  });
}

/** What was lost so long ago may be gone for good, or behind something that stands: it says nothing of this picture. */
const missingMaxMs = 2000;

/**
 * Nothing that the last key frame showed has left its place since an earlier one, and nothing that was seen a moment before is
 * missing in it.
 *
 * @param lastMs when the last key frame was taken
 */
export function areAtRest(tracks: readonly Track[], lastMs: number): boolean {
  return tracks.every(({ lastSeenMs, rest }) =>
    lastSeenMs >= lastMs ? rest.sinceMs < lastSeenMs : lastMs - lastSeenMs > missingMaxMs,
  );
}
