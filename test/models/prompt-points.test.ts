import { describe, expect, test } from 'vitest';
import { clipTensor, frameOf, toPixels, toShares } from '../../src/models/preprocess.js';
import { changePoints, gridPoints } from '../../src/models/prompt-points.js';
import { yardManifest } from './yard-bundle.js';

test('the grid has the middles of equal parts of the picture, row by row, and none in the bars', () => {
  const picture = { x: 0, y: 3, width: 160, height: 90 };
  const points = gridPoints(picture, { pointsPerRow: 4, pointsPerColumn: 2 });
  expect(points).toEqual([
    [20, 25.5],
    [60, 25.5],
    [100, 25.5],
    [140, 25.5],
    [20, 70.5],
    [60, 70.5],
    [100, 70.5],
    [140, 70.5],
  ]);
});

describe('change points', () => {
  const size = { widthPx: 8, heightPx: 4 };
  const frame = (changes: readonly (readonly [number, number, number])[]): Uint8Array => {
    const pixels = new Uint8Array(8 * 4 * 3).fill(100);
    for (const [x, y, value] of changes) pixels.fill(value, (y * 8 + x) * 3, (y * 8 + x) * 3 + 3);
    return pixels;
  };

  test('lie at the centre of what changed within a cell, strongest first', () => {
    const both = frame([
      [0, 1, 255],
      [1, 1, 255],
      [6, 0, 255],
      [6, 1, 255],
      [6, 2, 255],
    ]);
    expect(changePoints(frame([]), both, size, 4, 9)).toEqual([
      [6.5, 1.5],
      [1, 1.5],
    ]);
    expect(changePoints(frame([]), both, size, 4, 1)).toEqual([[6.5, 1.5]]);
  });

  test('noise is no change', () => {
    expect(changePoints(frame([]), frame([[1, 1, 130]]), size, 4, 9)).toEqual([]);
  });
});

describe('boxes', () => {
  const picture = { x: 0, y: 3, width: 160, height: 90 };

  test('go from input pixels to shares of the picture and back', () => {
    const pixels = { x: 16, y: 21, width: 80, height: 45 };
    const shares = { x: 0.1, y: 0.2, width: 0.5, height: 0.5 };
    const close = (box: object) =>
      Object.fromEntries(
        Object.entries(box).map(([key, value]) => [key, expect.closeTo(value as number, 9)]),
      );
    expect(toShares(pixels, picture)).toEqual(close(shares));
    expect(toPixels(shares, picture)).toEqual(close(pixels));
  });

  test('are cut at the letterbox', () => {
    const shares = toShares({ x: -8, y: 0, width: 16, height: 96 }, picture);
    expect(shares).toEqual({ x: 0, y: 0, width: 0.05, height: 1 });
  });
});

test('a clip goes in as its bytes, and another number of bytes is refused', () => {
  const manifest = yardManifest();
  const pixels = new Uint8Array(8 * 96 * 160 * 3);
  pixels[7 * 96 * 160 * 3] = 9;
  const tensor = clipTensor(pixels, manifest);
  expect(tensor.dims).toEqual([1, 8, 96, 160, 3]);
  expect(tensor.data).toBe(pixels);
  expect(frameOf(pixels, 7, manifest)[0]).toBe(9);
  expect(() => clipTensor(pixels.subarray(1), manifest)).toThrow(/368639 bytes/);
});
