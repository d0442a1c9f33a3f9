/** Masks of scene messages: COCO's run lengths, column by column. Pure. */
export interface Mask {
  /** [rows, columns]. */
  readonly size: readonly [number, number];
  readonly counts: readonly number[];
}

/** In cells; right and bottom are beyond the last one. */
export interface CellBounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The smallest box around it; undefined where it is empty or longer than its size. */
export function maskBounds({ size: [rows, columns], counts }: Mask): CellBounds | undefined {
  let [left, top, right, bottom] = [columns, rows, 0, 0];
  let at = 0;
  for (const [index, count] of counts.entries()) {
    const end = at + count;
    if (index % 2 === 1 && count > 0) {
      const [first, last] = [Math.floor(at / rows), Math.floor((end - 1) / rows)];
      left = Math.min(left, first);
      right = Math.max(right, last + 1);
      // A run that goes on in the next column touches both ends of one.
      top = first === last ? Math.min(top, at % rows) : 0;
      bottom = first === last ? Math.max(bottom, ((end - 1) % rows) + 1) : rows;
    }
    at = end;
  }
  return right > left && at <= rows * columns ? { left, top, right, bottom } : undefined;
}

/** What is within the bounds, row by row, 0 or 1. */
export function maskCells({ size: [rows], counts }: Mask, bounds: CellBounds): Uint8Array {
  const width = bounds.right - bounds.left;
  const cells = new Uint8Array(width * (bounds.bottom - bounds.top));
  let at = 0;
  for (const [index, count] of counts.entries()) {
    for (let i = at; index % 2 === 1 && i < at + count; i++) {
      cells[((i % rows) - bounds.top) * width + Math.floor(i / rows) - bounds.left] = 1;
    }
    at += count;
  }
  return cells;
}

export interface MaskPixels {
  readonly width: number;
  readonly height: number;
  /** 0 outside, 1 inside, 2 at the edge. */
  readonly kinds: Uint8Array;
}

/**
 * The mask finer than its cells: between their centres the coverage is interpolated and cut at one half, which rounds the
 * stairs. One more row or column of cells lies around it on each side, outside.
 *
 * @param fine pixels a cell along each side
 */
export function smoothMask(
  cells: Uint8Array,
  width: number,
  height: number,
  fine: number,
): MaskPixels {
  const [across, down] = [(width + 2) * fine, (height + 2) * fine];
  const inside = new Uint8Array(across * down);
  const cell = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : cells[y * width + x]!;
  for (let y = 0; y < down; y++) {
    const cy = (y + 0.5) / fine - 1.5;
    const [row, v] = [Math.floor(cy), cy - Math.floor(cy)];
    for (let x = 0; x < across; x++) {
      const cx = (x + 0.5) / fine - 1.5;
      const [column, u] = [Math.floor(cx), cx - Math.floor(cx)];
      const upper = cell(column, row) * (1 - u) + cell(column + 1, row) * u;
      const lower = cell(column, row + 1) * (1 - u) + cell(column + 1, row + 1) * u;
      inside[y * across + x] = upper * (1 - v) + lower * v >= 0.5 ? 1 : 0;
    }
  }
  const kinds = inside.slice();
  for (let i = 0; i < kinds.length; i++) {
    if (inside[i] === 0) continue;
    const isInner =
      inside[i - 1] === 1 &&
      inside[i + 1] === 1 &&
      inside[i - across] === 1 &&
      inside[i + across] === 1;
    if (!isInner) kinds[i] = 2;
  }
  return { width: across, height: down, kinds };
}
