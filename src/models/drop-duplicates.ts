/** Two masks of one thing: only the better one becomes a detection. Pure. */
import type { Mask } from './automatic-masks.js';

/** A mask with what it shows. */
export type Candidate = Pick<Mask, 'cells' | 'box' | 'predictedIou'> & {
  /** Index of the most likely class. */
  readonly class: number;
};

/** Masks that share so much of what both cover show one thing, whatever their classes. */
const iouMax = 0.5;
/** A mask of which so much lies in another of the same class is a piece of that thing, or the thing and a bit more. */
const insideMax = 0.5;

/**
 * @param candidates in any order
 * @returns the rows that stay, ascending
 */
export function dropDuplicates(candidates: readonly Candidate[]): number[] {
  const sized = candidates.map((candidate, row) => {
    const area = areaOf(candidate.cells);
    return { ...candidate, row, area, worth: worthOf(candidate, area) };
  });
  const kept: typeof sized = [];
  for (const one of sized.sort((a, b) => b.worth - a.worth)) {
    const isAgain = kept.some((other) => {
      const shared = sharedOf(one.cells, other.cells);
      if (shared === 0) return false;
      if (shared / (one.area + other.area - shared) >= iouMax) return true;
      return one.class === other.class && shared / Math.min(one.area, other.area) >= insideMax;
    });
    if (!isAgain) kept.push(one);
  }
  return kept.map(({ row }) => row).sort((a, b) => a - b);
}

/** Stray cells far from the thing make a large and empty box; of two masks that are rated alike, the other is better. */
function worthOf({ box, predictedIou }: Candidate, area: number): number {
  const boxArea = (box.right - box.left) * (box.bottom - box.top);
  return boxArea === 0 ? 0 : predictedIou * Math.sqrt(area / boxArea);
}

function areaOf(cells: Uint8Array): number {
  let area = 0;
  for (const cell of cells) area += cell;
  return area;
}

function sharedOf(a: Uint8Array, b: Uint8Array): number {
  let shared = 0;
  for (let index = 0; index < a.length; index++) shared += (a[index] ?? 0) & (b[index] ?? 0);
  return shared;
}
