import { describe, expect, test } from 'vitest';
import {
  ComparedOutcomes,
  verdictOf,
  type Published,
} from '../../src/yard/scoring/compare-outcomes.js';
import { fakeForecast, labels } from '../support/fakes.js';
import { outcome } from '../support/messages.js';

/** A draw that is the same each time. */
const drawn = (at: number): number => ((at * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;

/** Windows every 20 s; the van comes in 60 of 100. */
function published(vanEnters: number, came: (at: number) => string | null, count = 300): Published {
  const to = (at: number): string => new Date(at * 20_000).toISOString();
  const forecasts = Array.from({ length: count }, (_, at) => {
    const left = (1 - vanEnters) / 0.5;
    const chances = [0.2 * left, vanEnters, 0.15 * left, 0.1 * left, 0.04 * left, 0.01 * left];
    const forecast = fakeForecast(chances, 2, at);
    return { ...forecast, window: { ...forecast.window, to: to(at) } };
  });
  const outcomes = forecasts.map(({ id }, at) => outcome(at, { id, observed: came(at) }));
  return { forecasts, outcomes };
}
const truth = (at: number): string => (drawn(at) < 0.6 ? 'van enters' : 'nothing');
const compared = (a: Published, b: Published): ComparedOutcomes => {
  const sums = new ComparedOutcomes({ a: labels, b: labels }, { resamples: 300 });
  sums.add({ a, b });
  return sums;
};

describe('two bundles', () => {
  test('of which one is right are told apart, by either judge', () => {
    const sums = compared(published(0.6, truth), published(0.2, truth));
    for (const judge of ['a', 'b'] as const) {
      const marks = sums.judgedBy(judge);
      expect(marks?.windows).toBe(300);
      expect(marks?.logScoreGain.interval[0]).toBeGreaterThan(0);
      expect(verdictOf(marks!.logScoreGain, 300)).toMatch(
        /^A is better: log score lower by 0\.\d+ \[/,
      );
    }
  });

  test('that differ by nothing that the windows could tell are not', () => {
    const sums = compared(published(0.6, truth), published(0.61, truth));
    const gain = sums.judgedBy('a')!.logScoreGain;
    expect(verdictOf(gain, 300)).toMatch(/^no difference can be told/);
    const same = compared(published(0.6, truth), published(0.6, truth)).judgedBy('a');
    expect(same?.logScoreGain).toEqual({ value: 0, interval: [0, 0] });
  });

  test('are each marked by what the judge saw, on the windows that both could decide', () => {
    const blind = (at: number): string | null => (at % 3 === 0 ? null : truth(at));
    const never = (): string => 'nothing';
    const sums = compared(published(0.6, blind), published(0.2, never));
    expect(sums.judgedBy('a')?.windows).toBe(200);
    expect(sums.judgedBy('b')?.windows).toBe(200);
    expect(sums.judgedBy('a')!.logScoreGain.value).toBeGreaterThan(0);
    expect(sums.judgedBy('b')!.logScoreGain.value).toBeLessThan(0);
    expect(verdictOf(sums.judgedBy('b')!.logScoreGain, 200)).toMatch(/^B is better/);
    const swapped = compared(published(0.2, never), published(0.6, blind));
    for (const judge of ['a', 'b'] as const) expect(swapped.judgedBy(judge)?.windows).toBe(200);
  });

  test('of a handful of scenes are told to be no more than that', () => {
    const gain = { value: 0.2, interval: [0.1, 0.3] } as const;
    expect(verdictOf(gain, 16, 2)).toBe(
      'A is better: log score lower by 0.200 [0.100, 0.300] on 16 windows, of 2 scenes alone: the interval is too narrow',
    );
    expect(verdictOf(gain, 16, 6)).not.toContain('narrow');
  });

  test('that never decided anything have no marks', () => {
    const nothing = published(0.6, () => null);
    expect(compared(nothing, nothing).judgedBy('a')).toBeNull();
  });
});
