/**
 * From mask logits to a picture's masks: the selection of SAM's automatic mask generator («Segment Anything»,
 * arXiv 2304.02643, appendix B), in its order, on the decoder's own low-resolution grid. Pure.
 *
 * Each batch of points: predicted IoU above `predIouThresh`, stability at least `stabilityScoreThresh`, logits above 0,
 * box, and in a crop: no box at an edge that is the crop's alone. Then over all batches of a crop: box NMS by predicted
 * IoU. Over all crops: box NMS that prefers smaller crops. Last, removal of small islands and holes, and box NMS that
 * prefers masks which needed none. As in SAM a threshold of 0 asks for nothing. `training/lookahead_training/automatic.py`
 * is the same in Python; `test/golden/automatic-masks.json` holds both to it.
 *
 * What differs from SAM, which works on full-size masks: areas are counted in cells of the grid; a box reaches to the far
 * edge of its last cell, which is nearer to what the full size gives (and no box is empty); an empty mask is none.
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

/** How masks found in a crop of the picture are seen in the picture's grid. */
export interface CropView {
  /** In cells of the picture's grid, not rounded. */
  readonly crop: CellBox;
  readonly picture: CellBox;
  /** A box this near to an edge of the crop that is none of the picture was probably cut there. */
  readonly edgeCells: number;
  /** Brings one mask's logits from the crop's grid to the picture's; -Infinity outside the crop. */
  place(logits: Float32Array, into: Float32Array): void;
}

/** The masks that were kept of one crop; the whole picture is a crop too. */
export interface CropMasks {
  readonly masks: readonly Mask[];
  /** Of the crop, in any one unit. */
  readonly area: number;
}

export type MaskParameters = Pick<
  Manifest['segmenter'],
  | 'predIouThresh'
  | 'stabilityScoreThresh'
  | 'stabilityScoreOffset'
  | 'boxNmsThresh'
  | 'cropNmsThresh'
  | 'minMaskRegionArea'
>;

/**
 * The masks of one batch of points that are good enough by themselves.
 *
 * @param logits [count, rows, columns]: all masks of all points
 * @param predictedIous [count]
 * @param view where the logits are those of a crop
 */
export function filterMasks(
  logits: Float32Array,
  predictedIous: Float32Array,
  rows: number,
  columns: number,
  parameters: MaskParameters,
  view?: CropView,
): Mask[] {
  const { predIouThresh, stabilityScoreThresh, stabilityScoreOffset } = parameters;
  const cellCount = rows * columns;
  const placed = view === undefined ? undefined : new Float32Array(cellCount);
  // Most candidates fail: only of those that pass are the cells copied out of here.
  const scratch = new Uint8Array(cellCount);
  const masks: Mask[] = [];
  for (let index = 0; index < predictedIous.length; index++) {
    const predictedIou = predictedIous[index]!;
    if (predIouThresh > 0 && !(predictedIou > predIouThresh)) continue;
    let own = logits.subarray(index * cellCount, (index + 1) * cellCount);
    if (view !== undefined && placed !== undefined) {
      view.place(own, placed);
      own = placed;
    }
    const { stability, box } = measure(own, rows, columns, stabilityScoreOffset, scratch);
    if (stabilityScoreThresh > 0 && !(stability >= stabilityScoreThresh)) continue;
    if (box === null || (view !== undefined && isCutByCrop(box, view))) continue;
    masks.push({ cells: scratch.slice(), box, predictedIou, stability });
  }
  return masks;
}

/** Non-maximum suppression within one crop; best predicted IoU first, of equals the one asked first. */
export function suppressWithinCrop(
  masks: readonly Mask[],
  { boxNmsThresh }: Pick<MaskParameters, 'boxNmsThresh'>,
): Mask[] {
  return suppress(masks, ({ predictedIou }) => predictedIou, boxNmsThresh);
}

/** What becomes of the masks of all batches together, where there are no crops; best first. */
export function selectMasks(
  masks: readonly Mask[],
  rows: number,
  columns: number,
  parameters: MaskParameters,
): Mask[] {
  const kept = suppressWithinCrop(masks, parameters);
  return cleanMasks(kept, rows, columns, parameters);
}

/** What becomes of the masks of several crops, each already suppressed within; those of small crops first. */
export function mergeCrops(
  crops: readonly CropMasks[],
  rows: number,
  columns: number,
  parameters: MaskParameters,
): Mask[] {
  const all = crops.flatMap(({ masks, area }) =>
    masks.map((mask) => ({ mask, box: mask.box, area })),
  );
  const kept =
    crops.length > 1 ? suppress(all, ({ area }) => 1 / area, parameters.cropNmsThresh) : all;
  return cleanMasks(
    kept.map(({ mask }) => mask),
    rows,
    columns,
    parameters,
  );
}

