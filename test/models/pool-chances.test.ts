import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { familiarityOfWindow, poolChances, soften } from '../../src/models/pool-chances.js';

const reasoner = [0.7, 0.2, 0.1];
const outlook = [0.1, 0.8, 0.1];
const tracks = [0.4, 0.2, 0.4];
const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
const distribution = fc
  .array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map((values) => values.map((value) => value / sum(values)));

describe('the pool', () => {
  test('is the weighted mean of what is said', () => {
    const pooled = poolChances(
      { reasoner, outlook, tracks },
      { reasoner: 0.5, outlook: 0.25, tracks: 0.25 },
    );
    [0.475, 0.35, 0.175].forEach((chance, at) => expect(pooled[at]).toBeCloseTo(chance, 12));
  });

  test('of a bundle without weights is what the language model says', () => {
    expect(poolChances({ reasoner, outlook, tracks }, undefined)).toBe(reasoner);
  });

  test('shares the weight of those who are silent among the others', () => {
    const pooled = poolChances(
      { reasoner, outlook: null, tracks },
      { reasoner: 0.25, outlook: 0.5, tracks: 0.25 },
    );
    [0.55, 0.2, 0.25].forEach((chance, at) => expect(pooled[at]).toBeCloseTo(chance, 12));
    expect(
      poolChances(
        { reasoner, outlook: null, tracks: null },
        { reasoner: 0, outlook: 1, tracks: 0 },
      ),
    ).toBe(reasoner);
  });

  test('is a distribution that scores no worse than the mean score of its members', () => {
    fc.assert(
      fc.property(distribution, distribution, distribution, fc.nat(2), (a, b, c, came) => {
        const pooled = poolChances(
          { reasoner: a, outlook: b, tracks: c },
          { reasoner: 1, outlook: 1, tracks: 1 },
        );
        expect(sum(pooled)).toBeCloseTo(1, 9);
        const loss = (of: readonly number[]): number => -Math.log(of[came] ?? 0);
        expect(loss(pooled)).toBeLessThanOrEqual((loss(a) + loss(b) + loss(c)) / 3 + 1e-9);
      }),
    );
  });
});

describe('softening', () => {
  const unfamiliar = { below: 0.5, slope: 1 };

  test('leaves a familiar picture alone', () => {
    expect(soften(reasoner, 0.5, unfamiliar)).toBe(reasoner);
    expect(soften(reasoner, 0, undefined)).toBe(reasoner);
  });

  test('takes the square root of the odds where the picture is wholly strange', () => {
    const softened = soften(reasoner, 0, unfamiliar);
    expect((softened[0] ?? 0) / (softened[1] ?? 1)).toBeCloseTo(Math.sqrt(0.7 / 0.2), 9);
    expect(sum(softened)).toBeCloseTo(1, 12);
  });

  test('keeps the order, and is the less certain the stranger the picture', () => {
    fc.assert(
      fc.property(
        distribution,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (chances, familiarity) => {
          const [less, more] = [familiarity, Math.min(1, familiarity + 0.1)];
          const [strange, known] = [less, more].map((f) => soften(chances, f, unfamiliar));
          expect(Math.max(...strange!)).toBeLessThanOrEqual(Math.max(...known!) + 1e-12);
          const order = (of: readonly number[]): number[] =>
            of.map((_, at) => at).sort((a, b) => of[b]! - of[a]!);
          expect(order(strange!)).toEqual(order(chances));
        },
      ),
    );
  });
});

test('a window is as familiar as its scenes on average', () => {
  expect(familiarityOfWindow([{ familiarity: 0.2 }, { familiarity: 0.6 }])).toBeCloseTo(0.4, 12);
});
