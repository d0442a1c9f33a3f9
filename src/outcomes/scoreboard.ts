/** Rolling scores of every camera: the last hour, day and week, from sums in buckets of time. */
import type { Outcome, Score } from '../messages.js';
import { ScoreSums } from './score-sums.js';

export type Target = Score['target'];
export type PeriodName = keyof Score['periods'];

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Lengths are whole numbers of buckets. */
export const periods: Readonly<Record<PeriodName, { lengthMs: number; bucketMs: number }>> = {
  hour: { lengthMs: hourMs, bucketMs: minuteMs },
  day: { lengthMs: 24 * hourMs, bucketMs: 15 * minuteMs },
  week: { lengthMs: 7 * 24 * hourMs, bucketMs: hourMs },
};

export const periodNames = Object.keys(periods) as readonly PeriodName[];

/** One period of one camera and target: at most `lengthMs / bucketMs + 1` sums, each a few kB. */
class Rolling {
  readonly #buckets = new Map<number, ScoreSums>();
  readonly #lengthMs: number;
  readonly #bucketMs: number;
  /** Of the newest bucket. What is a period older is forgotten. */
  #newest = -Infinity;

  constructor({ lengthMs, bucketMs }: { lengthMs: number; bucketMs: number }) {
    this.#lengthMs = lengthMs;
    this.#bucketMs = bucketMs;
  }

  /** The sums of a bucket, made where there are none; undefined: too old. */
  bucket(atMs: number): ScoreSums | undefined {
    const index = Math.floor(atMs / this.#bucketMs);
    const count = this.#lengthMs / this.#bucketMs;
    if (index > this.#newest) {
      this.#newest = index;
      for (const old of this.#buckets.keys()) if (old < index - count) this.#buckets.delete(old);
    }
    if (index < this.#newest - count) return undefined;
    let sums = this.#buckets.get(index);
    if (!sums) this.#buckets.set(index, (sums = new ScoreSums()));
    return sums;
  }

  merge(other: Rolling): void {
    for (const [index, sums] of other.#buckets) this.bucket(index * this.#bucketMs)?.merge(sums);
  }

  /** Whole buckets only, so that the period is up to one bucket shorter than its name; `fromMs` says where it begins. */
  sums(nowMs: number): { readonly fromMs: number; readonly sums: ScoreSums } {
    const first = Math.ceil((nowMs - this.#lengthMs) / this.#bucketMs);
    const sums = new ScoreSums();
    for (const [index, bucket] of this.#buckets)
      if (index >= first && index * this.#bucketMs <= nowMs) sums.merge(bucket);
    return { fromMs: first * this.#bucketMs, sums };
  }
}

type Periods = Readonly<Record<PeriodName, Rolling>>;

/**
 * Times are event time: an outcome counts where it was decided, whenever it is added and in whatever order. Whoever adds an
 * outcome twice has it counted twice. A camera and target take 3 MB after a week of a forecast every two seconds with 30 labels,
 * and no more for more outcomes.
 */
export class Scoreboard {
  readonly #cameras = new Map<string, Map<Target, Periods>>();

  add(outcome: Outcome): void {
    const atMs = Date.parse(outcome.decidedAt);
    const rolling = this.#rolling(outcome.camera, outcome.target ?? 'next');
    for (const name of periodNames) rolling[name].bucket(atMs)?.add(outcome);
  }

  forget(camera: string): void {
    this.#cameras.delete(camera);
  }

  /** Forgets everything. */
  clear(): void {
    this.#cameras.clear();
  }

  /** Adds all that another has: what was read from a store, to what came meanwhile. */
  merge(other: Scoreboard): void {
    for (const { camera, target } of other.kept()) {
      const [ours, theirs] = [this.#rolling(camera, target), other.#rolling(camera, target)];
      for (const name of periodNames) ours[name].merge(theirs[name]);
    }
  }

  /** Of which cameras and targets there have been outcomes. */
  kept(): { readonly camera: string; readonly target: Target }[] {
    return [...this.#cameras].flatMap(([camera, targets]) =>
      [...targets.keys()].map((target) => ({ camera, target })),
    );
  }

  /** Marks of the last hour, day and week as seen at `nowMs`, milliseconds since 1970; all zero where nothing came. */
  periods(camera: string, target: Target, nowMs: number): Score['periods'] {
    const rolling = this.#cameras.get(camera)?.get(target) ?? emptyPeriods();
    const score = (name: PeriodName): Score['periods'][PeriodName] => {
      const { fromMs, sums } = rolling[name].sums(nowMs);
      return sums.score(fromMs);
    };
    return { hour: score('hour'), day: score('day'), week: score('week') };
  }

  #rolling(camera: string, target: Target): Periods {
    let targets = this.#cameras.get(camera);
    if (!targets) this.#cameras.set(camera, (targets = new Map<Target, Periods>()));
    let rolling = targets.get(target);
    if (!rolling) targets.set(target, (rolling = emptyPeriods()));
    return rolling;
  }
}

function emptyPeriods(): Periods {
  return {
    hour: new Rolling(periods.hour),
    day: new Rolling(periods.day),
    week: new Rolling(periods.week),
  };
}
