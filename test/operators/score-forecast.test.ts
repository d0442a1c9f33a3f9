import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostFrequent, spreadForecast } from '../../src/operators/score-forecast.js';
import { brierScore, logScore } from '../../src/scores.js';
import { fakeForecast, labels } from '../support/fakes.js';

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

describe('scores', () => {
  it('spreads «something else» over the unnamed labels in proportion to their base rates', () => {
    // nothing 0.2, van enters 0.5, gate opens 0.15, van leaves 0.1; 0.05 for two labels with rates 0.04 and 0.01.
    const chances = spreadForecast(fakeForecast([0.2, 0.5, 0.15, 0.1, 0.03, 0.02]), labels);
    [0.2, 0.5, 0.15, 0.1, 0.04, 0.01].forEach((chance, index) => {
      expect(chances[index]).toBeCloseTo(chance, 9);
    });
  });

  it('gives no label less than the floor', () => {
    const chances = spreadForecast(fakeForecast([0, 1, 0, 0, 0, 0]), labels);
    expect(logScore(chances, 5)).toBeCloseTo(-Math.log(1e-4 / (1 + 5e-4)), 6);
    expect(sum(chances)).toBeCloseTo(1, 9);
  });

  it('knows the perfect and the worst forecast', () => {
    expect(brierScore([0, 1, 0], 1)).toBe(0);
    expect(brierScore([0, 1, 0], 2)).toBe(2);
    expect(logScore([0, 1, 0], 1)).toBeCloseTo(0);
  });

  it('names the label with the largest base rate', () => {
    expect(mostFrequent(labels)).toBe(0);
    expect(mostFrequent(labels.slice(1))).toBe(0);
  });

  it('always makes a distribution', () => {
    const weights = fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), {
      minLength: labels.length,
      maxLength: labels.length,
    });
    fc.assert(
      fc.property(weights, (raw) => {
        const chances = spreadForecast(
          fakeForecast(raw.map((weight) => weight / sum(raw))),
          labels,
        );
        expect(sum(chances)).toBeCloseTo(1, 9);
        expect(Math.min(...chances)).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });
});
