import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Baselines, marksOf } from '../../src/outcomes/baselines.js';
import { labels } from '../support/fakes.js';

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

describe('the base rate of a camera', () => {
  test('begins as the bundle has it', () => {
    const { baseRate, persistence } = new Baselines(labels).at(Infinity);
    labels.forEach(({ baseRate: rate }, at) => expect(baseRate[at]).toBeCloseTo(rate, 9));
    expect(persistence).toEqual(baseRate);
  });

  test('goes over to what came here: after 20 outcomes both weigh alike', () => {
    const baselines = new Baselines(labels);
    for (let at = 0; at < 20; at++) baselines.noteOutcome('box falls');
    const { baseRate } = baselines.at(Infinity);
    expect(baseRate[5]).toBeCloseTo((20 + 20 * 0.01) / 40, 9);
    expect(baseRate[0]).toBeCloseTo(0.2, 9);
    expect(sum(baseRate)).toBeCloseTo(1, 9);
  });

  test('counts «nothing» under the word that messages have for it, and no label that it does not know', () => {
    const baselines = new Baselines(labels);
    baselines.noteOutcome('nothing');
    baselines.noteOutcome('dog barks');
    expect(baselines.at(Infinity).baseRate[0]).toBeCloseTo((1 + 20 * 0.4) / 21, 9);
  });

  test('never falls to zero', () => {
    const baselines = new Baselines(
      labels.map((label, at) => ({ ...label, baseRate: Number(at === 0) })),
    );
    expect(Math.min(...baselines.at(Infinity).baseRate)).toBeGreaterThan(5e-5);
  });
});

describe('persistence', () => {
  test('gives half to the label of the newest event', () => {
    const baselines = new Baselines(labels);
    baselines.noteEvent(3, 1000);
    baselines.noteEvent(2, 2000);
    baselines.noteEvent(1, 1500);
    expect(baselines.at(Infinity).persistence[2]).toBeCloseTo(0.5 + 0.5 * 0.15, 9);
    expect(sum(baselines.at(Infinity).persistence)).toBeCloseTo(1, 9);
  });

  test('knows nothing of what began after the window, whatever was noted, in any order', () => {
    const noted = fc.array(fc.record({ label: fc.nat(5), onsetMs: fc.nat(100) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(noted, fc.nat(100), (events, windowEndMs) => {
        const [all, known] = [new Baselines(labels), new Baselines(labels)];
        for (const { label, onsetMs } of events) {
          all.noteEvent(label, onsetMs);
          if (onsetMs < windowEndMs) known.noteEvent(label, onsetMs);
        }
        const { baseRate, persistence } = all.at(windowEndMs);
        expect(persistence).toEqual(known.at(Infinity).persistence);
        expect(sum(persistence)).toBeCloseTo(1, 9);
        const lastMs = Math.max(
          ...events
            .filter((it) => it.label > 0 && it.onsetMs < windowEndMs)
            .map((it) => it.onsetMs),
        );
        const raised = persistence.findIndex((chance, at) => chance > (baseRate[at] ?? 1));
        if (lastMs === -Infinity) expect(raised).toBe(-1);
        else expect(events).toContainEqual({ label: raised, onsetMs: lastMs });
      }),
    );
  });

  test('keeps a bounded number of events: the newest', () => {
    const baselines = new Baselines(labels);
    baselines.noteEvent(3, 0);
    for (let at = 1; at <= 10_000; at++) baselines.noteEvent(2, at);
    const { baseRate, persistence } = baselines.at(1);
    expect(persistence).toEqual(baseRate);
    expect(baselines.at(10_000).persistence[2]).toBeCloseTo(0.5 + 0.5 * 0.15, 9);
  });
});

test('marks are those of every other forecaster', () => {
  const chances = { baseRate: [0.6, 0.4], persistence: [0.1, 0.9] };
  const { baseRate, persistence } = marksOf(chances, 1);
  expect(baseRate).toMatchObject({ logScore: -Math.log(0.4), hit: false });
  expect(persistence).toMatchObject({ logScore: -Math.log(0.9), hit: true });
  expect([baseRate.brier, persistence.brier]).toEqual(
    [0.72, 0.02].map((it) => expect.closeTo(it, 9) as number),
  );
});
