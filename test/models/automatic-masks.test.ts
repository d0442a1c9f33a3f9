import { describe, expect, test } from 'vitest';
import {
  boxIou,
  boxOf,
  filterMasks,
  measure,
  mergeCrops,
  removeSmallRegions,
  selectMasks,
  type MaskParameters,
} from '../../src/models/automatic-masks.js';

const parameters: MaskParameters = {
  predIouThresh: 0.5,
  stabilityScoreThresh: 0.8,
  stabilityScoreOffset: 1,
  boxNmsThresh: 0.5,
  cropNmsThresh: 0.5,
  minMaskRegionArea: 0,
};
const rows = 6;
const columns = 8;

/** A picture of a mask: `#` inside, anything else outside. */
function cells(...lines: readonly string[]): Uint8Array {
  return Uint8Array.from(lines.join(''), (sign) => (sign === '#' ? 1 : 0));
}

/** Logits of rectangles [left, top, right, bottom): `inside` within, -5 elsewhere. */
function logitsOf(rectangles: readonly (readonly number[])[], inside = 5): Float32Array {
  const logits = new Float32Array(rectangles.length * rows * columns).fill(-5);
  rectangles.forEach(([left = 0, top = 0, right = 0, bottom = 0], index) => {
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        logits[(index * rows + row) * columns + column] = inside;
      }
    }
  });
  return logits;
}

describe('one batch', () => {
  test('keeps predicted IoU above, not at, the threshold', () => {
    const logits = logitsOf([
      [0, 0, 4, 4],
      [0, 0, 4, 4],
      [0, 0, 4, 4],
    ]);
    const masks = filterMasks(logits, Float32Array.of(0.5, 0.75, 0.25), rows, columns, parameters);
    expect(masks.map(({ predictedIou }) => predictedIou)).toEqual([0.75]);
  });

  test('drops masks whose edge depends on the threshold, and empty ones', () => {
    const logits = new Float32Array([
      ...logitsOf([[0, 0, 4, 4]], 0.5),
      ...logitsOf([[0, 0, 0, 0]]),
      ...logitsOf([[2, 1, 5, 6]]),
    ]);
    const masks = filterMasks(logits, Float32Array.of(0.9, 0.9, 0.9), rows, columns, parameters);
    expect(masks).toHaveLength(1);
    expect(masks[0]?.box).toEqual({ left: 2, top: 1, right: 5, bottom: 6 });
    expect(masks[0]?.stability).toBe(1);
  });

  test('a threshold of 0 asks for nothing', () => {
    const open = { ...parameters, predIouThresh: 0, stabilityScoreThresh: 0 };
    const logits = logitsOf([[0, 0, 4, 4]], 0.5);
    expect(filterMasks(logits, Float32Array.of(0), rows, columns, open)).toHaveLength(1);
  });

  test('stability is the share of the loose mask that the tight one keeps', () => {
    const cells = new Uint8Array(5).fill(9);
    expect(measure(Float32Array.of(3, 2, 0.5, -0.5, -3), 1, 5, 1, cells)).toEqual({
      stability: 0.5,
      box: { left: 0, top: 0, right: 3, bottom: 1 },
    });
    expect([...cells]).toEqual([1, 1, 1, 0, 0]);
    expect(measure(Float32Array.of(-3, -3), 1, 2, 1, cells)).toEqual({ stability: NaN, box: null });
  });
});

