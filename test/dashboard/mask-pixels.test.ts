import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRle } from '../../src/models/rle.js';
import { maskBounds, maskCells, smoothMask } from '../../src/sinks/dashboard/mask-pixels.js';
import { sceneAt } from '../../src/sinks/dashboard/scene-at.js';
import { scene } from '../support/messages.js';

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

describe('the scene of a still', () => {
  const scenes = [0, 1, 2].map((clip) => scene(clip));
  const startMs = Date.parse(scenes[0]!.from);

  it('is that of the clip whose key frame it is', () => {
    expect(sceneAt(scenes, startMs + 500)?.clip).toBe(0);
    expect(sceneAt(scenes, startMs + 2_700)?.clip).toBe(2);
  });

  it('is none where that clip was not heard of', () => {
    expect(sceneAt(scenes, startMs - 400)).toBeUndefined();
    expect(sceneAt(scenes, startMs + 3_400)).toBeUndefined();
    expect(sceneAt(scenes, undefined)).toBeUndefined();
  });
});
