import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followTable, withinChances } from '../../src/outcomes/within.js';

const labels = ['nothing', 'van stops', 'gate opens', 'dog barks'].map((text) => ({ text }));
const follow = {
  brings: { 'van stops': { 'gate opens': 0.8 } },
  left: { 'gate opens': 0.1, 'dog barks': 0.5 },
};
const table = followTable({ calibration: { follow }, manifest: { labels } });

/** Chances of what begins first, for as many labels. */
const distributions = (count: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: count, maxLength: count })
    .filter((weights) => weights.some((weight) => weight > 1e-3))
    .map((weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.map((weight) => weight / total);
    });

describe('withinChances', () => {
  it('adds what the first event brings about, and what would have come anyway in the time that is left', () => {
    const [nothing, stops, opens, barks] = [0.2, 0.5, 0.1, 0.2];
    const { chances } = withinChances([nothing, stops, opens, barks], table);
    const hazard = -Math.log(nothing) / (1 - nothing);
    const away = (left: number, first: number): number => Math.exp(-left * hazard * first);
    expect(chances[0]).toBe(nothing);
    expect(chances[1]).toBeCloseTo(stops, 12);
    expect(chances[2]).toBeCloseTo(
      opens + stops * (1 - 0.2 * away(0.1, opens)) + barks * (1 - away(0.1, opens)),
      12,
    );
    expect(chances[3]).toBeCloseTo(barks + (stops + opens) * (1 - away(0.5, barks)), 12);
  });

  it('of a bundle without a table are those of constant hazards', () => {
    // Two hazards of 0.3 and 0.9 in a horizon, as one sees them by what comes first.
    const nothing = Math.exp(-1.2);
    const first = [nothing, ((1 - nothing) * 0.3) / 1.2, ((1 - nothing) * 0.9) / 1.2, 0];
    const { chances, anyOf } = withinChances(first, null);
    expect(chances[1]).toBeCloseTo(1 - Math.exp(-0.3), 12);
    expect(chances[2]).toBeCloseTo(1 - Math.exp(-0.9), 12);
    expect(chances[3]).toBe(0);
    expect(anyOf(new Set([1, 2]))).toBeCloseTo(1 - nothing, 12);
  });

  it('lie between what comes first and anything at all, with a table and without', () => {
    fc.assert(
      fc.property(distributions(4), fc.boolean(), (first, hasTable) => {
        const { chances, anyOf } = withinChances(first, hasTable ? table : null);
        const some = 1 - (first[0] ?? 0);
        chances.slice(1).forEach((chance, index) => {
          expect(chance).toBeGreaterThanOrEqual((first[index + 1] ?? 0) - 1e-3);
          expect(chance).toBeLessThanOrEqual(some + 1e-9);
          // One alone is the same asked in either way.
          expect(anyOf(new Set([index + 1]))).toBeCloseTo(chance, 9);
        });
        expect(anyOf(new Set())).toBeCloseTo(0, 12);
        if (hasTable) expect(anyOf(new Set([1, 2, 3]))).toBeCloseTo(some, 9);
        const several = anyOf(new Set([1, 3]));
        expect(several).toBeGreaterThanOrEqual(Math.max(chances[1] ?? 0, chances[3] ?? 0) - 1e-9);
        expect(several).toBeLessThanOrEqual((chances[1] ?? 0) + (chances[3] ?? 0) + 1e-9);
      }),
    );
  });

  it('stay finite where nothing, or something, is certain', () => {
    for (const hasTable of [null, table!]) {
      expect(withinChances([1, 0, 0, 0], hasTable).chances).toEqual([1, 0, 0, 0]);
      const certain = withinChances([0, 1, 0, 0], hasTable).chances;
      expect(certain[1]).toBeGreaterThan(0.999);
      expect(certain.every((chance) => chance >= 0 && chance <= 1)).toBe(true);
    }
  });

  it('know no table where the calibration has none', () => {
    expect(followTable({ calibration: {}, manifest: { labels } })).toBeNull();
  });
});
