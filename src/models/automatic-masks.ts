/**
 * From mask logits to a picture's masks: the selection of SAM's automatic mask generator («Segment Anything»,
 * arXiv 2304.02643, appendix B), in its order, on the decoder's own low-resolution grid. Pure.
 *
 * Each batch of points: predicted IoU above `predIouThresh`, stability at least `stabilityScoreThresh`, logits above 0,
 * box. Then over all batches: box NMS by predicted IoU; removal of small islands and holes; box NMS again, which
 * prefers masks that needed no removal. Areas are counted in cells of the grid.
 */
import type { Manifest } from './manifest.js';

/** In cells: left and upper edge within, right and lower edge without. */
export interface CellBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Mask {
  /** rows x columns, 0 or 1. */
  readonly cells: Uint8Array;
  readonly box: CellBox;
  readonly predictedIou: number;
  readonly stability: number;
}

export type MaskParameters = Pick<
  Manifest['segmenter'],
  | 'predIouThresh'
  | 'stabilityScoreThresh'
  | 'stabilityScoreOffset'
  | 'boxNmsThresh'
  | 'minMaskRegionArea'
>;

/**
 * The masks of one batch of points that are good enough by themselves.
 *
 * @param logits [count, rows, columns]: all masks of all points
 * @param predictedIous [count]
 */
export function filterMasks(
  logits: Float32Array,
  predictedIous: Float32Array,
  rows: number,
  columns: number,
  parameters: MaskParameters,
): Mask[] {
  const cellCount = rows * columns;
  const masks: Mask[] = [];
  predictedIous.forEach((predictedIou, index) => {
    if (!(predictedIou > parameters.predIouThresh)) return;
    const own = logits.subarray(index * cellCount, (index + 1) * cellCount);
    const stability = stabilityOf(own, parameters.stabilityScoreOffset);
    if (!(stability >= parameters.stabilityScoreThresh)) return;
    const cells = Uint8Array.from(own, (logit) => (logit > 0 ? 1 : 0));
    const box = boxOf(cells, columns);
    if (box !== null) masks.push({ cells, box, predictedIou, stability });
  });
  return masks;
}

/** What `generate` does with the masks of all batches together; best first. */
export function selectMasks(
  masks: readonly Mask[],
  rows: number,
  columns: number,
  parameters: MaskParameters,
): Mask[] {
  const first = suppress(masks, (mask) => mask.predictedIou, parameters.boxNmsThresh);
  if (parameters.minMaskRegionArea <= 0) return first;
  const cleaned = first.flatMap((mask) => {
    const holes = removeSmallRegions(
      mask.cells,
      rows,
      columns,
      parameters.minMaskRegionArea,
      'holes',
    );
    const both = removeSmallRegions(
      holes.cells,
      rows,
      columns,
      parameters.minMaskRegionArea,
      'islands',
    );
    const changed = holes.changed || both.changed;
    const box = boxOf(both.cells, columns);
    return box === null
      ? []
      : [{ mask: changed ? { ...mask, cells: both.cells, box } : mask, changed }];
  });
  const kept = suppress(
    cleaned.map((entry) => ({ ...entry, box: entry.mask.box })),
    (entry) => (entry.changed ? 0 : 1),
    parameters.boxNmsThresh,
  );
  return kept.map(({ mask }) => mask);
}

/** IoU of the mask at logits > offset with the mask at logits > -offset; NaN where both are empty. */
export function stabilityOf(logits: Float32Array, offset: number): number {
  let high = 0;
  let low = 0;
  for (const logit of logits) {
    if (logit > offset) high++;
    if (logit > -offset) low++;
  }
  return high / low;
}

/** The smallest box around a mask; null where it is empty. */
export function boxOf(cells: Uint8Array, columns: number): CellBox | null {
  let left = Infinity;
  let right = -1;
  let top = -1;
  let bottom = -1;
  cells.forEach((cell, index) => {
    if (cell === 0) return;
    const row = Math.floor(index / columns);
    const column = index % columns;
    if (top < 0) top = row;
    bottom = row;
    left = Math.min(left, column);
    right = Math.max(right, column);
  });
  // On so coarse a grid the last cell's own width counts: a box one cell wide would otherwise be empty.
  return top < 0 ? null : { left, top, right: right + 1, bottom: bottom + 1 };
}

export function boxIou(a: CellBox, b: CellBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: CellBox): number => (box.right - box.left) * (box.bottom - box.top);
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

/** Non-maximum suppression: best score first (the earlier of equals); drops what overlaps a kept one by more. */
function suppress<T extends { readonly box: CellBox }>(
  items: readonly T[],
  scoreOf: (item: T) => number,
  iouMax: number,
): T[] {
  const kept: T[] = [];
  for (const item of [...items].sort((a, b) => scoreOf(b) - scoreOf(a))) {
    if (kept.every((other) => boxIou(item.box, other.box) <= iouMax)) kept.push(item);
  }
  return kept;
}

/**
 * Fills holes, or drops islands, of fewer than `areaMin` cells; neighbours touch at edges or corners.
 * Of a mask that has only small islands the largest stays.
 */
export function removeSmallRegions(
  mask: Uint8Array,
  rows: number,
  columns: number,
  areaMin: number,
  what: 'holes' | 'islands',
): { readonly cells: Uint8Array; readonly changed: boolean } {
  const wanted = what === 'islands' ? 1 : 0;
  const regions = regionsOf(mask, rows, columns, wanted);
  let drop = regions.filter((region) => region.length < areaMin);
  if (drop.length === 0) return { cells: mask, changed: false };
  if (what === 'islands' && drop.length === regions.length) {
    const largest = drop.reduce((best, region) => (region.length > best.length ? region : best));
    drop = drop.filter((region) => region !== largest);
  }
  const cells = mask.slice();
  for (const region of drop) for (const cell of region) cells[cell] = 1 - wanted;
  return { cells, changed: true };
}

/** Connected regions of cells with that value, by flood fill over eight neighbours, in reading order. */
function regionsOf(mask: Uint8Array, rows: number, columns: number, value: number): number[][] {
  const seen = new Uint8Array(mask.length);
  const regions: number[][] = [];
  for (let start = 0; start < mask.length; start++) {
    if (seen[start] === 1 || mask[start] !== value) continue;
    seen[start] = 1;
    const region = [start];
    // The array grows while it is walked: it is the queue of the flood fill too.
    for (const cell of region) {
      const row = Math.floor(cell / columns);
      const column = cell % columns;
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
          const next = r * columns + c;
          if (seen[next] === 1 || mask[next] !== value) continue;
          seen[next] = 1;
          region.push(next);
        }
      }
    }
    regions.push(region);
  }
  return regions;
}
