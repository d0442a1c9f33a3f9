import { describe, expect, it } from 'vitest';
import { openBundle } from '../../src/models/bundle.js';
import { seededRandom } from '../../src/models/seeded-random.js';
import { applyRecalibration, bundlesOwn } from '../../src/outcomes/recalibration.js';
import { bundleDirOf } from '../../src/places.js';
import {
  watchYardShift,
  type WatchedForecast,
  type WatchedYard,
} from '../../src/yard/data/shifted-yard.js';
import { openScene } from '../../src/yard/data/splits.js';
import { proofOf } from '../../src/yard/scoring/recalibration-proof.js';
import { yardLabels } from '../../src/yard/world/labels.js';
import { rules } from '../../src/yard/world/rules.js';
import { shifts, shiftWorld } from '../../src/yard/world/shift.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('a shift of the rules', () => {
  const world = openScene('test', 1, 0);

  it('changes what it says, and leaves the world that it was made from as it is', () => {
    const [quiet, hasty, careless] = (['quiet', 'hasty', 'careless'] as const).map(
      (shift) => shiftWorld(world, shift).place,
    );
    expect(quiet?.rates.person).toBeCloseTo(world.place.rates.person / 4, 12);
    expect(quiet?.rules).toEqual(rules);
    expect(hasty?.rules.light).toMatchObject({ waitS: 1, redS: 2.25, changesPerS: 10 });
    expect(hasty?.rules.lawn.childRunsPerS).toEqual({ free: 1.4, danger: 0.2 });
    expect(hasty?.rules.gate.stops, 'a chance is no time').toEqual(rules.gate.stops);
    expect(hasty?.rules.dock.leans).toEqual(rules.dock.leans);
    expect(careless?.rules.gate.stops.known).toBeLessThan(0.5);
    expect(world.place.rules).toEqual(rules);
  });

  it('goes on from the same moment; where nothing changes, with the same future', () => {
    for (const shift of shifts) {
      const [same, shifted] = [world.clone(world.seed), shiftWorld(world, shift)];
      expect(shifted.tick).toBe(world.tick);
      for (let tick = 0; tick < 16 * 120; tick++) {
        same.step();
        shifted.step();
      }
      const isSame = JSON.stringify(shifted.events) === JSON.stringify(same.events);
      expect(isSame, shift).toBe(shift === 'none');
    }
  });
});

describe('a watched yard', () => {
  it('tells of each forecast what came, and pBayes by the rules of that moment', async () => {
    const { manifest } = await openBundle(bundleDirOf({ bundle: 'yard' }));
    const even = yardLabels.map(() => 1 / yardLabels.length);
    const { before, after } = await watchYardShift({
      ...{ split: 'test', seed: 1, scene: 0, forecastsBefore: 20, forecastsAfter: 120, manifest },
      ...{ shifts: ['none', 'quiet'], futures: 16, bayesEvery: 2 },
      forecast: (window) => {
        expect(window.length).toBeLessThanOrEqual(manifest.geometry.clipsPerWindow);
        return Promise.resolve(even);
      },
    });
    expect(before.map(({ windowToMs }) => windowToMs).slice(0, 2)).toEqual([2000, 4000]);
    expect(after.none?.[0]?.windowToMs).toBe(42_000);
    const [none, quiet] = [after.none ?? [], after.quiet ?? []];
    for (const { bayes } of none) if (bayes) expect(sum(bayes)).toBeCloseTo(1, 9);
    expect(none.filter(({ bayes }) => bayes !== null)).toHaveLength(60);
    // Where a quarter comes, nothing comes more often, and pBayes knows it.
    const quietOf = (some: readonly WatchedForecast[]): number =>
      some.filter(({ came }) => came === 0).length;
    const saidOf = (some: readonly WatchedForecast[]): number =>
      sum(some.map(({ bayes }) => bayes?.[0] ?? 0));
    expect(quietOf(quiet)).toBeGreaterThan(quietOf(none));
    expect(saidOf(quiet)).toBeGreaterThan(saidOf(none));
  });
});

/** A yard whose forecaster says what is true until the shift, and from then on what is off by `bias`. */
function yardOf(seed: number, bias: number): WatchedYard {
  const random = seededRandom(seed);
  const forecastsOf = (count: number, by: number, fromMs: number): WatchedForecast[] =>
    Array.from({ length: count }, (_, index) => {
      // Nothing is mostly the likeliest, so that its gap and that of the events fall into bins of their own.
      const weights = [5, 1, 1, 1, 1].map((factor) => -factor * Math.log(1 - random()));
      const chances = weights.map((weight) => weight / sum(weights));
      const [nothing = 0, ...rest] = chances;
      const own = { events: rest, nothing, somethingElse: 0 };
      const now = applyRecalibration(own, { temperature: 1, nothingBias: by });
      const bayes = [now.nothing, ...now.events];
      let draw = random();
      const came = Math.max(
        0,
        bayes.findIndex((chance) => (draw -= chance) < 0),
      );
      return { windowToMs: fromMs + index * 2000, chances, came, bayes };
    });
  const before = forecastsOf(600, bundlesOwn.nothingBias, 0);
  return { template: 'test', before, after: { quiet: forecastsOf(900, bias, 600 * 2000) } };
}

describe('the proof', () => {
  it('finds the error that a shift makes, and that less than half of it is left', () => {
    const yards = Array.from({ length: 4 }, (_, seed) => yardOf(seed, 1));
    const { before, own, recalibrated, ratio, rise } = proofOf(yards, 'quiet', 500);
    expect(before.value).toBeLessThan(0.01);
    expect(own.value).toBeGreaterThan(0.03);
    expect(recalibrated.value).toBeLessThan(own.value / 2);
    expect(ratio.value).toBeCloseTo(recalibrated.value / own.value, 9);
    expect(ratio.interval[0]).toBeLessThanOrEqual(ratio.value);
    expect(ratio.interval[1]).toBeLessThan(0.5);
    expect(rise.interval[1]).toBeLessThan(0);
  });

  it('finds that nothing rises where nothing shifts', () => {
    const yards = Array.from({ length: 4 }, (_, seed) => yardOf(seed, 0));
    expect(proofOf(yards, 'quiet', 500).rise.interval[1]).toBeLessThan(0.01);
  });
});
