import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRle, encodeRle } from '../../src/models/rle.js';

describe('RLE', () => {
  test('runs column by column and begins outside', () => {
    // 0 1 1
    // 0 1 0
    const mask = Uint8Array.of(0, 1, 1, 0, 1, 0);
    expect(encodeRle(mask, 2, 3)).toEqual({ size: [2, 3], counts: [2, 3, 1] });
    expect(encodeRle(Uint8Array.of(1, 0), 1, 2)).toEqual({ size: [1, 2], counts: [0, 1, 1] });
  });

  test('gives back every mask', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));
    const masks = sizes.chain(([rows, columns]) =>
      fc.tuple(
        fc.constant(rows),
        fc.constant(columns),
        fc.array(fc.integer({ min: 0, max: 1 }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        }),
      ),
    );
    fc.assert(
      fc.property(masks, ([rows, columns, cells]) => {
        const mask = Uint8Array.from(cells);
        expect(decodeRle(encodeRle(mask, rows, columns))).toEqual(mask);
      }),
    );
  });

  test('refuses counts that do not fill the size', () => {
    expect(() => decodeRle({ size: [2, 3], counts: [2, 3] })).toThrow(RangeError);
    expect(() => decodeRle({ size: [1, 2], counts: [3, -1] })).toThrow(RangeError);
  });
});
