/** Where one frame differs from another, cell by cell. Pure. */
import type { Rectangle, Size } from './preprocess.js';

export interface FrameChange {
  /** The cells that changed, row by row. */
  readonly cells: readonly {
    /** Mean over pixels and channels, of 255. */
    readonly difference: number;
    /** Its centre of gravity, in pixels. */
    readonly x: number;
    readonly y: number;
  }[];
  /** Share of all cells that changed. */
  readonly share: number;
  /** No cell shows more than a camera's noise. */
  readonly isStill: boolean;
  /** The same of the cells that a part of the frame touches. */
  isStillIn(part: Rectangle): boolean;
}

/** A thing of 8 pixels is the smallest that a picture of 160 makes recognisable; a cell is no larger than that. */
export const cellPx = 8;
/** From this mean difference on (of 255) a cell counts as changed. */
const changedMin = 10;
/**
 * What a single channel of a pixel may differ by (of 255) through noise and coding alone, and how much more than that a
 * cell may have on average. Over the yard's recordings (its sensors' noise, H.264 at 0.4 Mb/s) key frames of an unmoved
 * scene nearly all stay below 0.15 in every cell, and the faintest true change that was seen gives 1.3. The plain mean would not
 * tell them apart: noise makes up to 5, and a ball of 3 x 3 pixels on the border of four cells 3.
 */
const noiseMax = 16;
const excessMax = 0.25;

/** @param first, last rgb24, height x width x 3 */
export function frameChange(
  first: Uint8Array,
  last: Uint8Array,
  { widthPx, heightPx }: Size,
): FrameChange {
  const columns = Math.ceil(widthPx / cellPx);
  const rows = Math.ceil(heightPx / cellPx);
  const cells: { difference: number; x: number; y: number }[] = [];
  const moved = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const bottom = Math.min(heightPx, (row + 1) * cellPx);
    for (let column = 0; column < columns; column++) {
      const right = Math.min(widthPx, (column + 1) * cellPx);
      let total = 0;
      let excess = 0;
      let sumX = 0;
      let sumY = 0;
      for (let y = row * cellPx; y < bottom; y++) {
        for (let x = column * cellPx; x < right; x++) {
          const at = (y * widthPx + x) * 3;
          const red = Math.abs(first[at]! - last[at]!);
          const green = Math.abs(first[at + 1]! - last[at + 1]!);
          const blue = Math.abs(first[at + 2]! - last[at + 2]!);
          const difference = red + green + blue;
          if (red > noiseMax) excess += red - noiseMax;
          if (green > noiseMax) excess += green - noiseMax;
          if (blue > noiseMax) excess += blue - noiseMax;
          total += difference;
          sumX += difference * (x + 0.5);
          sumY += difference * (y + 0.5);
        }
      }
      const values = 3 * (bottom - row * cellPx) * (right - column * cellPx);
      if (excess / values > excessMax) moved[row * columns + column] = 1;
      const difference = total / values;
      if (difference >= changedMin) cells.push({ difference, x: sumX / total, y: sumY / total });
    }
  }
  const isStillIn = ({ x, y, width, height }: Rectangle): boolean => {
    const right = Math.min(columns, Math.ceil((x + width) / cellPx));
    const bottom = Math.min(rows, Math.ceil((y + height) / cellPx));
    for (let row = Math.max(0, Math.floor(y / cellPx)); row < bottom; row++) {
      for (let column = Math.max(0, Math.floor(x / cellPx)); column < right; column++) {
        if (moved[row * columns + column] === 1) return false;
      }
    }
    return true;
  };
  const isStill = !moved.includes(1);
  return { cells, share: cells.length / (rows * columns), isStill, isStillIn };
}
