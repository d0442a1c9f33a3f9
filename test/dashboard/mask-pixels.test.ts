import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRle } from '../../src/models/rle.js';
import { maskBounds, maskCells, smoothMask } from '../../src/sinks/dashboard/mask-pixels.js';
import { pictureArea } from '../../src/sinks/dashboard/picture-area.js';
import { barsOf } from '../../src/sinks/dashboard/still-bars.js';
import { seenThing } from './made-up-scene.js';

const grids = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      cells: fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns, max: 1 }),
    }),
  );

describe('a mask', () => {
  it('has the bounds and cells that the engine encoded', () => {
    fc.assert(
      fc.property(grids, ({ rows, columns, cells }) => {
        const mask = encodeRle(cells, rows, columns);
        const inside = [...cells.keys()].filter((i) => cells[i] === 1);
        const bounds = maskBounds(mask);
        if (inside.length === 0) {
          expect(bounds).toBeUndefined();
          return;
        }
        const xs = inside.map((i) => i % columns);
        const ys = inside.map((i) => Math.floor(i / columns));
        expect(bounds).toEqual({
          left: Math.min(...xs),
          right: Math.max(...xs) + 1,
          top: Math.min(...ys),
          bottom: Math.max(...ys) + 1,
        });
        const cropped = maskCells(mask, bounds!);
        const width = bounds!.right - bounds!.left;
        const again = [...cropped.keys()]
          .filter((i) => cropped[i] === 1)
          .map((i) => (Math.floor(i / width) + bounds!.top) * columns + (i % width) + bounds!.left);
        expect(again.sort((a, b) => a - b)).toEqual(inside);
      }),
    );
  });

  it('that is longer than its size has none', () => {
    expect(maskBounds({ size: [4, 4], counts: [2, 90] })).toBeUndefined();
  });

  it('keeps its area when it is made smooth, and has a closed edge', () => {
    const cells = new Uint8Array(36).fill(1);
    const { width, height, kinds } = smoothMask(cells, 6, 6, 4);
    expect([width, height]).toEqual([32, 32]);
    const covered = kinds.reduce((sum, kind) => sum + Number(kind > 0), 0);
    expect(covered / 16).toBeGreaterThan(34);
    expect(covered / 16).toBeLessThanOrEqual(36);
    kinds.forEach((kind, i) => {
      if (kind === 1)
        for (const step of [1, -1, width, -width]) expect(kinds[i + step]).not.toBe(0);
    });
  });
});

describe('the picture within the frame', () => {
  it('is told by masks and boxes together: 16:9 in 160 x 96', () => {
    const things = [
      seenThing(1, 'gate', { x: 0.1, y: 0.2, width: 0.2, height: 0.3 }),
      seenThing(2, 'car', { x: 0.5, y: 0.6, width: 0.3, height: 0.2 }),
    ];
    const area = pictureArea(things);
    expect(area?.width).toBe(1);
    expect(area?.height).toBeCloseTo(90 / 96, 3);
  });

  it('is not guessed where nothing tells, or what tells is no letterbox', () => {
    expect(pictureArea([])).toBeUndefined();
    const one = seenThing(1, 'car', { x: 0.1, y: 0.1, width: 0.3, height: 0.3 });
    const odd = { ...one, box: { x: 0.6, y: 0.6, width: 0.1, height: 0.3 } };
    expect(pictureArea([one, odd])).toBeUndefined();
  });
});

describe('a still of which nothing is known', () => {
  /** Grey, with so many black rows above and below, and columns on each side. */
  const still = (width: number, height: number, rows: number, columns: number) => {
    const data = new Uint8ClampedArray(width * height * 4).fill(120);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const isBar = y < rows || y >= height - rows || x < columns || x >= width - columns;
        if (isBar) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
      }
    }
    return data;
  };

  it('has bars where a usual picture would have them', () => {
    expect(barsOf(still(160, 96, 3, 0), 160, 96)).toEqual({ width: 1, height: 90 / 96 });
    expect(barsOf(still(160, 96, 0, 16), 160, 96)).toEqual({ width: 128 / 160, height: 1 });
  });

  it('has none where there are none, or where all is dark', () => {
    for (const data of [still(160, 96, 0, 0), still(160, 96, 48, 0), still(160, 96, 11, 0)]) {
      expect(barsOf(data, 160, 96)).toEqual({ width: 1, height: 1 });
    }
  });
});
