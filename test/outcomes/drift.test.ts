import { describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../src/models/seeded-random.js';
import {
  defaultDrift,
  driftMarkOf,
  noDrift,
  watchDrift,
  type DriftOptions,
  type DriftState,
} from '../../src/outcomes/drift.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const baseRate = 2;
const secondMs = 1_000;

/** Log scores of one outcome against a base rate that always loses the same. */
function heard(
  logScores: readonly number[],
  options: DriftOptions = defaultDrift,
  from: DriftState = noDrift,
): DriftState[] {
  let state = from;
  return logScores.map((logScore, index) => {
    const mark = { atMs: index * secondMs, logScore, baseRateLogScore: baseRate };
    return (state = watchDrift(state, mark, options));
  });
}

const repeat = (count: number, of: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => of(index));

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A skill of one half on average, and luck. */
const usual = (random: Random): number => 1 + 0.9 * normal(random);

describe('a fall of skill', () => {
  it('is noticed, once, with what is usual and what is', () => {
    const random = seededRandom(1);
    const before = heard(repeat(4_000, () => usual(random)));
    expect(before.every(({ drift }) => drift === null)).toBe(true);

    const after = heard(
      repeat(3_000, () => 1 + usual(random)),
      defaultDrift,
      before.at(-1),
    );
    const noticed = after.findIndex(({ drift }) => drift !== null);
    expect(noticed).toBeGreaterThan(0);
    expect(noticed).toBeLessThan(1_000);
    const last = after.at(-1)?.drift;
    expect(last?.sinceMs).toBe(noticed * secondMs);
    expect(last?.usual).toBeCloseTo(0.5, 1);
    expect(last?.recent).toBeCloseTo(0, 1);
  });

  it('is over when skill is what it was, and not before', () => {
    const random = seededRandom(2);
    const before = heard(repeat(4_000, () => usual(random))).at(-1);
    const fallen = heard(
      repeat(3_000, () => 1 + usual(random)),
      defaultDrift,
      before,
    ).at(-1);
    expect(fallen?.drift).not.toBeNull();
    const after = heard(
      repeat(6_000, () => usual(random)),
      defaultDrift,
      fallen,
    );
    expect(after[100]?.drift).not.toBeNull();
    expect(after.at(-1)?.drift).toBeNull();
  });

  it('does not become what is usual while it is being noticed', () => {
    const random = seededRandom(3);
    const before = heard(repeat(4_000, () => usual(random))).at(-1);
    const after = heard(
      repeat(30_000, () => 1 + usual(random)),
      defaultDrift,
      before,
    ).at(-1);
    expect(after?.drift?.usual).toBeCloseTo(0.5, 1);
  });

  it('is not told of before anything is usual, however bad it is', () => {
    const few = defaultDrift.outcomesPerBlock * defaultDrift.blocksLeast;
    expect(heard(repeat(few, (index) => index % 9)).every(({ drift }) => !drift)).toBe(true);
  });

  it('is nothing that a quiet night makes: less happens, both scores are lower, and their share is the same', () => {
    const random = seededRandom(5);
    let state = noDrift;
    for (let hour = 0; hour < 48; hour++) {
      const isNight = hour % 24 < 8;
      for (let index = 0; index < 1_800; index++) {
        const baseRateLogScore = isNight ? 0.8 : 2;
        const logScore = baseRateLogScore * (0.5 + 0.45 * normal(random));
        state = watchDrift(state, { atMs: index, logScore, baseRateLogScore }, defaultDrift);
        expect(state.drift).toBeNull();
      }
    }
  });

  it('is nothing that one surprise makes, though it costs nine nats', () => {
    const random = seededRandom(4);
    const wholeBlocks = 130 * defaultDrift.outcomesPerBlock;
    const before = heard(repeat(wholeBlocks, () => usual(random))).at(-1);
    const after = (logScore: number): DriftState | undefined =>
      heard([logScore, logScore, logScore], defaultDrift, before).at(-1);
    expect(after(9)?.filling.bounded).toEqual(after(5)?.filling.bounded);
    expect(after(4)?.filling.bounded.logScore).toBe(12);
  });

  /** A block is the mean of some thirty outcomes, nearly normal: an outcome here stands for a whole block. */
  it('is announced falsely by fewer than one camera in fifty within a week', () => {
    const weekOfBlocks = 8_400;
    const cameras = 100;
    const options = { ...defaultDrift, outcomesPerBlock: 1 };
    let alarmed = 0;
    for (let camera = 0; camera < cameras; camera++) {
      const random = seededRandom(100 + camera);
      let state = noDrift;
      let isAlarmed = false;
      for (let block = 0; block < weekOfBlocks && !isAlarmed; block++) {
        const mark = { atMs: block, logScore: 1 + 0.2 * normal(random), baseRateLogScore: 2 };
        state = watchDrift(state, mark, options);
        isAlarmed = state.drift !== null;
      }
      alarmed += Number(isAlarmed);
    }
    expect(alarmed / cameras).toBeLessThan(1 / 50);
  });
});

describe('what counts', () => {
  it('is a decided outcome of what comes next, beside its baseline', () => {
    const outcome = drawnOutcome(drawing(1), 60_000);
    expect(driftMarkOf(outcome)).toEqual({
      atMs: 60_000,
      logScore: outcome.logScore,
      baseRateLogScore: outcome.baselines?.baseRate.logScore,
    });
    expect(driftMarkOf({ ...outcome, target: undefined })).not.toBeNull();
    expect(driftMarkOf({ ...outcome, target: 'within' })).toBeNull();
    expect(driftMarkOf({ ...outcome, baselines: null })).toBeNull();
    expect(driftMarkOf(undecidableOutcome(60_000))).toBeNull();
  });
});
