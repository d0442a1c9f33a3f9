/** True things and found masks on one grid, that of the found masks. */
import { LookaheadError } from '../../errors.js';
import { idsHeight, idsWidth } from '../drawing/painter.js';

/** [rows, columns]; a cell has a whole number of pixels of the map of ids. */
export type GridSize = readonly [number, number];

export interface Overlap {
  /** Shared cells by those of either; 0 where both are empty. */
  readonly iou: number;
  /** Shared cells by those of the first; 0 where it is empty. */
  readonly shareOfFirst: number;
}

/**
 * The things of a key frame as masks: a cell belongs to a thing when at least half of its pixels do.
 *
 * @param ids uint8 [90][160]: index + 1 of the thing that each pixel shows
 * @returns for each of `count` things rows x columns, 0 or 1
 */
export function trueMasks(ids: Uint8Array, count: number, [rows, columns]: GridSize): Uint8Array[] {
  const cell = idsWidth / columns;
  if (!Number.isInteger(cell))
    throw new LookaheadError(
      'bundle_invalid',
      `A mask grid of ${columns} columns cannot be compared with a truth of ${idsWidth}.`,
      `Give a bundle whose maskColumns divide ${idsWidth}.`,
    );
  // The letterbox: the grid spans a little more than the picture's rows.
  const above = (rows * cell - idsHeight) / 2;
  const covered = Array.from({ length: count }, () => new Uint16Array(rows * columns));
  for (let y = 0; y < idsHeight; y++) {
    const row = Math.floor((y + above) / cell);
    for (let x = 0; x < idsWidth; x++) {
      const own = covered[ids[y * idsWidth + x]! - 1];
      if (own) own[row * columns + Math.floor(x / cell)]!++;
    }
  }
  return covered.map((pixels) => Uint8Array.from(pixels, (n) => Number(2 * n >= cell * cell)));
}

/** @param first and `second` rows x columns, 0 or 1 */
export function overlapOf(first: Uint8Array, second: Uint8Array): Overlap {
  let both = 0;
  let ofFirst = 0;
  let ofSecond = 0;
  for (let cell = 0; cell < first.length; cell++) {
    const [a, b] = [first[cell]!, second[cell]!];
    both += a & b;
    ofFirst += a;
    ofSecond += b;
  }
  const either = ofFirst + ofSecond - both;
  return {
    iou: either === 0 ? 0 : both / either,
    shareOfFirst: ofFirst === 0 ? 0 : both / ofFirst,
  };
}
