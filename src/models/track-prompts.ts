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

/** A thing that moves by less than this (of the picture's width or height, in a second) stays in its cell of the masks. */
const restSpeedMax = 1 / 80;

/** Nothing moves, and nothing that was seen a moment ago is missing. */
export function areAtRest(tracks: readonly Track[]): boolean {
  const newestMs = Math.max(...tracks.map(({ lastSeenMs }) => lastSeenMs));
  return tracks.every(
    ({ velocity, lastSeenMs }) =>
      lastSeenMs === newestMs && Math.hypot(velocity.x, velocity.y) <= restSpeedMax,
  );
}
