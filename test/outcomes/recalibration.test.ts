import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/messages.js';
import { seededRandom, type Random } from '../../src/models/seeded-random.js';
import {
  applyRecalibration,
  bundlesOwn,
  defaultFit,
  evidence,
  evidenceOf,
  fitRecalibration,
  invertRecalibration,
  nextRecalibration,
  recalibrationBounds,
  type Cells,
  type Evidence,
  type RecalibrationValues,
} from '../../src/outcomes/recalibration.js';

const listOf = ({ events, nothing, somethingElse }: Cells): number[] => [
  ...events,
  nothing,
  somethingElse,
];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const cells = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 })
  .map((weights): Cells => {
    const [nothing = 0, somethingElse = 0, ...events] = weights.map((it) => it / sum(weights));
    return { events: events.sort((a, b) => b - a), nothing, somethingElse };
  });
const values = fc.record({
  temperature: fc.double({ min: 0.5, max: 3, noNaN: true }),
  nothingBias: fc.double({ min: -2, max: 2, noNaN: true }),
});

describe('the map on the published cells', () => {
  it('is a distribution, keeps the order of the events, and comes back', () => {
    fc.assert(
      fc.property(cells, values, (own, learned) => {
        const published = applyRecalibration(own, learned);
        expect(sum(listOf(published))).toBeCloseTo(1, 12);
        expect([...published.events].sort((a, b) => b - a)).toEqual(published.events);
        const back = listOf(invertRecalibration(published, learned));
        listOf(own).forEach((chance, index) => expect(back[index]).toBeCloseTo(chance, 9));
      }),
    );
  });

  it('lifts nothing with the bias, flattens with the temperature, and leaves an impossible cell impossible', () => {
    const own = { events: [0.4, 0.2, 0], nothing: 0.3, somethingElse: 0.1 };
    expect(applyRecalibration(own, { temperature: 1, nothingBias: 1 }).nothing).toBeGreaterThan(
      0.3,
    );
    const flat = applyRecalibration(own, { temperature: 2, nothingBias: 0 });
    expect(flat.events[0]).toBeLessThan(0.4);
    expect(flat.events[2]).toBe(0);
    expect(listOf(applyRecalibration(own, bundlesOwn))).toEqual(listOf(own));
  });
});

const horizonMs = 4_000;

/** Outcomes of a bundle whose chances are true once `truth` is applied to them. */
function heardOf(count: number, truth: RecalibrationValues, random: Random): Evidence[] {
  return Array.from({ length: count }, (_, index) => {
    const weights = Array.from({ length: 5 }, () => -Math.log(1 - random()));
    const [nothing = 0, somethingElse = 0, ...rest] = weights.map((it) => it / sum(weights));
    const own = { events: rest.sort((a, b) => b - a), nothing, somethingElse };
    let draw = random();
    const came = listOf(applyRecalibration(own, truth)).findIndex((chance) => (draw -= chance) < 0);
    return evidence(own, came < 0 ? 4 : came, { windowToMs: index * horizonMs, horizonMs });
  });
}

const long = { ...defaultFit, outcomesMax: Infinity, halfLife: Infinity };

describe('the fit', () => {
  it('finds a known temperature and bias', () => {
    for (const truth of [
      { temperature: 1.6, nothingBias: 0.9 },
      { temperature: 0.7, nothingBias: -0.8 },
    ]) {
      const fit = fitRecalibration(heardOf(6_000, truth, seededRandom(1)), long);
      expect(fit.temperature).toBeCloseTo(truth.temperature, 1);
      expect(Math.abs(fit.nothingBias - truth.nothingBias)).toBeLessThan(0.1);
      expect(fit).toMatchObject({ outcomes: 6_000, weight: 6_000 });
    }
  });

  it('is the bundle’s own where nothing was heard, and near it where little was', () => {
    expect(fitRecalibration([], long)).toMatchObject(bundlesOwn);
    const [first] = heardOf(1, bundlesOwn, seededRandom(2));
    const fit = fitRecalibration(first ? [first] : [], long);
    expect(Math.abs(Math.log(fit.temperature))).toBeLessThan(0.15);
    expect(Math.abs(fit.nothingBias)).toBeLessThan(0.5);
  });

  it('stays within its bounds, whatever is heard, and is the same each time', () => {
    const anyEvidence = fc
      .tuple(cells, fc.integer({ min: 0, max: 4 }))
      .map(([own, came]) => ({ own, came }));
    fc.assert(
      fc.property(fc.array(anyEvidence, { minLength: 1, maxLength: 5 }), (some) => {
        const heard = Array.from({ length: 400 }, (_, index) => {
          const { own, came } = some[index % some.length] ?? { own: undefined, came: 0 };
          if (!own) throw new Error('There is always one.');
          return evidence(own, came, { windowToMs: index * horizonMs, horizonMs });
        });
        const fit = fitRecalibration(heard, long);
        const [coldest, hottest] = recalibrationBounds.temperature;
        expect(fit.temperature).toBeGreaterThanOrEqual(coldest);
        expect(fit.temperature).toBeLessThanOrEqual(hottest);
        expect(Math.abs(fit.nothingBias)).toBeLessThanOrEqual(2);
        expect(fitRecalibration(heard, long)).toEqual(fit);
      }),
      { numRuns: 50 },
    );
  });

  it('goes to the bound where nothing alone ever comes', () => {
    const own = { events: [0.5, 0.2, 0.1], nothing: 0.1, somethingElse: 0.1 };
    const heard = Array.from({ length: 2_000 }, (_, index) =>
      evidence(own, 3, { windowToMs: index * horizonMs, horizonMs }),
    );
    expect(fitRecalibration(heard, long).nothingBias).toBe(2);
  });

  it('counts overlapping outcomes by the time that is new in them', () => {
    const heard = heardOf(101, bundlesOwn, seededRandom(3)).map((it, index) => ({
      ...it,
      windowToMs: index * 2_000,
    }));
    expect(fitRecalibration(heard, long).weight).toBeCloseTo(51, 9);
    expect(fitRecalibration(heard, { ...long, outcomesMax: 50 }).weight).toBeCloseTo(25, 9);
  });

  it('forgets: what was true long ago weighs little', () => {
    const random = seededRandom(4);
    const before = heardOf(1_000, { temperature: 1, nothingBias: -1.2 }, random);
    const after = heardOf(1_000, { temperature: 1, nothingBias: 1.2 }, random);
    const fit = fitRecalibration([...before, ...after], { ...long, halfLife: 200 });
    expect(fit.nothingBias).toBeGreaterThan(0.9);
  });
});

