import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome, PeriodScore } from '../../src/messages.js';
import { CalibrationHistogram } from '../../src/outcomes/calibration-histogram.js';
import { periods, periodNames, Scoreboard } from '../../src/outcomes/scoreboard.js';
import { ScoreSums, worstLogScore } from '../../src/outcomes/score-sums.js';
import { calibrate } from '../../src/yard/scoring/calibration.js';
import { SceneSums } from '../../src/yard/scoring/scene-sums.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 10, 22, 9, 7, 30);

function boardOf(outcomes: readonly Outcome[]): Scoreboard {
  const board = new Scoreboard();
  for (const outcome of outcomes) board.add(outcome);
  return board;
}

/** The definitions once more, over the outcomes themselves, without sums or buckets. */
function direct(all: readonly Outcome[], fromMs: number): Partial<PeriodScore> {
  const mine = all.filter(
    ({ decidedAt, calibrated }) => Date.parse(decidedAt) >= fromMs && calibrated !== false,
  );
  const decided = mine.filter(({ verdict }) => verdict !== 'undecidable');
  const undecidable = mine.length - decided.length;
  const hits = decided.filter(({ verdict }) => verdict === 'hit');
  const sum = (of: (outcome: Outcome) => number): number =>
    decided.reduce((total, outcome) => total + of(outcome), 0);
  const log = sum(({ logScore }) => logScore!);
  const base = sum(({ baselines }) => baselines!.baseRate.logScore);
  const persistence = sum(({ baselines }) => baselines!.persistence.logScore);
  const n = decided.length;
  return {
    outcomes: n,
    undecidable,
    hits: hits.length,
    tooLate: decided.filter(({ leadMs }) => leadMs !== null && leadMs < 0).length,
    hitRate: n === 0 ? null : hits.length / n,
    hitRateLeast: mine.length === 0 ? null : hits.length / mine.length,
    brier: n === 0 ? null : sum(({ brier }) => brier!) / n,
    logScore: n === 0 ? null : log / n,
    skillOverBaseRate: n === 0 ? null : 1 - log / base,
    skillOverPersistence: n === 0 ? null : 1 - log / persistence,
    skillOverBaseRateLeast:
      n === 0
        ? null
        : 1 - (log + undecidable * -Math.log(1e-4)) / (base + (undecidable * base) / n),
  };
}

function expectClose(actual: PeriodScore, wanted: Partial<PeriodScore>): void {
  for (const [key, value] of Object.entries(wanted)) {
    const got = actual[key as keyof PeriodScore];
    if (typeof value === 'number') expect(got, key).toBeCloseTo(value, 9);
    else expect(got, key).toBe(value);
  }
}

const someOutcomes = fc
  .array(
    fc.record({
      agoMs: fc.oneof(
        fc.integer({ min: 0, max: 2 * hourMs }),
        fc.integer({ min: 0, max: 8 * 24 * hourMs }),
      ),
      seed: fc.integer({ min: 1, max: 1e9 }),
      kind: fc.constantFrom('decided', 'decided', 'decided', 'undecidable', 'uncalibrated'),
    }),
    { maxLength: 60 },
  )
  .map((plans) =>
    plans.map(({ agoMs, seed, kind }) =>
      kind === 'undecidable'
        ? undecidableOutcome(nowMs - agoMs)
        : drawnOutcome(drawing(seed), nowMs - agoMs, { calibrated: kind === 'decided' }),
    ),
  );

