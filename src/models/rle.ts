/** COCO's run-length encoding of masks, with uncompressed counts. */
export interface Rle {
  /** [rows, columns]. */
  readonly size: readonly [number, number];
  /** Lengths of runs column by column, in turn outside and inside; the first one is outside and may be 0. */
  readonly counts: readonly number[];
}

/** @param mask rows x columns, row by row; anything but 0 is inside. */
export function encodeRle(mask: Uint8Array, rows: number, columns: number): Rle {
  const counts: number[] = [];
  let inside = 0;
  let run = 0;
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      const value = mask[row * columns + column] === 0 ? 0 : 1;
      if (value !== inside) {
        counts.push(run);
        run = 0;
        inside = value;
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [rows, columns], counts };
}

/** The mask of an RLE, row by row, 0 or 1. Throws where the counts do not fill the size exactly. */
export function decodeRle({ size: [rows, columns], counts }: Rle): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== rows * columns || counts.some((count) => count < 0 || !Number.isInteger(count))) {
    throw new RangeError(
      `RLE counts add up to ${total}, a ${rows} x ${columns} mask has ${rows * columns}.`,
    );
  }
  const mask = new Uint8Array(rows * columns);
  let at = 0;
  counts.forEach((count, index) => {
    if (index % 2 === 1) {
      for (let i = at; i < at + count; i++) mask[(i % rows) * columns + Math.floor(i / rows)] = 1;
    }
    at += count;
  });
  return mask;
}
