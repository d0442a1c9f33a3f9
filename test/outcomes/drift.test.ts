import { describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../src/models/seeded-random.js';
import {
  defaultDrift,
  driftMarkOf,
  noDrift,
  watchDrift,
  type DriftMark,
  type DriftState,
} from '../../src/outcomes/drift.js';
import { outcome } from '../support/messages.js';

/** Blocks of one outcome, each the mean of thirty: what the cumulative sum sees, without its making. */
const byBlock = { ...defaultDrift, outcomesPerBlock: 1 };
const blocksAWeek = 10_080;

/** Standard deviation 1, and, like the means of blocks of the yard, a little skewed to the bad side. */
function deviation(random: Random): number {
  const shape = 12;
  let product = 1;
  for (let factor = 0; factor < shape; factor++) product *= 1 - random();
  return (shape + Math.log(product)) / Math.sqrt(shape);
}

/** As in the yard: base rates cost 2.6 nats, the forecast 1.3 less, give or take 0.25. */
function blockOf(random: Random, at: number, fall = 0): DriftMark {
  const gain = 1.3 + 0.25 * (deviation(random) - fall);
  return { atMs: at * 60_000, baseRateLogScore: 2.6, logScore: 2.6 - gain };
}

function after(state: DriftState, from: number, to: number, random: Random, fall = 0): DriftState {
  let now = state;
  for (let at = from; at < to; at++) now = watchDrift(now, blockOf(random, at, fall), byBlock);
  return now;
}

describe('an alert that skill has fallen', () => {
  it('comes to fewer than one camera in fifty within a week in which nothing changes', () => {
    const cameras = 60;
    let alarmed = 0;
    for (let camera = 0; camera < cameras; camera++) {
      const random = seededRandom(camera);
      let state = noDrift;
      for (let at = 0; at < blocksAWeek && !state.drift; at++)
        state = watchDrift(state, blockOf(random, at), byBlock);
      if (state.drift) alarmed++;
    }
    expect(alarmed / cameras).toBeLessThan(1 / 50);
  });

  it('comes within half an hour of a fall by a standard deviation and a half, and tells how far', () => {
    const random = seededRandom(1);
    const usual = after(noDrift, 0, 300, random);
    expect(usual.drift).toBeNull();
    const fallen = after(usual, 300, 330, random, 1.5);
    expect(fallen.drift?.sinceMs).toBeGreaterThan(300 * 60_000);
    expect(fallen.drift?.usual).toBeCloseTo(1.3 / 2.6, 1);
    expect(fallen.drift?.recent).toBeCloseTo((1.3 - 1.5 * 0.25) / 2.6, 1);
  });

  it('stays, with its time, while skill is low, however long, and goes when it is back', () => {
    const random = seededRandom(2);
    const first = after(after(noDrift, 0, 300, random), 300, 400, random, 1.5);
    const later = after(first, 400, 3_000, random, 1.5);
    expect(later.drift?.sinceMs).toBe(first.drift?.sinceMs);
    // What is usual did not follow the fall.
    expect(later.drift?.usual).toBe(first.drift?.usual);
    expect(after(later, 3_000, 3_100, random).drift).toBeNull();
  });

  it('does not come where hours are easier for the base rate too: the gain shrinks, skill does not', () => {
    const random = seededRandom(3);
    let state = after(noDrift, 0, 300, random);
    for (let at = 300; at < 600; at++) {
      const { logScore, baseRateLogScore, atMs } = blockOf(random, at);
      const easier = { atMs, logScore: logScore * 0.45, baseRateLogScore: baseRateLogScore / 2 };
      state = watchDrift(state, easier, byBlock);
    }
    expect(state.drift).toBeNull();
  });

  it('does not come of day that follows night, though a night is all that is known', () => {
    for (let camera = 0; camera < 20; camera++) {
      const random = seededRandom(1_000 + camera);
      let state = noDrift;
      for (let at = 0; at < 1_440; at++) {
        // Less happens in the first eight hours: less is to be gained, and luck weighs less.
        const part = at < 8 * 60 ? 0.4 : 1;
        const { logScore, baseRateLogScore, atMs } = blockOf(random, at);
        const marks = { logScore: logScore * part, baseRateLogScore: baseRateLogScore * part };
        state = watchDrift(state, { atMs, ...marks }, byBlock);
        expect(state.drift).toBeNull();
      }
    }
  });

  it('does not come of single surprises, nor before it is known what is usual', () => {
    const random = seededRandom(4);
    let state = noDrift;
    for (let at = 0; at < 30 * 300; at++) {
      const logScore = at % 400 === 399 ? 9 : 1 + 0.5 * random();
      state = watchDrift(state, { atMs: at, logScore, baseRateLogScore: 2.6 }, defaultDrift);
      expect(state.drift).toBeNull();
    }
    expect(after(noDrift, 0, defaultDrift.blocksLeast, random, 20).drift).toBeNull();
  });
});

describe('what of an outcome counts', () => {
  const marks = { brier: 0.5, logScore: 2, hit: false };
  const decided = outcome(1, {
    logScore: 1.5,
    target: 'next',
    baselines: { baseRate: marks, persistence: { ...marks, logScore: 3 } },
  });

  it('is its log score and that of the base rate', () => {
    expect(driftMarkOf(decided)).toEqual({
      atMs: Date.parse(decided.decidedAt),
      logScore: 1.5,
      baseRateLogScore: 2,
    });
  });

  it('is nothing where it was undecidable, of within, or without baselines', () => {
    expect(driftMarkOf({ ...decided, verdict: 'undecidable', logScore: null })).toBeNull();
    expect(driftMarkOf({ ...decided, target: 'within' })).toBeNull();
    expect(driftMarkOf({ ...decided, baselines: null })).toBeNull();
  });
});