/** Removes small holes, then small islands, then what has thereby become a duplicate. */
function cleanMasks(
  masks: readonly Mask[],
  rows: number,
  columns: number,
  { minMaskRegionArea, boxNmsThresh, cropNmsThresh }: MaskParameters,
): Mask[] {
  if (minMaskRegionArea <= 0) return [...masks];
  const cleaned = masks.flatMap((mask) => {
    const filled = removeSmallRegions(mask.cells, rows, columns, minMaskRegionArea, 'holes');
    const both = removeSmallRegions(filled.cells, rows, columns, minMaskRegionArea, 'islands');
    const changed = filled.changed || both.changed;
    const box = boxOf(both.cells, rows, columns);
    if (box === null) return [];
    return [{ mask: changed ? { ...mask, cells: both.cells, box } : mask, box, changed }];
  });
  const iouMax = Math.max(boxNmsThresh, cropNmsThresh);
  return suppress(cleaned, ({ changed }) => (changed ? 0 : 1), iouMax).map(({ mask }) => mask);
}

/**
 * Everything that one pass over a mask's logits tells.
 *
 * @param cells is written: 1 where the logit is above 0
 * @returns stability: IoU of the mask at logits > offset with that at logits > -offset, NaN where both are empty; box:
 * null where the mask is empty
 */
export function measure(
  logits: Float32Array,
  rows: number,
  columns: number,
  offset: number,
  cells: Uint8Array,
): { readonly stability: number; readonly box: CellBox | null } {
  let high = 0;
  let low = 0;
  let left = columns;
  let right = -1;
  let top = -1;
  let bottom = -1;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const logit = logits[at]!;
      cells[at] = 0;
      // Far outside, as most cells are: the mask is a part of the loose one.
      if (!(logit > -offset)) continue;
      low++;
      if (logit > offset) high++;
      if (!(logit > 0)) continue;
      cells[at] = 1;
      if (top < 0) top = row;
      bottom = row;
      if (column < left) left = column;
      if (column > right) right = column;
    }
  }
  const box = top < 0 ? null : { left, top, right: right + 1, bottom: bottom + 1 };
  return { stability: high / low, box };
}

/** The smallest box around a mask; null where it is empty. */
export function boxOf(cells: Uint8Array, rows: number, columns: number): CellBox | null {
  let left = columns;
  let right = -1;
  let top = -1;
  let bottom = -1;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      if (cells[at] === 0) continue;
      if (top < 0) top = row;
      bottom = row;
      if (column < left) left = column;
      if (column > right) right = column;
    }
  }
  return top < 0 ? null : { left, top, right: right + 1, bottom: bottom + 1 };
}

export function boxIou(a: CellBox, b: CellBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf({ left, top, right, bottom }: CellBox): number {
  return (right - left) * (bottom - top);
}

function isCutByCrop(box: CellBox, { crop, picture, edgeCells }: CropView): boolean {
  const sides = ['left', 'top', 'right', 'bottom'] as const;
  return sides.some(
    (side) =>
      Math.abs(box[side] - crop[side]) <= edgeCells &&
      Math.abs(box[side] - picture[side]) > edgeCells,
  );
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
  const { regionOf, areas } = regionsOf(mask, rows, columns, wanted);
  if (areas.every((area) => area >= areaMin)) return { cells: mask, changed: false };
  const stays = areas.map((area) => area >= areaMin);
  if (what === 'islands' && !stays.includes(true)) stays[areas.indexOf(Math.max(...areas))] = true;
  const cells = mask.slice();
  for (let at = 0; at < cells.length; at++) {
    const region = regionOf[at]!;
    if (region >= 0 && stays[region] === false) cells[at] = 1 - wanted;
  }
  return { cells, changed: true };
}

/** Connected regions of cells with that value, by flood fill over eight neighbours, in reading order; -1: of another value. */
function regionsOf(
  mask: Uint8Array,
  rows: number,
  columns: number,
  value: number,
): { readonly regionOf: Int32Array; readonly areas: number[] } {
  const regionOf = new Int32Array(mask.length).fill(-1);
  const queue = new Int32Array(mask.length);
  const areas: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (regionOf[start] !== -1 || mask[start] !== value) continue;
    const region = areas.length;
    let length = 1;
    queue[0] = start;
    regionOf[start] = region;
    for (let next = 0; next < length; next++) {
      const cell = queue[next]!;
      const row = Math.floor(cell / columns);
      const column = cell - row * columns;
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
          const neighbour = r * columns + c;
          if (regionOf[neighbour] !== -1 || mask[neighbour] !== value) continue;
          regionOf[neighbour] = region;
          queue[length++] = neighbour;
        }
      }
    }
    areas.push(length);
  }
  return { regionOf, areas };
}
