import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from '../../src/yard/scoring/assignment.js';

const gainOf = (gains: readonly number[][], columns: readonly (number | null)[]): number =>
  columns.reduce<number>(
    (sum, column, row) => sum + (column === null ? 0 : (gains[row]?.[column] ?? NaN)),
    0,
  );

/** Tries every way: each row goes with none or with one of the columns that are left. */
function bestGain(gains: readonly number[][], row = 0, taken: readonly number[] = []): number {
  if (row === gains.length) return 0;
  const without = bestGain(gains, row + 1, taken);
  return (gains[row] ?? [])
    .map((gain, column) =>
      taken.includes(column) ? 0 : gain + bestGain(gains, row + 1, [...taken, column]),
    )
    .reduce((a, b) => Math.max(a, b), without);
}

const tables = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: rows, maxLength: rows },
    ),
  );

describe('assign', () => {
  it('gains as much as the best of all ways, and gives no column twice', () => {
    fc.assert(
      fc.property(tables, (gains) => {
        const columns = assign(gains);
        const given = columns.filter((column) => column !== null);
        expect(columns).toHaveLength(gains.length);
        expect(new Set(given).size).toBe(given.length);
        expect(gainOf(gains, columns)).toBe(bestGain(gains));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves alone what gains nothing, and has an answer where there is nothing', () => {
    expect(assign([[0, 0]])).toEqual([null]);
    expect(assign([])).toEqual([]);
    expect(assign([[], []])).toEqual([null, null]);
  });

  it('gives the nearest away where that pays', () => {
    const greedyWouldGain10 = [
      [9, 8],
      [8, 1],
    ];
    expect(assign(greedyWouldGain10)).toEqual([1, 0]);
  });
});
