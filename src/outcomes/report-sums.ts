/** The outcomes of a stretch of time, added up by camera, by target and by slices of the time. */
import type { Outcome, PeriodScore } from '../messages.js';
import type { ReliabilityRow } from './calibration-histogram.js';
import { leadBinMs, ScoreSums } from './score-sums.js';
import type { Target } from './scoreboard.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** A time is cut into at most so many slices, at round times. */
const slicesMax = 32;
const sliceLengthsMs = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hourMs),
  ...[1, 2, 7, 14].map((days) => days * dayMs),
];

/** A bar of the lead times spans a round time, so that there are at most so many bars. */
const leadBarsMax = 24;
const leadBarsMs = [500, 1_000, 2_500, 5_000, 10_000, 30_000];

export interface LeadRow {
  /** Milliseconds from issue to onset; below 0: too late. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly hits: number;
}

export interface ReportSlice {
  readonly from: string;
  readonly outcomes: number;
  readonly skillOverBaseRate: number | null;
  readonly skillOverPersistence: number | null;
}

/** All that tables and pages say of one camera and target; also what `--json` prints. */
export interface CameraReport {
  readonly camera: string;
  readonly target: Target;
  readonly score: PeriodScore;
  readonly sideBySide: ReturnType<ScoreSums['sideBySide']>;
  readonly undecidableBy: Readonly<Record<string, number>>;
  readonly reliability: readonly ReliabilityRow[];
  readonly leads: readonly LeadRow[];
  readonly overTime: readonly ReportSlice[];
}

export interface Report {
  readonly site: string;
  readonly from: string;
  readonly to: string;
  readonly sliceMs: number;
  readonly cameras: readonly CameraReport[];
}

/** Its size is bounded by cameras and labels, not by outcomes. */
export class ReportSums {
  readonly #sums = new Map<string, { readonly whole: ScoreSums; readonly slices: ScoreSums[] }>();
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly sliceMs: number;
  /** Outcomes that were decided at other times, as those of a recording are. */
  outside = 0;

  /** Both ends in milliseconds since 1970, and both within. */
  constructor(fromMs: number, toMs: number) {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    const fits = (sliceMs: number): boolean => this.#count(sliceMs) <= slicesMax;
    this.sliceMs = sliceLengthsMs.find(fits) ?? Math.ceil((toMs - fromMs) / (slicesMax - 1));
  }

  add(outcome: Outcome): void {
    const atMs = Date.parse(outcome.decidedAt);
    if (atMs < this.#fromMs || atMs > this.#toMs) {
      this.outside += 1;
      return;
    }
    const key = `${outcome.camera} ${outcome.target ?? 'next'}`;
    let sums = this.#sums.get(key);
    if (!sums) {
      const slices = Array.from({ length: this.#count(this.sliceMs) }, () => new ScoreSums());
      this.#sums.set(key, (sums = { whole: new ScoreSums(), slices }));
    }
    sums.whole.add(outcome);
    sums.slices[Math.floor(atMs / this.sliceMs) - this.#first(this.sliceMs)]?.add(outcome);
  }

  report(site: string): Report {
    const cameras = [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      site,
      from: new Date(this.#fromMs).toISOString(),
      to: new Date(this.#toMs).toISOString(),
      sliceMs: this.sliceMs,
      cameras: cameras.map(([key, { whole, slices }]) => {
        const [camera = '', target] = key.split(' ');
        return {
          camera,
          target: target === 'within' ? 'within' : 'next',
          score: whole.score(this.#fromMs),
          sideBySide: whole.sideBySide(),
          undecidableBy: Object.fromEntries(whole.undecidableBy),
          reliability: whole.calibration.rows(),
          leads: leadRows(whole.leads),
          overTime: slices.map((sums, index) => this.#slice(sums, index)),
        };
      }),
    };
  }

  #slice(sums: ScoreSums, index: number): ReportSlice {
    const startMs = (this.#first(this.sliceMs) + index) * this.sliceMs;
    const { outcomes, skillOverBaseRate, skillOverPersistence } = sums.score(0);
    const from = new Date(Math.max(this.#fromMs, startMs)).toISOString();
    return { from, outcomes, skillOverBaseRate, skillOverPersistence };
  }

  #first(sliceMs: number): number {
    return Math.floor(this.#fromMs / sliceMs);
  }

  #count(sliceMs: number): number {
    return Math.floor(this.#toMs / sliceMs) - this.#first(sliceMs) + 1;
  }
}

/** Bars of one width from the shortest lead to the longest, empty ones too; a bar never spans 0. */
export function leadRows(leads: ReadonlyMap<number, number>): LeadRow[] {
  const leadsMs = [...leads.keys()].map((bin) => bin * leadBinMs);
  if (leadsMs.length === 0) return [];
  const [least, most] = [Math.min(...leadsMs), Math.max(...leadsMs)];
  const bars = (barMs: number): number => Math.floor(most / barMs) - Math.floor(least / barMs) + 1;
  const fits = (barMs: number): boolean => bars(barMs) <= leadBarsMax;
  const barMs = leadBarsMs.find(fits) ?? leadBarsMs.at(-1)!;
  const first = Math.floor(least / barMs);
  const rows = Array.from({ length: bars(barMs) }, (_, index) => ({
    fromMs: (first + index) * barMs,
    toMs: (first + index + 1) * barMs,
    hits: 0,
  }));
  for (const [bin, hits] of leads)
    rows[Math.floor((bin * leadBinMs) / barMs) - first]!.hits += hits;
  return rows;
}