describe('the scoreboard', () => {
  it('says of each period what the outcomes in it say themselves, in whatever order they came', () => {
    fc.assert(
      fc.property(someOutcomes, (outcomes) => {
        const scores = boardOf(outcomes).periods('gate', 'next', nowMs);
        for (const name of periodNames) {
          const fromMs = Date.parse(scores[name].from);
          expect(nowMs - fromMs).toBeLessThanOrEqual(periods[name].lengthMs);
          expect(nowMs - fromMs).toBeGreaterThan(periods[name].lengthMs - periods[name].bucketMs);
          expectClose(scores[name], direct(outcomes, fromMs));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('merged of two halves is the board of all', () => {
    fc.assert(
      fc.property(someOutcomes, fc.nat(60), (outcomes, cut) => {
        const merged = boardOf(outcomes.slice(0, cut));
        merged.merge(boardOf(outcomes.slice(cut)));
        const [ours, whole] = [merged, boardOf(outcomes)].map((board) =>
          board.periods('gate', 'next', nowMs),
        );
        for (const name of periodNames) {
          const { labels, calibrationError, ...rest } = whole![name];
          expectClose(ours![name], rest);
          expect(Object.keys(ours![name].labels)).toEqual(Object.keys(labels));
          for (const [label, { observed, predicted, hits }] of Object.entries(labels))
            expect(ours![name].labels[label]).toMatchObject({ observed, predicted, hits });
          // Sums of chances are in single precision.
          expect(ours![name].calibrationError ?? 0).toBeCloseTo(calibrationError ?? 0, 5);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keeps cameras and targets apart', () => {
    const draw = drawing(3);
    const board = boardOf([
      drawnOutcome(draw, nowMs),
      drawnOutcome(draw, nowMs, { camera: 'yard' }),
      drawnOutcome(draw, nowMs, { target: 'within' }),
      drawnOutcome(draw, nowMs, { target: 'within' }),
    ]);
    expect(board.kept()).toEqual([
      { camera: 'gate', target: 'next' },
      { camera: 'gate', target: 'within' },
      { camera: 'yard', target: 'next' },
    ]);
    expect(board.periods('gate', 'next', nowMs).hour.outcomes).toBe(1);
    expect(board.periods('gate', 'within', nowMs).hour.outcomes).toBe(2);
    expect(board.periods('nobody', 'next', nowMs).week).toMatchObject({
      outcomes: 0,
      hitRate: null,
      calibrationError: null,
      leadMs: null,
      labels: {},
    });
  });

  it('lets go of what is older than a period, and counts it in the longer ones', () => {
    const draw = drawing(5);
    const board = boardOf([
      drawnOutcome(draw, nowMs - 8 * 24 * hourMs),
      drawnOutcome(draw, nowMs - 2 * 24 * hourMs),
      drawnOutcome(draw, nowMs - 2 * hourMs),
      drawnOutcome(draw, nowMs),
    ]);
    const { hour, day, week } = board.periods('gate', 'next', nowMs);
    expect([hour.outcomes, day.outcomes, week.outcomes]).toEqual([1, 2, 3]);
    const later = board.periods('gate', 'next', nowMs + 30 * 24 * hourMs);
    expect(later.week.outcomes).toBe(0);
    // Nothing is kept of it, whether it came first or last.
    const thenMs = nowMs - 8 * 24 * hourMs;
    board.add(drawnOutcome(draw, thenMs));
    expect(board.periods('gate', 'next', thenMs).week.outcomes).toBe(0);
  });
});

describe('sums', () => {
  const sumsOf = (...outcomes: Outcome[]): PeriodScore => {
    const sums = new ScoreSums();
    for (const outcome of outcomes) sums.add(outcome);
    return sums.score(0);
  };
  const decided: Partial<Outcome> = {
    verdict: 'hit',
    observed: 'van enters',
    predicted: 'van enters',
    leadMs: 1_840,
    late: false,
    logScore: -Math.log(0.6),
    answers: {
      events: [
        { label: 'van enters', confidence: 0.6 },
        { label: 'gate opens', confidence: 0.2 },
        { label: 'dog leaves', confidence: 0.05 },
      ],
      somethingElse: 0.05,
      nothing: 0.1,
    },
  };
  const one = (more: Partial<Outcome> = {}): Outcome =>
    drawnOutcome(drawing(1), nowMs, { ...decided, ...more });

  it('of labels: how often it came, was the answer, both, was expected, and how well', () => {
    const surprise: Partial<Outcome> = {
      verdict: 'surprise',
      observed: 'person waves',
      logScore: -Math.log(0.05),
    };
    const { labels } = sumsOf(one(), one(surprise));
    expect(labels['van enters']).toMatchObject({ observed: 1, predicted: 2, hits: 1 });
    expect(labels['van enters']!.expected).toBeCloseTo(1.2);
    expect(labels['van enters']!.brier).toBeCloseTo((0.4 ** 2 + 0.6 ** 2) / 2);
    // What was said of an unnamed label stands in the log score.
    expect(labels['person waves']).toMatchObject({ observed: 1, predicted: 0, hits: 0 });
    expect(labels['person waves']!.expected).toBeCloseTo(0.05);
    expect(labels['person waves']!.brier).toBeCloseTo(0.95 ** 2);
    expect(labels['nothing']).toMatchObject({ observed: 0, predicted: 0 });
  });

  it('of within: every label that began came true', () => {
    const { labels, calibrationError } = sumsOf(
      one({ target: 'within', began: ['van enters', 'gate opens'] }),
    );
    expect(labels['gate opens']).toMatchObject({ observed: 1, predicted: 0 });
    expect(labels['gate opens']!.brier).toBeCloseTo(0.64);
    expect(labels['nothing']!.observed).toBe(0);
    expect(calibrationError).toBeCloseTo((0.4 + 0.8 + 0.05 + 0.1) / 4, 4);
  });

  it('of undecidables: counted, both ways, by reason; and unskilled where nothing is known of baselines', () => {
    const sums = new ScoreSums();
    sums.add(one());
    sums.add(undecidableOutcome(nowMs));
    sums.add(undecidableOutcome(nowMs, { because: 'doubtful' }));
    sums.add(undecidableOutcome(nowMs, { because: 'doubtful', calibrated: false }));
    expect(Object.fromEntries(sums.undecidableBy)).toEqual({ camera: 1, doubtful: 1 });
    const score = sums.score(0);
    expect(score).toMatchObject({ outcomes: 1, undecidable: 2, uncalibrated: 1, hitRate: 1 });
    expect(score.hitRateLeast).toBeCloseTo(1 / 3);
    const base = -Math.log(0.2);
    expect(score.skillOverBaseRate).toBeCloseTo(1 - -Math.log(0.6) / base);
    expect(score.skillOverBaseRateLeast).toBeCloseTo(
      1 - (-Math.log(0.6) + 2 * worstLogScore) / (3 * base),
    );
    expect(sumsOf(one({ baselines: null }))).toMatchObject({
      hitRate: 1,
      skillOverBaseRate: null,
      skillOverPersistence: null,
      skillOverBaseRateLeast: null,
    });
  });

  it('of forecasts that were not calibrated: counted and in no mark', () => {
    expect(sumsOf(one({ calibrated: false }))).toMatchObject({
      outcomes: 0,
      uncalibrated: 1,
      hits: 0,
      brier: null,
      labels: {},
    });
  });

  it('of lead times: the median of hits, to a tenth of a second; too late counts by the event', () => {
    const leads = [-200, 900, 1_840, 2_500, 3_900].map((leadMs) =>
      one({ leadMs, late: leadMs < 0 }),
    );
    const miss = one({ verdict: 'miss', leadMs: -100, late: true });
    expect(sumsOf(...leads, miss)).toMatchObject({ leadMs: 1_800, tooLate: 2 });
    const other = one({ target: 'within', observed: 'gate opens', leadMs: 100 });
    expect(sumsOf(other)).toMatchObject({ hits: 1, leadMs: null });
  });

  it('of outcomes that an older engine wrote: what they say, and no more', () => {
    const { answers, baselines, late, target, calibrated, ...old } = one();
    expect(sumsOf(old)).toMatchObject({
      outcomes: 1,
      hits: 1,
      calibrationError: null,
      skillOverBaseRate: null,
      labels: { 'van enters': { observed: 1, predicted: 1, hits: 1, brier: null } },
    });
  });
});

describe('the calibration error of histograms', () => {
  it.each([
    ['true chances', 1],
    ['chances that say too much', 2.5],
    ['chances that say too little', 0.4],
  ])('is near that of the sorted pairs: %s', (_name, sharpness) => {
    const draw = drawing(11);
    const histogram = new CalibrationHistogram();
    const halves = [new CalibrationHistogram(), new CalibrationHistogram()];
    const pairs = Array.from({ length: 3_000 }, (_, index) => {
      const { answers, observed } = drawnOutcome(draw, index, { sharpness });
      const named = answers!.events.map(({ label, confidence }) => ({ label, said: confidence }));
      return [...named, { label: 'nothing', said: answers!.nothing }].map(({ label, said }) => {
        histogram.add(said, label === observed);
        halves[index % 2]!.add(said, label === observed);
        return { scene: 0, said, came: Number(label === observed), bayes: 0 };
      });
    }).flat();
    const exact = calibrate(pairs, new SceneSums({ resamples: 1 })).ece!.value;
    expect(Math.abs(histogram.error()! - exact)).toBeLessThan(0.005);
    expect(exact > 0.02).toBe(sharpness !== 1);
    const [half, other] = halves;
    half!.merge(other!);
    expect(half!.error()).toBeCloseTo(histogram.error()!, 6);
    expect(half!.rows().reduce((sum, row) => sum + row.pairs, 0)).toBe(pairs.length);
    for (const { from, to, said } of half!.rows()) {
      expect(said).toBeGreaterThanOrEqual(from);
      expect(said).toBeLessThanOrEqual(to);
    }
  });
});
