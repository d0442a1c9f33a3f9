/** What quality is told from: the newest score of a camera, scores over time, and outcomes of a stretch of time. */
import { OutcomeSchema, ScoreSchema, subjects, type Outcome, type Score } from '../../messages.js';
import { ScoreSums } from '../../outcomes/score-sums.js';
import { leadRows, type LeadRow } from '../../outcomes/report-sums.js';
import { streamName } from '../streams.js';
import { lengthsMs, type Length } from './history-filter.js';
import {
  boundsOf,
  readRange,
  readSample,
  type Reading,
  type StoredReader,
} from './read-history.js';
import { equalMassBins, pairsOf, type ReliabilityBin } from './reliability.js';

/** More would take long and show nothing new. */
const outcomesMax = 1_500;
const pointsMax = 100;
/** A score of the usual target has been stored within so many messages, or there is none. */
const searchMax = 4_096;

export interface SkillPoint {
  readonly at: string;
  /** Over the hour before. */
  readonly outcomes: number;
  readonly overBaseRate: number | null;
  readonly overPersistence: number | null;
}

export interface Quality {
  /** What was read of the outcomes of that time. */
  readonly decided: number;
  readonly undecidable: number;
  readonly undecidableBy: readonly (readonly [reason: string, count: number])[];
  /** Not all of that time were read, but some spread evenly over it. */
  readonly isSample: boolean;
  readonly pairs: number;
  readonly bins: readonly ReliabilityBin[];
  readonly leads: readonly LeadRow[];
  readonly points: readonly SkillPoint[];
}

/** The last one of target `next`: the same subject holds those of `within`. */
export async function newestScore(
  reader: StoredReader,
  site: string,
  camera: string,
  reading: Reading,
): Promise<Score | undefined> {
  const stream = streamName(site, 'score');
  const subject = subjects.of(site, camera, 'score');
  const newest = await reader.last(stream, subject);
  if (newest === undefined) return undefined;
  const own = scoreOf(newest.value);
  if (own !== undefined) return own;
  for (let back = 16, last = newest.sequence - 1; back <= searchMax && last > 0; back *= 4) {
    const first = Math.max(1, newest.sequence - back);
    const found = await readRange(reader, { stream, subject }, { first, last }, reading);
    for (const { value } of found) {
      const score = scoreOf(value);
      if (score !== undefined) return score;
    }
    last = first - 1;
  }
  return undefined;
}

/** Rejects when the signal fires. */
export async function readQuality(
  reader: StoredReader,
  site: string,
  camera: string,
  period: Length,
  nowMs: number,
  reading: Reading,
): Promise<Quality> {
  const span = { fromMs: nowMs - lengthsMs[period], toMs: undefined };
  const of = (kind: 'outcome' | 'score') => ({
    stream: streamName(site, kind),
    subject: subjects.of(site, camera, kind),
    all: subjects.all(site, kind),
  });
  const sample = async <T>(
    kind: 'outcome' | 'score',
    max: number,
    keep: (value: unknown) => T | undefined,
  ): Promise<readonly T[]> => {
    const bounds = await boundsOf(reader, of(kind), span, reading);
    return bounds === undefined
      ? []
      : await readSample(reader, of(kind), bounds, max, keep, reading);
  };
  const outcomes = await sample('outcome', outcomesMax, outcomeOf);
  const scores = await sample('score', pointsMax, scoreOf);
  return {
    ...sumsOf(outcomes),
    isSample: outcomes.length >= outcomesMax,
    points: pointsOf(scores),
  };
}

function sumsOf(outcomes: readonly Outcome[]): Omit<Quality, 'isSample' | 'points'> {
  const sums = new ScoreSums();
  for (const outcome of outcomes) sums.add(outcome);
  const pairs = pairsOf(outcomes);
  const { outcomes: decided, undecidable } = sums.score(0);
  return {
    decided,
    undecidable,
    undecidableBy: [...sums.undecidableBy].sort(([, a], [, b]) => b - a),
    pairs: pairs.length,
    bins: equalMassBins(pairs),
    leads: leadRows(sums.leads),
  };
}

export function pointsOf(scores: readonly Score[]): SkillPoint[] {
  return scores.map(({ at, periods: { hour } }) => ({
    at,
    outcomes: hour.outcomes,
    overBaseRate: hour.skillOverBaseRate,
    overPersistence: hour.skillOverPersistence,
  }));
}

function scoreOf(value: unknown): Score | undefined {
  const { data } = ScoreSchema.safeParse(value);
  return data?.target === 'next' ? data : undefined;
}

function outcomeOf(value: unknown): Outcome | undefined {
  const { data } = OutcomeSchema.safeParse(value);
  return data !== undefined && data.target !== 'within' ? data : undefined;
}
