import { expect, test } from 'vitest';
import { onFrameGrid, placeInSquare, squareInput, toSquare } from '../../src/models/sam-input.js';
import { samExpected } from './sam-fixtures.js';
import { largestDifference } from './yard-bundle.js';

test("a letterboxed frame becomes SAM's input as PyTorch makes it", () => {
  const { pixels, size, picture, input } = samExpected();
  const placement = placeInSquare(picture, 64);
  expect(placement.scaled).toEqual({ widthPx: 64, heightPx: 35 });
  expect(largestDifference(squareInput(pixels, size, placement), input)).toBeLessThan(1e-4);
});

test('the bars of the letterbox never bleed into the picture', () => {
  const size = { widthPx: 8, heightPx: 8 };
  const picture = { x: 0, y: 2, width: 8, height: 4 };
  const frame = new Uint8Array(8 * 8 * 3);
  frame.fill(200, 2 * 8 * 3, 6 * 8 * 3);
  const { data } = squareInput(frame, size, placeInSquare(picture, 16));
  const first = Array.from({ length: 8 }, (_, row) => Number(data[row * 16]));
  const grey = (200 - 123.675) / 58.395;
  for (const value of first) expect(value).toBeCloseTo(grey, 5);
  expect(data[8 * 16]).toBe(0);
});

test('points go from the frame to the square, corners to corners', () => {
  const placement = placeInSquare({ x: 10, y: 0, width: 30, height: 60 }, 120);
  expect(toSquare([10, 0], placement)).toEqual([0, 0]);
  expect(toSquare([40, 60], placement)).toEqual([60, 120]);
});

test('masks of the square lie where the picture lies in the frame', () => {
  // The picture is the right half of the frame: it fills the left half of the square.
  const picture = { x: 8, y: 0, width: 8, height: 16 };
  const placement = placeInSquare(picture, 16);
  const logits = new Float32Array(16).fill(-1);
  logits[0] = 1; // upper left cell of 4 x 4
  logits[2] = 9; // in the padding
  const size = { widthPx: 16, heightPx: 16 };
  const out = onFrameGrid(logits, { rows: 4, columns: 4 }, placement, size, {
    maskRows: 4,
    maskColumns: 4,
  });
  const rows = Array.from({ length: 4 }, (_, row) => [...out.subarray(row * 4, row * 4 + 4)]);
  expect(rows[0]).toEqual([-Infinity, -Infinity, 1, -1]);
  expect(rows[1]).toEqual([-Infinity, -Infinity, -1, -1]);
});
