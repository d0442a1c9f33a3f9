import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from '../../src/models/assign.js';

type Costs = readonly (readonly number[])[];

function totalOf(costs: Costs, alone: number, columns: readonly (number | null)[]): number {
  return columns.reduce<number>(
    (sum, column, row) => sum + (column === null ? alone : (costs[row]?.[column] ?? Infinity)),
    0,
  );
}

/** Tries every way. */
function leastOf(
  costs: Costs,
  alone: number,
  row = 0,
  taken: ReadonlySet<number> = new Set(),
): number {
  const here = costs[row];
  if (here === undefined) return 0;
  let least = alone + leastOf(costs, alone, row + 1, taken);
  here.forEach((cost, column) => {
    if (taken.has(column)) return;
    least = Math.min(least, cost + leastOf(costs, alone, row + 1, new Set([...taken, column])));
  });
  return least;
}

const matrices = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
  .chain(([rows, columns]) => {
    const cost = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -20, max: 20 }) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    const row = fc.array(cost, { minLength: columns, maxLength: columns });
    return fc.array(row, { minLength: rows, maxLength: rows });
  });

describe('the assignment', () => {
  test('costs no more than any other, as brute force finds', () => {
    fc.assert(
      fc.property(matrices, fc.integer({ min: -10, max: 25 }), (costs, alone) => {
        const columns = assign(costs, alone);
        expect(columns).toHaveLength(costs.length);
        const given = columns.filter((column) => column !== null);
        expect(new Set(given).size).toBe(given.length);
        expect(totalOf(costs, alone, columns)).toBe(leastOf(costs, alone));
      }),
      { numRuns: 500 },
    );
  });

  test('takes the second best for one where that is best for all', () => {
    expect(
      assign(
        [
          [1, 2],
          [1, 9],
        ],
        20,
      ),
    ).toEqual([1, 0]);
  });

  test('leaves alone what costs more than to be alone', () => {
    expect(assign([[5], [3]], 4)).toEqual([null, 0]);
    expect(assign([[Infinity]], 4)).toEqual([null]);
  });

  test('of nothing is nothing', () => {
    expect(assign([], 1)).toEqual([]);
    expect(assign([[], []], 1)).toEqual([null, null]);
  });
});
