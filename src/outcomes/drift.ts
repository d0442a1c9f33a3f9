/**
 * Notices when the skill of a camera's forecasts falls: Page's cumulative sums (CUSUM) over blocks of outcomes.
 *
 * What is summed is how far the forecast's gain over the base rate learned on that camera, in nats, falls short of the share
 * of the base rate's own score that it usually gains, which is its skill: an hour that is easier or harder for both alarms
 * nobody. Outcomes of a few seconds overlap and come in bouts; in the yard the means over blocks of 30 are independent of each
 * other (correlation of neighbours -0.12 to 0.05). A block that falls short by half a standard deviation leaves the sum as
 * it is, what is worse raises it, what is better lowers it, and beyond `alarmAt` there is an alert.
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
  /** Standard deviations of a block below what is usual that are no matter. */
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

interface Block {
  readonly count: number;
  readonly gain: number;
  readonly logScore: number;
  readonly baseRateLogScore: number;
}

/** Of one camera; begin with `noDrift`. */
export interface DriftState {
  readonly filling: Block;
  readonly recent: readonly Block[];
  /** Sums over the blocks of what is usual, older ones faded. */
  readonly blocks: number;
  /** Of the gain g and the base rate's score s of a block, means over its outcomes, and of their products. */
  readonly g: number;
  readonly s: number;
  readonly gg: number;
  readonly gs: number;
  readonly ss: number;
  readonly logScore: number;
  readonly baseRateLogScore: number;
  /** Of standard deviations below what is usual. */
  readonly fallen: number;
  readonly drift: Drift | null;
}

const emptyBlock: Block = { count: 0, gain: 0, logScore: 0, baseRateLogScore: 0 };

export const noDrift: DriftState = {
  filling: emptyBlock,
  recent: [],
  blocks: 0,
  g: 0,
  s: 0,
  gg: 0,
  gs: 0,
  ss: 0,
  logScore: 0,
  baseRateLogScore: 0,
  fallen: 0,
  drift: null,
};

/** One surprise costs up to 9 nats; within a block it counts for no more than this. */
const gainMost = 3;

/** The state after one more outcome; outcomes must come in the order of their decision. */
export function watchDrift(state: DriftState, mark: DriftMark, options: DriftOptions): DriftState {
  const { logScore, baseRateLogScore } = mark;
  const gain = Math.min(gainMost, Math.max(-gainMost, baseRateLogScore - logScore));
  const filling = {
    count: state.filling.count + 1,
    gain: state.filling.gain + gain,
    logScore: state.filling.logScore + logScore,
    baseRateLogScore: state.filling.baseRateLogScore + baseRateLogScore,
  };
  if (filling.count < options.outcomesPerBlock) return { ...state, filling };
  return close({ ...state, filling: emptyBlock }, filling, mark.atMs, options);
}

function close(state: DriftState, block: Block, atMs: number, options: DriftOptions): DriftState {
  const { blocksLeast, blocksUsual, blocksRecent, slack, alarmAt } = options;
  const recent = [...state.recent, block].slice(-blocksRecent);
  if (state.blocks < blocksLeast) return learn({ ...state, recent }, block, blocksUsual);

  // By this ratio of sums what is usual falls short of it by 0 in the mean.
  const share = state.g / state.s;
  const variance = (state.gg - 2 * share * state.gs + share * share * state.ss) / state.blocks;
  const { g, s } = meansOf(block);
  const shortOf = (share * s - g) / Math.sqrt(Math.max(1e-6, variance));
  const fallen = Math.min(alarmAt, Math.max(0, state.fallen + shortOf - slack));
  const skill = { recent: skillOf(recent), usual: 1 - state.logScore / state.baseRateLogScore };
  const isFallen = state.drift ? fallen > 0 : fallen >= alarmAt;
  const drift: Drift | null = isFallen ? { sinceMs: state.drift?.sinceMs ?? atMs, ...skill } : null;
  const next = { ...state, recent, fallen, drift };
  // What is usual is learned from what is: a fall that is being noticed does not become it.
  return fallen < alarmAt / 2 && !drift ? learn(next, block, blocksUsual) : next;
}

function learn(state: DriftState, block: Block, blocksUsual: number): DriftState {
  const kept = state.blocks < blocksUsual ? 1 : 1 - 1 / blocksUsual;
  const { g, s } = meansOf(block);
  return {
    ...state,
    blocks: kept * state.blocks + 1,
    g: kept * state.g + g,
    s: kept * state.s + s,
    gg: kept * state.gg + g * g,
    gs: kept * state.gs + g * s,
    ss: kept * state.ss + s * s,
    logScore: kept * state.logScore + block.logScore,
    baseRateLogScore: kept * state.baseRateLogScore + block.baseRateLogScore,
  };
}

function meansOf({ count, gain, baseRateLogScore }: Block): { g: number; s: number } {
  return { g: gain / count, s: baseRateLogScore / count };
}

function skillOf(blocks: readonly Block[]): number {
  const sum = (of: 'logScore' | 'baseRateLogScore'): number =>
    blocks.reduce((total, block) => total + block[of], 0);
  return 1 - sum('logScore') / sum('baseRateLogScore');
}
