/** Privacy masks while they are drawn. */
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { Polygon } from '../../src/ingest/privacy-masks.js';
import {
  addCorner,
  addSquare,
  closeMask,
  cornerOf,
  drawingOf,
  faultsOf,
  insertCorner,
  moveCorner,
  removeCorner,
  removeMask,
  yamlOf,
  type Drawing,
} from '../../src/sinks/dashboard/mask-edit.js';

const triangle: Polygon = [
  [0.1, 0.1],
  [0.4, 0.1],
  [0.1, 0.5],
];
const square: Polygon = [
  [0.6, 0.6],
  [0.8, 0.6],
  [0.8, 0.8],
  [0.6, 0.8],
];

describe('drawing a mask', () => {
  it('adds corners until it is closed, and cuts them off at the edge of the picture', () => {
    let drawing = drawingOf([square]);
    for (const corner of [
      [0.1, 0.1],
      [0.123456, 0.2],
    ] as const)
      drawing = addCorner(drawing, corner);
    expect(closeMask(drawing)).toBe(drawing);
    drawing = closeMask(addCorner(drawing, [-0.2, 1.4]));
    const drawn = [
      [0.1, 0.1],
      [0.1235, 0.2],
      [0, 1],
    ];
    expect(drawing).toEqual({
      masks: [square, drawn],
      open: null,
      chosen: { mask: 1, corner: 0 },
    });
  });

  it('ends at 32 corners and 16 masks', () => {
    let drawing = drawingOf([]);
    for (let index = 0; index < 40; index++)
      drawing = addCorner(drawing, [index / 40, (index * index) / 1_600]);
    expect(drawing.open).toHaveLength(32);
    let full = drawingOf([]);
    for (let index = 0; index < 20; index++) full = addSquare(full);
    expect(full.masks).toHaveLength(16);
    expect(addCorner(full, [0.5, 0.5])).toBe(full);
  });
});

describe('changing masks', () => {
  const drawing = drawingOf([triangle, square]);

  it('moves one corner and leaves all else', () => {
    const moved = moveCorner(drawing, { mask: 1, corner: 2 }, [0.9, 0.85]);
    expect(cornerOf(moved, { mask: 1, corner: 2 })).toEqual([0.9, 0.85]);
    expect(moved.masks[0]).toBe(triangle);
    expect(moved.masks[1]!.toSpliced(2, 1)).toEqual(square.toSpliced(2, 1));
  });

  it('puts a corner halfway to the next, also from the last to the first', () => {
    const more = insertCorner(drawing, { mask: 0, corner: 2 });
    expect(more.masks[0]).toEqual([...triangle, [0.1, 0.3]]);
    expect(more.chosen).toEqual({ mask: 0, corner: 3 });
  });

  it('takes corners away, and with the third to last the mask', () => {
    const three = removeCorner(drawing, { mask: 1, corner: 0 });
    expect(three.masks[1]).toEqual(square.slice(1));
    expect(removeCorner(three, { mask: 1, corner: 0 }).masks).toEqual([triangle]);
    expect(removeMask(drawing, 0).masks).toEqual([square]);
  });

  it('works on the one that is not closed yet', () => {
    const open: Drawing = addCorner(addCorner(drawing, [0.5, 0.1]), [0.6, 0.1]);
    const at = { mask: 2, corner: 1 };
    expect(moveCorner(open, at, [0.7, 0.2]).open).toEqual([
      [0.5, 0.1],
      [0.7, 0.2],
    ]);
    expect(removeCorner(removeCorner(open, at), { mask: 2, corner: 0 }).open).toBeNull();
  });
});

describe('what is said of masks', () => {
  it('is what the engine would say, with the mask it is about', () => {
    expect(faultsOf([triangle, square])).toEqual([]);
    const crossed: Polygon = [square[0]!, square[2]!, square[1]!, [0.6, 0.9]];
    expect(faultsOf([triangle, crossed])).toEqual([
      expect.stringMatching(/^Mask 2: the polygon crosses itself/),
    ]);
  });

  it('is for the configuration what YAML reads back', () => {
    expect(parse(yamlOf([triangle, square]))).toEqual({
      privacyMasks: [{ polygon: triangle }, { polygon: square }],
    });
    expect(parse(yamlOf([]))).toEqual({ privacyMasks: [] });
  });
});
