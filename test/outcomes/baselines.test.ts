import { describe, expect, test } from 'vitest';
import { Baselines, marksOf } from '../../src/outcomes/baselines.js';
import { labels } from '../support/fakes.js';

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

describe('the base rate of a camera', () => {
  test('begins as the bundle has it', () => {
    const { baseRate, persistence } = new Baselines(labels).now();
    labels.forEach(({ baseRate: rate }, at) => expect(baseRate[at]).toBeCloseTo(rate, 9));
    expect(persistence).toEqual(baseRate);
  });

  test('goes over to what came here: after 20 outcomes both weigh alike', () => {
    const baselines = new Baselines(labels);
    for (let at = 0; at < 20; at++) baselines.noteOutcome('box falls');
    const { baseRate } = baselines.now();
    expect(baseRate[5]).toBeCloseTo((20 + 20 * 0.01) / 40, 9);
    expect(baseRate[0]).toBeCloseTo(0.2, 9);
    expect(sum(baseRate)).toBeCloseTo(1, 9);
  });

  test('counts «nothing» under the word that messages have for it, and no label that it does not know', () => {
    const baselines = new Baselines(labels);
    baselines.noteOutcome('nothing');
    baselines.noteOutcome('dog barks');
    expect(baselines.now().baseRate[0]).toBeCloseTo((1 + 20 * 0.4) / 21, 9);
  });

  test('never falls to zero', () => {
    const baselines = new Baselines(
      labels.map((label, at) => ({ ...label, baseRate: Number(at === 0) })),
    );
    expect(Math.min(...baselines.now().baseRate)).toBeGreaterThan(5e-5);
  });
});

describe('persistence', () => {
  test('gives half to the label of the newest event', () => {
    const baselines = new Baselines(labels);
    baselines.noteEvent(3, 1000);
    baselines.noteEvent(2, 2000);
    baselines.noteEvent(1, 1500);
    expect(baselines.now().persistence[2]).toBeCloseTo(0.5 + 0.5 * 0.15, 9);
    expect(sum(baselines.now().persistence)).toBeCloseTo(1, 9);
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
