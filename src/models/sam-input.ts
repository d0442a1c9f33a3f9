/**
 * How SAM sees a picture: scaled so that its longer side fills a square, at the upper left of it, the rest padding. And the
 * way back, from the masks of that square to the grid over the engine's own frame. Pure.
 */
import type { Manifest } from './manifest.js';
import type { Rectangle, Size } from './preprocess.js';
import type { Point } from './prompt-points.js';
import { float32, type Tensor } from './tensor.js';

/** Where a picture lies in the square. */
export interface SquarePlacement {
  readonly sidePx: number;
  /** In pixels of the frame that it is cut out of. */
  readonly picture: Rectangle;
  /** Of the picture in the square, from its upper left corner. */
  readonly scaled: Size;
}

/** Of ImageNet, for rgb of 0 to 255. */
const mean = [123.675, 116.28, 103.53] as const;
const deviation = [58.395, 57.12, 57.375] as const;

export function placeInSquare(picture: Rectangle, sidePx: number): SquarePlacement {
  const scale = sidePx / Math.max(picture.width, picture.height);
  const widthPx = Math.floor(picture.width * scale + 0.5);
  const heightPx = Math.floor(picture.height * scale + 0.5);
  return { sidePx, picture, scaled: { widthPx, heightPx } };
}

/**
 * The picture as SAM's image encoders take it: bilinear, normalised, 0 in the padding.
 *
 * @param frame rgb24, height x width x 3, letterboxed
 * @returns float32 [1, 3, side, side]
 */
export function squareInput(frame: Uint8Array, size: Size, placement: SquarePlacement): Tensor {
  const { sidePx, picture, scaled } = placement;
  const across = neighbours(scaled.widthPx, picture.x, picture.width, size.widthPx);
  const down = neighbours(scaled.heightPx, picture.y, picture.height, size.heightPx);
  const plane = sidePx * sidePx;
  const data = new Float32Array(3 * plane);
  for (let y = 0; y < scaled.heightPx; y++) {
    const upper = down.first[y]! * size.widthPx;
    const lower = down.second[y]! * size.widthPx;
    const v = down.share[y]!;
    for (let x = 0; x < scaled.widthPx; x++) {
      const left = across.first[x]!;
      const right = across.second[x]!;
      const u = across.share[x]!;
      for (let c = 0; c < 3; c++) {
        const above =
          frame[(upper + left) * 3 + c]! * (1 - u) + frame[(upper + right) * 3 + c]! * u;
        const below =
          frame[(lower + left) * 3 + c]! * (1 - u) + frame[(lower + right) * 3 + c]! * u;
        const value = above * (1 - v) + below * v;
        data[c * plane + y * sidePx + x] = (value - mean[c]!) / deviation[c]!;
      }
    }
  }
  return float32([1, 3, sidePx, sidePx], data);
}

/** From pixels of the frame to pixels of the square. */
export function toSquare([x, y]: Point, { picture, scaled }: SquarePlacement): Point {
  return [
    ((x - picture.x) / picture.width) * scaled.widthPx,
    ((y - picture.y) / picture.height) * scaled.heightPx,
  ];
}

/**
 * Mask logits of the square, seen on the grid over the frame (bilinear); -Infinity in the bars of the letterbox.
 * This is SAM's own scaling of masks to the size of the picture, with the mask grid as that size.
 *
 * @param logits [count, rows, columns] over the square
 * @returns [count, maskRows, maskColumns] over the frame
 */
export function onFrameGrid(
  logits: Float32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { sidePx, picture, scaled }: SquarePlacement,
  size: Size,
  { maskRows, maskColumns }: Pick<Manifest['geometry'], 'maskRows' | 'maskColumns'>,
): Float32Array {
  const count = logits.length / (rows * columns);
  const inCells = (pixels: number, cells: number): number => (pixels / sidePx) * cells;
  const across = cellsOf(
    { cells: maskColumns, px: size.widthPx },
    { from: picture.x, length: picture.width },
    { cells: columns, length: inCells(scaled.widthPx, columns) },
  );
  const down = cellsOf(
    { cells: maskRows, px: size.heightPx },
    { from: picture.y, length: picture.height },
    { cells: rows, length: inCells(scaled.heightPx, rows) },
  );
  const out = new Float32Array(count * maskRows * maskColumns).fill(-Infinity);
  for (let mask = 0; mask < count; mask++) {
    const from = mask * rows * columns;
    for (let row = 0; row < maskRows; row++) {
      if (down.first[row]! < 0) continue;
      const upper = from + down.first[row]! * columns;
      const lower = from + down.second[row]! * columns;
      const v = down.share[row]!;
      const to = (mask * maskRows + row) * maskColumns;
      for (let column = 0; column < maskColumns; column++) {
        const left = across.first[column]!;
        if (left < 0) continue;
        const right = across.second[column]!;
        const u = across.share[column]!;
        const above = logits[upper + left]! * (1 - u) + logits[upper + right]! * u;
        const below = logits[lower + left]! * (1 - u) + logits[lower + right]! * u;
        out[to + column] = above * (1 - v) + below * v;
      }
    }
  }
  return out;
}

/** Between which two places along one side each new place lies, and how far towards the second. First -1: nowhere. */
interface Neighbours {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

/** For `count` pixels that together cover [from, from + length) of a side of `px` pixels. */
function neighbours(count: number, from: number, length: number, px: number): Neighbours {
  const lowest = Math.max(0, Math.round(from));
  const highest = Math.min(px, Math.round(from + length)) - 1;
  return interpolate(count, lowest, highest, (at) => from + ((at + 0.5) / count) * length - 0.5);
}

/** For every cell of the frame's grid the cells of the square's. */
function cellsOf(
  frame: { readonly cells: number; readonly px: number },
  picture: { readonly from: number; readonly length: number },
  square: { readonly cells: number; readonly length: number },
): Neighbours {
  return interpolate(frame.cells, 0, square.cells - 1, (at) => {
    const share = (((at + 0.5) / frame.cells) * frame.px - picture.from) / picture.length;
    return share < 0 || share >= 1 ? null : share * square.length - 0.5;
  });
}

/** @param placeOf where the new place `at` lies among the old ones, whose middles are whole numbers; null: nowhere */
function interpolate(
  count: number,
  lowest: number,
  highest: number,
  placeOf: (at: number) => number | null,
): Neighbours {
  const first = new Int32Array(count).fill(-1);
  const second = new Int32Array(count).fill(-1);
  const share = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const place = placeOf(at);
    if (place === null) continue;
    const within = Math.min(highest, Math.max(lowest, place));
    first[at] = Math.floor(within);
    second[at] = Math.min(highest, Math.floor(within) + 1);
    share[at] = within - Math.floor(within);
  }
  return { first, second, share };
}
