import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brierScore, logScore } from '../../src/scores.js';
import { published, scoreForecasts } from '../../src/yard/score.js';
import type { ScoredWindow } from '../../src/yard/score.js';

const prior = [0.3, 0.3, 0.2, 0.1, 0.07, 0.03];
const certain = [0.02, 0.9, 0.04, 0.02, 0.01, 0.01];
const windows = (forecast: (window: number) => readonly number[]): ScoredWindow[] =>
  Array.from({ length: 60 }, (_, i) => {
    const bayes = i % 3 === 0 ? prior : certain;
    return { scene: Math.floor(i / 6), truth: bayes, forecast: forecast(i), prior, bayes };
  });

describe('scores', () => {
  it('give Bayes the skill 1 and the base rates the skill 0', () => {
    const bayes = scoreForecasts(windows((i) => (i % 3 === 0 ? prior : certain)));
    expect(bayes.skill).toEqual({ value: 1, interval: [1, 1] });
    expect(bayes.gain.interval[0]).toBeGreaterThan(0);
    const base = scoreForecasts(windows(() => prior));
    expect(base.skill?.value).toBe(0);
    expect(base.gain).toEqual({ value: 0, interval: [0, 0] });
  });

  it('punish false certainty, with an interval that says so', () => {
    const wrong = scoreForecasts(windows(() => [0, 0, 0, 0, 0, 1]));
    expect(wrong.skill?.interval[1]).toBeLessThan(0);
  });

  it('are the plain formulas', () => {
    expect(logScore([0.25, 0.75], 1)).toBeCloseTo(-Math.log(0.75), 12);
    expect(logScore([0.25, 0.75], [0.5, 0.5])).toBeCloseTo(
      -(Math.log(0.25) + Math.log(0.75)) / 2,
      12,
    );
    expect(brierScore([0.25, 0.75], 1)).toBeCloseTo(0.125, 12);
    expect(brierScore([0.25, 0.75], [0.5, 0.5])).toBeCloseTo((0.125 + 1.125) / 2, 12);
  });

  it('refuse nothing to score, and Bayes for some windows only', () => {
    expect(() => scoreForecasts([])).toThrow(RangeError);
    const mixed = windows(() => prior).map(({ bayes, ...window }, i) =>
      i === 0 || !bayes ? window : { ...window, bayes },
    );
    expect(() => scoreForecasts(mixed)).toThrow('59 of 60');
  });
});

describe('what a forecast publishes', () => {
  it('names nothing and three events and spreads the rest by the base rates', () => {
    const spread = published([0.1, 0.4, 0.2, 0.15, 0.14, 0.01], prior);
    [0.1, 0.4, 0.2, 0.15].forEach((share, label) => {
      expect(spread[label]).toBeCloseTo(share, 9);
    });
    expect(spread[4]).toBeCloseTo(0.105, 9);
    expect(spread[5]).toBeCloseTo(0.045, 9);
  });

  it('takes "something else" as given', () => {
    expect(published([0.1, 0.4, 0.2, 0.1, 0, 0], prior, 0.2)[5]).toBeCloseTo(0.06, 9);
  });

  it('is a distribution, above the floor, whatever is forecast', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 6, maxLength: 6 }), (raw) => {
        const total = raw.reduce((a, b) => a + b, 0);
        fc.pre(total > 0.01);
        const spread = published(
          raw.map((value) => value / total),
          prior,
        );
        expect(spread.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...spread)).toBeGreaterThan(0.9e-4);
      }),
    );
  });
});
