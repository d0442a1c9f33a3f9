/**
 * Notices when the skill of a camera's forecasts falls: Page's cumulative sums (CUSUM) over blocks of outcomes.
 *
 * What is summed is each block's share of the forecast's log score in that of the base rate learned on the camera: 1 less its
 * skill. At night less happens, and both scores are lower; their difference falls with them, so that it would give an alert
 * every night, but their share stays, and so does its spread. Outcomes of a few seconds overlap and come in bouts; the mean over a block of them is
 * nearly independent of the next block's (in the yard neighbours correlate by -0.12 to 0.05). A block whose share is above the usual
 * one by half a standard deviation leaves the sum as it is, what is worse raises it, what is better lowers it, and beyond
 * `alarmAt` there is an alert.
 *
 * False alarms: with the defaults, fewer than one camera in fifty alarms within a week of 10,080 blocks in which nothing
 * changes (`test/outcomes/drift.test.ts` simulates it).
 */
import type { Outcome } from '../messages.js';

/** What of an outcome counts here. */
export interface DriftMark {
  readonly atMs: number;
  readonly logScore: number;
  readonly baseRateLogScore: number;
}

/** Null where an outcome was not decided, is of the target within, or has no baseline. */
export function driftMarkOf(outcome: Outcome): DriftMark | null {
  const { verdict, logScore, baselines, target = 'next', decidedAt } = outcome;
  if (verdict === 'undecidable' || target !== 'next' || logScore === null || !baselines)
    return null;
  return {
    atMs: Date.parse(decidedAt),
    logScore,
    baseRateLogScore: baselines.baseRate.logScore,
  };
}

export interface Drift {
  /** When it was noticed. */
  readonly sinceMs: number;
  /** Skill over the base rate in the last blocks: 1 less the ratio of mean log scores. */
  readonly recent: number;
  /** The same before. */
  readonly usual: number;
}

export interface DriftOptions {
  /** Decided outcomes in a block. */
  readonly outcomesPerBlock: number;
  /** Blocks from which what is usual is known. */
  readonly blocksLeast: number;
  /** What is usual is the mean over about so many blocks: older ones fade. */
  readonly blocksUsual: number;
  /** Blocks that `recent` speaks of. */
  readonly blocksRecent: number;
  /** Standard deviations of a block above the usual share that are no matter. */
  readonly slack: number;
  /** Standard deviations, summed. */
  readonly alarmAt: number;
}

export const defaultDrift: DriftOptions = {
  outcomesPerBlock: 30,
  blocksLeast: 60,
  blocksUsual: 1440,
  blocksRecent: 20,
  slack: 0.5,
  alarmAt: 15,
};

interface Scores {
  readonly logScore: number;
  readonly baseRateLogScore: number;
}

interface Block extends Scores {
  readonly count: number;
  /** Sums of scores of which each is bounded. */
  readonly bounded: Scores;
}

interface Usual extends Scores {
  readonly blocks: number;
  /** Of the blocks' shares. */
  readonly share: number;
  readonly shareSquared: number;
}

/** Of one camera; begin with `noDrift`. */
export interface DriftState {
  readonly filling: Block;
  readonly recent: readonly Block[];
  /** Sums over the blocks of what is usual, older ones faded. */
  readonly usual: Usual;
  /** Of standard deviations above what is usual. */
  readonly fallen: number;
  readonly drift: Drift | null;
}

const noScores: Scores = { logScore: 0, baseRateLogScore: 0 };
const emptyBlock: Block = { count: 0, ...noScores, bounded: noScores };

export const noDrift: DriftState = {
  filling: emptyBlock,
  recent: [],
  usual: { blocks: 0, ...noScores, share: 0, shareSquared: 0 },
  fallen: 0,
  drift: null,
};

/** One surprise costs up to 9 nats; within a block it counts for no more than this. */
const scoreMost = 5;

/** The state after one more outcome; outcomes must come in the order of their decision. */
export function watchDrift(state: DriftState, mark: DriftMark, options: DriftOptions): DriftState {
  const { logScore, baseRateLogScore } = mark;
  const bounded = {
    logScore: Math.min(scoreMost, logScore),
    baseRateLogScore: Math.min(scoreMost, baseRateLogScore),
  };
  const filling = {
    ...added(state.filling, { logScore, baseRateLogScore }),
    count: state.filling.count + 1,
    bounded: added(state.filling.bounded, bounded),
  };
  if (filling.count < options.outcomesPerBlock) return { ...state, filling };
  return close({ ...state, filling: emptyBlock }, filling, mark.atMs, options);
}

function close(state: DriftState, block: Block, atMs: number, options: DriftOptions): DriftState {
  const { blocksLeast, blocksUsual, blocksRecent, slack, alarmAt } = options;
  const recent = [...state.recent, block].slice(-blocksRecent);
  if (state.usual.blocks < blocksLeast)
    return { ...state, recent, usual: learn(state.usual, block, blocksUsual) };

  const excess = excessOf(state.usual, block);
  const fallen = Math.min(alarmAt, Math.max(0, state.fallen + excess - slack));
  const isFallen = state.drift ? fallen > 0 : fallen >= alarmAt;
  const drift: Drift | null = isFallen
    ? {
        sinceMs: state.drift?.sinceMs ?? atMs,
        recent: skillOf(recent),
        usual: skillOf([state.usual]),
      }
    : null;
  // What is usual is learned from what is: a fall that is being noticed does not become it.
  const isUsual = fallen < alarmAt / 2 && !drift;
  const usual = isUsual ? learn(state.usual, block, blocksUsual) : state.usual;
  return { ...state, recent, usual, fallen, drift };
}

/** Above the usual share, in standard deviations of a block. */
function excessOf({ blocks, share, shareSquared }: Usual, block: Block): number {
  const mean = share / blocks;
  const variance = shareSquared / blocks - mean * mean;
  return (shareOf(block) - mean) / Math.sqrt(Math.max(1e-6, variance));
}

function learn(usual: Usual, block: Block, blocksUsual: number): Usual {
  const kept = usual.blocks < blocksUsual ? 1 : 1 - 1 / blocksUsual;
  const share = shareOf(block);
  return {
    blocks: kept * usual.blocks + 1,
    logScore: kept * usual.logScore + block.logScore,
    baseRateLogScore: kept * usual.baseRateLogScore + block.baseRateLogScore,
    share: kept * usual.share + share,
    shareSquared: kept * usual.shareSquared + share * share,
  };
}

/** Where next to nothing is to be gained over the base rate, a block says little. */
const baseRateLeast = 0.05;

function shareOf({ count, bounded: { logScore, baseRateLogScore } }: Block): number {
  const least = baseRateLeast * count;
  return (logScore + least) / (baseRateLogScore + least);
}

function added(one: Scores, other: Scores): Scores {
  return {
    logScore: one.logScore + other.logScore,
    baseRateLogScore: one.baseRateLogScore + other.baseRateLogScore,
  };
}

/** Of sums over several blocks. */
function skillOf(blocks: readonly Scores[]): number {
  const sum = (of: keyof Scores): number => blocks.reduce((total, block) => total + block[of], 0);
  return 1 - sum('logScore') / sum('baseRateLogScore');
}
