import { expect, test } from 'vitest';
import { poolMasks } from '../../src/models/pool.js';

// 2 x 2 patches of 2 x 2 cells each; patch p is [p + 1, 10 (p + 1)].
const grid = { maskRows: 4, maskColumns: 4, patchRows: 2, patchColumns: 2 };
const patches = Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40);

test('an object token is the mean of patches, weighted by the share that the mask covers', () => {
  const mask = Uint8Array.from(
    [
      [1, 1, 1, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ].flat(),
  );
  // Weights 4/4, 1/4, 0, 1/4: (1 + 2/4 + 4/4) / 1.5 = 5/3.
  const tokens = poolMasks([mask], patches, 2, grid);
  expect(tokens[0]).toBeCloseTo(5 / 3, 5);
  expect(tokens[1]).toBeCloseTo(50 / 3, 4);
});

test('every mask has its own row, and an empty one is a row of zeros', () => {
  const second = new Uint8Array(16);
  second[2] = 1;
  const tokens = poolMasks([new Uint8Array(16), second], patches, 2, grid);
  expect([...tokens]).toEqual([0, 0, 2, 20]);
});