describe('all batches', () => {
  // Three masks for each of two points, as the decoder gives them: whole, part, subpart.
  const logits = logitsOf([
    [0, 0, 4, 4],
    [0, 0, 4, 3],
    [0, 0, 1, 1],
    [5, 2, 8, 6],
    [0, 0, 4, 4],
    [5, 2, 8, 5],
  ]);
  const ious = Float32Array.of(0.7, 0.9, 0.6, 0.8, 0.95, 0.4);

  test('box NMS keeps the best predicted IoU, best first, across points', () => {
    const found = filterMasks(logits, ious, rows, columns, parameters);
    const boxes = selectMasks(found, rows, columns, parameters).map(({ box }) => box);
    expect(boxes).toEqual([
      { left: 0, top: 0, right: 4, bottom: 4 }, // 0.95; drops 0.9 (IoU 0.75) and 0.7 (IoU 1)
      { left: 5, top: 2, right: 8, bottom: 6 }, // 0.8
      { left: 0, top: 0, right: 1, bottom: 1 }, // 0.6; IoU 1/16 with the first
    ]);
  });

  test('the second NMS prefers masks that needed no clean-up', () => {
    const whole = {
      cells: cells('####....', '####....', '####....', '........', '........', '........'),
    };
    const dusty = {
      cells: cells('####...#', '####....', '####....', '####....', '........', '........'),
    };
    const masks = [
      { ...dusty, box: boxOf(dusty.cells, rows, columns)!, predictedIou: 0.9, stability: 1 },
      { ...whole, box: boxOf(whole.cells, rows, columns)!, predictedIou: 0.8, stability: 1 },
    ];
    // Their first boxes overlap by 12 / 32 only, the cleaned ones by 12 / 16.
    const kept = selectMasks(masks, rows, columns, { ...parameters, minMaskRegionArea: 2 });
    expect(kept.map(({ predictedIou }) => predictedIou)).toEqual([0.8]);
  });

  test('after the clean-up the more lenient of both NMS thresholds holds', () => {
    const lenient = { ...parameters, minMaskRegionArea: 2, cropNmsThresh: 0.8 };
    const boxes = [
      [0, 0, 4, 4],
      [0, 0, 4, 3],
    ];
    const found = filterMasks(
      logitsOf(boxes),
      Float32Array.of(0.9, 0.8),
      rows,
      columns,
      parameters,
    );
    // Overlap 12 / 16: the first NMS drops the second mask, so each comes from a crop of its own.
    const crops = found.map((mask, index) => ({ masks: [mask], area: 1 + index }));
    expect(selectMasks(found, rows, columns, lenient)).toHaveLength(1);
    expect(mergeCrops(crops, rows, columns, lenient)).toHaveLength(2);
  });

  test('of the same thing in two crops the smaller crop has the say', () => {
    const found = filterMasks(
      logitsOf([
        [0, 0, 4, 4],
        [0, 0, 4, 3],
      ]),
      Float32Array.of(0.9, 0.6),
      rows,
      columns,
      parameters,
    );
    const crops = found.map((mask, index) => ({ masks: [mask], area: 4 - index }));
    const kept = mergeCrops(crops, rows, columns, parameters);
    expect(kept.map(({ predictedIou }) => predictedIou.toFixed(1))).toEqual(['0.6']);
  });

  test('an overlap of exactly the threshold is no overlap', () => {
    expect(
      boxIou({ left: 0, top: 0, right: 2, bottom: 1 }, { left: 0, top: 0, right: 1, bottom: 1 }),
    ).toBe(0.5);
    const masks = filterMasks(
      logitsOf([
        [0, 0, 2, 1],
        [0, 0, 1, 1],
      ]),
      Float32Array.of(0.9, 0.8),
      rows,
      columns,
      parameters,
    );
    expect(selectMasks(masks, rows, columns, parameters)).toHaveLength(2);
  });
});

describe('small regions', () => {
  const mask = cells('####....', '#..#....', '####...#', '.......#', '........', '#.......');

  test('holes smaller than the area are filled', () => {
    const { cells: filled, changed } = removeSmallRegions(mask, rows, columns, 3, 'holes');
    expect(changed).toBe(true);
    expect(filled).toEqual(
      cells('####....', '####....', '####...#', '.......#', '........', '#.......'),
    );
  });

  test('islands smaller than the area are dropped', () => {
    const { cells: left } = removeSmallRegions(mask, rows, columns, 2, 'islands');
    expect(left).toEqual(
      cells('####....', '#..#....', '####...#', '.......#', '........', '........'),
    );
  });

  test('of small islands only, the largest stays', () => {
    const { cells: left } = removeSmallRegions(mask, rows, columns, 30, 'islands');
    expect(left).toEqual(
      cells('####....', '#..#....', '####....', '........', '........', '........'),
    );
  });

  test('nothing small: nothing changes', () => {
    expect(removeSmallRegions(mask, rows, columns, 1, 'islands').changed).toBe(false);
  });

  test('cells that touch at a corner are one region', () => {
    const diagonal = cells('#.......', '.#......', '..#.....', '........', '........', '........');
    expect(removeSmallRegions(diagonal, rows, columns, 3, 'islands').changed).toBe(false);
  });
});