describe('what is in force', () => {
  it('stays at the bundle’s own where its chances are true, in all but few of many tries', () => {
    const left = Array.from({ length: 200 }, (_, seed) =>
      nextRecalibration(heardOf(500, bundlesOwn, seededRandom(seed)), bundlesOwn, defaultFit),
    ).filter((it) => it !== bundlesOwn);
    // Twice the gain would pass 13.8 once in a thousand; forgetting and prior make that rarer.
    expect(left.length).toBeLessThanOrEqual(1);
  });

  it('follows a shift, stays where it is while nothing is gained by moving, and returns', () => {
    const shifted = heardOf(500, { temperature: 1.2, nothingBias: 1 }, seededRandom(5));
    const learned = nextRecalibration(shifted, bundlesOwn, defaultFit);
    expect(learned.nothingBias).toBeGreaterThan(0.6);
    expect(nextRecalibration(shifted, learned, defaultFit)).toBe(learned);
    const again = [...shifted, ...heardOf(500, bundlesOwn, seededRandom(6))];
    expect(nextRecalibration(again, learned, defaultFit)).toMatchObject(bundlesOwn);
  });

  it('waits for enough outcomes', () => {
    const few = heardOf(99, { temperature: 1, nothingBias: 2 }, seededRandom(7));
    expect(nextRecalibration(few, bundlesOwn, defaultFit)).toBe(bundlesOwn);
  });
});

describe('what an outcome teaches', () => {
  const outcome: Outcome = {
    schema: 'lookahead.outcome.v1',
    id: 'site-yard-1-2',
    site: 'site',
    camera: 'yard',
    verdict: 'miss',
    observed: 'gate opens',
    predicted: 'van enters',
    onset: null,
    onsetAfterMs: null,
    leadMs: null,
    brier: 0.5,
    logScore: 1,
    baseRateHit: false,
    decidedAt: '2026-01-01T00:00:05.000Z',
    windowTo: '2026-01-01T00:00:00.000Z',
    horizonMs,
    answers: {
      events: [
        { label: 'van enters', confidence: 0.4 },
        { label: 'gate opens', confidence: 0.2 },
        { label: 'car enters', confidence: 0.1 },
      ],
      nothing: 0.2,
      somethingElse: 0.1,
    },
    calibrated: true,
    recalibration: null,
  };

  it('is which cell came, by the bundle’s own chances', () => {
    const cameOf = (observed: string): number | undefined =>
      evidenceOf({ ...outcome, observed })?.came;
    expect(['van enters', 'gate opens', 'car enters', 'nothing', 'dog barks'].map(cameOf)).toEqual([
      0, 1, 2, 3, 4,
    ]);
    const own = { events: [0.4, 0.2, 0.1], nothing: 0.2, somethingElse: 0.1 };
    const recalibration = { version: 3, temperature: 1.5, nothingBias: 0.5 };
    const said = applyRecalibration(own, recalibration);
    const events = said.events.map((confidence, index) => ({
      label: outcome.answers?.events[index]?.label ?? '',
      confidence,
    }));
    const heard = evidenceOf({ ...outcome, recalibration, answers: { ...said, events } });
    evidenceOf(outcome)?.logChances.forEach((log, cell) =>
      expect(heard?.logChances[cell]).toBeCloseTo(log, 9),
    );
  });

  it('is nothing where it was undecidable, of within, not to be trusted, or without its words', () => {
    const without: Partial<Outcome>[] = [
      { verdict: 'undecidable', observed: null },
      { target: 'within' },
      { calibrated: false },
      { answers: undefined },
      { windowTo: undefined },
    ];
    for (const change of without) expect(evidenceOf({ ...outcome, ...change })).toBeNull();
  });
});
