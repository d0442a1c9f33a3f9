import { expect, test } from 'vitest';
import { dropDuplicates, type Candidate } from '../../src/models/drop-duplicates.js';

const columns = 20;

/** A mask of whole rectangles (left, top, right, bottom) on a grid of 10 x 20. */
function mask(
  rectangles: readonly (readonly [number, number, number, number])[],
  predictedIou = 0.8,
  of = 1,
): Candidate {
  const cells = new Uint8Array(10 * columns);
  for (const [left, top, right, bottom] of rectangles)
    for (let y = top; y < bottom; y++) cells.fill(1, y * columns + left, y * columns + right);
  const ends = (index: 0 | 1 | 2 | 3) => rectangles.map((rectangle) => rectangle[index]);
  const box = {
    left: Math.min(...ends(0)),
    top: Math.min(...ends(1)),
    right: Math.max(...ends(2)),
    bottom: Math.max(...ends(3)),
  };
  return { cells, box, predictedIou, class: of };
}

test('of two masks of one thing the better stays, whatever their classes', () => {
  expect(dropDuplicates([mask([[2, 2, 8, 8]], 0.8, 1), mask([[2, 2, 8, 7]], 0.9, 2)])).toEqual([1]);
});

test('a piece of a thing is not another thing', () => {
  expect(dropDuplicates([mask([[2, 2, 8, 8]], 0.8), mask([[3, 3, 5, 5]], 0.7)])).toEqual([0]);
});

test('a thing of another class in front of one is another thing', () => {
  const both = [mask([[2, 2, 8, 8]], 0.8, 1), mask([[3, 3, 5, 5]], 0.7, 2)];
  expect(dropDuplicates(both)).toEqual([0, 1]);
});

test('two things of one class side by side are two', () => {
  expect(dropDuplicates([mask([[2, 2, 6, 8]]), mask([[6, 2, 10, 8]])])).toEqual([0, 1]);
});

test('stray cells far away make the worse mask, though it is rated better', () => {
  const stray = mask(
    [
      [2, 2, 6, 6],
      [18, 9, 19, 10],
    ],
    0.9,
  );
  expect(dropDuplicates([stray, mask([[2, 2, 6, 6]], 0.8)])).toEqual([1]);
});

test('rows come in their own order', () => {
  const apart = [0, 5, 10, 15].map((left) => mask([[left, 0, left + 3, 3]], 0.5 + left / 100));
  expect(dropDuplicates(apart)).toEqual([0, 1, 2, 3]);
});
