import { describe, expect, test } from 'vitest';
import { clipTensor, frameOf, toPixels, toShares } from '../../src/models/preprocess.js';
import { frameChange } from '../../src/models/frame-change.js';
import {
  apartPx,
  changePoints,
  gridPartPoints,
  gridParts,
  gridPoints,
} from '../../src/models/prompt-points.js';
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

test('the parts of the grid are the grid, none twice, and no two points of a part are neighbours', () => {
  const picture = { x: 0, y: 3, width: 160, height: 90 };
  for (const grid of [
    { pointsPerRow: 10, pointsPerColumn: 6 },
    { pointsPerRow: 5, pointsPerColumn: 3 },
    { pointsPerRow: 1, pointsPerColumn: 1 },
  ]) {
    const parts = Array.from({ length: gridParts }, (_, part) =>
      gridPartPoints(picture, grid, part),
    );
    const inOrder = (points: readonly (readonly [number, number])[]) =>
      points.map(([x, y]) => `${y} ${x}`).sort();
    expect(inOrder(parts.flat())).toEqual(inOrder(gridPoints(picture, grid)));
    const apart = 4 * apartPx(picture, grid);
    for (const points of parts) {
      points.forEach(([x, y], index) => {
        const nearest = Math.min(
          ...points.slice(index + 1).map(([u, v]) => Math.hypot(x - u, y - v)),
        );
        expect(nearest).toBeGreaterThan(1.9 * apart);
      });
    }
  }
});

describe('what changed', () => {
  const size = { widthPx: 24, heightPx: 16 };
  const frame = (changes: readonly (readonly [number, number, number])[] = []): Uint8Array => {
    const pixels = new Uint8Array(24 * 16 * 3).fill(100);
    for (const [x, y, value] of changes) {
      pixels.fill(value, (y * 24 + x) * 3, (y * 24 + x) * 3 + 3);
    }
    return pixels;
  };
  const block = (left: number, top: number, side: number, value: number) =>
    Array.from({ length: side * side }, (_, at): [number, number, number] => [
      left + (at % side),
      top + Math.floor(at / side),
      value,
    ]);

  test('is asked for at the centre of the change within a cell, strongest first', () => {
    const change = frameChange(
      frame(),
      frame([...block(1, 2, 3, 255), ...block(18, 9, 4, 255)]),
      size,
    );
    expect(changePoints(change, 9)).toEqual([
      [20, 11],
      [2.5, 3.5],
    ]);
    expect(changePoints(change, 1)).toEqual([[20, 11]]);
    expect(change.share).toBeCloseTo(2 / 6);
  });

  test('is not asked for beside a point that is asked anyway', () => {
    const change = frameChange(
      frame(),
      frame([...block(1, 2, 3, 255), ...block(18, 9, 4, 255)]),
      size,
    );
    expect(changePoints(change, 9, [[22, 11]], 3)).toEqual([[2.5, 3.5]]);
    expect(changePoints(change, 9, [], 30)).toEqual([[20, 11]]);
  });

  test('noise in every pixel is no change, and the picture is still', () => {
    const noisy = frame().map((value, at) => value + ((at * 7) % 23) - 11);
    const other = frame().map((value, at) => value + ((at * 5) % 9) - 4);
    expect(frameChange(noisy, other, size)).toMatchObject({ cells: [], share: 0, isStill: true });
  });

  test('a small thing on the border of four cells leaves the picture not still', () => {
    const change = frameChange(frame(), frame(block(6, 6, 3, 160)), size);
    expect(change).toMatchObject({ cells: [], share: 0, isStill: false });
  });

  test('leaves the rest of the picture still', () => {
    const change = frameChange(frame(), frame(block(6, 6, 1, 255)), size);
    expect(change.isStill).toBe(false);
    expect(change.isStillIn({ x: 0, y: 0, width: 3, height: 3 })).toBe(false);
    expect(change.isStillIn({ x: 8, y: 0, width: 16, height: 16 })).toBe(true);
    expect(change.isStillIn({ x: -9, y: 8, width: 99, height: 99 })).toBe(true);
  });

  test('cells at the edge of a picture that is no multiple of them count too', () => {
    const odd = { widthPx: 20, heightPx: 10 };
    const dark = new Uint8Array(20 * 10 * 3);
    const lit = dark.slice();
    lit.fill(255, (9 * 20 + 19) * 3);
    expect(changePoints(frameChange(dark, lit, odd), 9)).toEqual([[19.5, 9.5]]);
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
