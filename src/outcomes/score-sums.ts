/** What outcomes add up to: sums of fixed size from which every mark of a stretch of time can be worked out. */
import type { Outcome, PeriodScore, UndecidableReason } from '../messages.js';
import { chanceMin } from '../scores.js';
import { CalibrationHistogram } from './calibration-histogram.js';

/** What an undecidable outcome costs where it is counted against the forecast, nats. */
export const worstLogScore = -Math.log(chanceMin);

/** Lead times are kept to a tenth of a second, between these. */
export const leadBinMs = 100;
const leadMinMs = -60_000;
const leadMaxMs = 600_000;

interface LabelSums {
  observed: number;
  predicted: number;
  hits: number;
  expected: number;
  squares: number;
  marked: number;
}

interface BaselineSums {
  brier: number;
  logScore: number;
  hits: number;
}

/** Means of the two baselines and of the forecasts that they stood beside. */
export interface BaselineMarks {
  readonly hitRate: number;
  readonly brier: number;
  readonly logScore: number;
}

/**
 * Sums over outcomes of one target. Its size is bounded by the number of labels and by 6,600 lead times; adding two gives the
 * sums of both. Forecasts that said of themselves that they are not calibrated are counted and else left out.
 */
export class ScoreSums {
  readonly calibration = new CalibrationHistogram();
  readonly undecidableBy = new Map<UndecidableReason | 'unknown', number>();
  /** Counts of hits by lead time in `leadBinMs`. */
  readonly leads = new Map<number, number>();
  readonly #labels = new Map<string, LabelSums>();
  readonly #baseRate: BaselineSums = { brier: 0, logScore: 0, hits: 0 };
  readonly #persistence: BaselineSums = { brier: 0, logScore: 0, hits: 0 };
  /** Of outcomes with marks of the baselines. */
  readonly #beside: BaselineSums = { brier: 0, logScore: 0, hits: 0 };
  #besides = 0;
  #decided = 0;
  #undecidable = 0;
  #uncalibrated = 0;
  #hits = 0;
  #tooLate = 0;
  #brier = 0;
  #logScore = 0;
  #marked = 0;

  get decided(): number {
    return this.#decided;
  }

  add(outcome: Outcome): void {
    if (outcome.calibrated === false) {
      this.#uncalibrated += 1;
    } else if (outcome.verdict === 'undecidable' || outcome.observed === null) {
      this.#undecidable += 1;
      add(this.undecidableBy, outcome.because ?? 'unknown', 1);
    } else {
      this.#addDecided(outcome, outcome.observed);
    }
  }

  #addDecided(outcome: Outcome, observed: string): void {
    const { brier, logScore, leadMs, late, baselines } = outcome;
    const isHit = outcome.verdict === 'hit';
    this.#decided += 1;
    if (isHit) this.#hits += 1;
    if (late ?? (leadMs !== null && leadMs < 0)) this.#tooLate += 1;
    // Of a forecast that names all that begins, the lead is that of the first to begin, which may be another one.
    if (isHit && observed === outcome.predicted && leadMs !== null) {
      const lead = Math.min(leadMaxMs, Math.max(leadMinMs, leadMs));
      add(this.leads, Math.round(lead / leadBinMs), 1);
    }
    if (brier !== null && logScore !== null) {
      this.#marked += 1;
      this.#brier += brier;
      this.#logScore += logScore;
      if (baselines) {
        this.#besides += 1;
        addMark(this.#beside, { brier, logScore, hit: isHit });
        addMark(this.#baseRate, baselines.baseRate);
        addMark(this.#persistence, baselines.persistence);
      }
    }
    this.#addLabels(outcome, observed, isHit);
  }

  #addLabels(outcome: Outcome, observed: string, isHit: boolean): void {
    const came = cameIn(outcome, observed);
    for (const label of came) this.#label(label).observed += 1;
    const predicted = this.#label(outcome.predicted);
    predicted.predicted += 1;
    if (isHit) predicted.hits += 1;
    if (!outcome.answers) return;
    const said = new Map(
      outcome.answers.events.map(({ label, confidence }) => [label, confidence]),
    );
    said.set('nothing', outcome.answers.nothing);
    for (const [label, chance] of said) this.calibration.add(chance, came.has(label));
    for (const label of came) if (!said.has(label)) said.set(label, unnamedChance(outcome));
    for (const [label, chance] of said) {
      const sums = this.#label(label);
      sums.expected += chance;
      sums.squares += (chance - Number(came.has(label))) ** 2;
      sums.marked += 1;
    }
  }

  #label(name: string): LabelSums {
    let sums = this.#labels.get(name);
    if (!sums) {
      sums = { observed: 0, predicted: 0, hits: 0, expected: 0, squares: 0, marked: 0 };
      this.#labels.set(name, sums);
    }
    return sums;
  }

  merge(other: ScoreSums): void {
    this.calibration.merge(other.calibration);
    for (const [reason, count] of other.undecidableBy) add(this.undecidableBy, reason, count);
    for (const [bin, count] of other.leads) add(this.leads, bin, count);
    for (const [name, theirs] of other.#labels) {
      const ours = this.#label(name);
      for (const key of Object.keys(theirs) as (keyof LabelSums)[]) ours[key] += theirs[key];
    }
    addSums(this.#baseRate, other.#baseRate);
    addSums(this.#persistence, other.#persistence);
    addSums(this.#beside, other.#beside);
    this.#besides += other.#besides;
    this.#decided += other.#decided;
    this.#undecidable += other.#undecidable;
    this.#uncalibrated += other.#uncalibrated;
    this.#hits += other.#hits;
    this.#tooLate += other.#tooLate;
    this.#brier += other.#brier;
    this.#logScore += other.#logScore;
    this.#marked += other.#marked;
  }

  /** The marks of all that was added. */
  score(fromMs: number): PeriodScore {
    const labels = [...this.#labels].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      from: new Date(fromMs).toISOString(),
      outcomes: this.#decided,
      undecidable: this.#undecidable,
      uncalibrated: this.#uncalibrated,
      hits: this.#hits,
      tooLate: this.#tooLate,
      hitRate: ratio(this.#hits, this.#decided),
      hitRateLeast: ratio(this.#hits, this.#decided + this.#undecidable),
      brier: ratio(this.#brier, this.#marked),
      logScore: ratio(this.#logScore, this.#marked),
      calibrationError: this.calibration.error(),
      skillOverBaseRate: this.#skill(this.#baseRate),
      skillOverPersistence: this.#skill(this.#persistence),
      skillOverBaseRateLeast: this.#skillLeast(),
      leadMs: this.#medianLeadMs(),
      labels: Object.fromEntries(
        labels.map(([name, { observed, predicted, hits, expected, squares, marked }]) => [
          name,
          { observed, predicted, hits, expected, brier: ratio(squares, marked) },
        ]),
      ),
    };
  }

  /** The forecasts and the two that know nothing of the picture, over the same outcomes; null where there are no marks of them. */
  sideBySide(): Readonly<Record<'forecast' | 'baseRate' | 'persistence', BaselineMarks>> | null {
    if (this.#besides === 0) return null;
    const marks = ({ hits, brier, logScore }: BaselineSums): BaselineMarks => ({
      hitRate: hits / this.#besides,
      brier: brier / this.#besides,
      logScore: logScore / this.#besides,
    });
    return {
      forecast: marks(this.#beside),
      baseRate: marks(this.#baseRate),
      persistence: marks(this.#persistence),
    };
  }

  #skill(baseline: BaselineSums): number | null {
    return baseline.logScore > 0 ? 1 - this.#beside.logScore / baseline.logScore : null;
  }

  /** The baseline is given for an undecidable outcome what it had on the others: it cannot be blamed for what nobody saw. */
  #skillLeast(): number | null {
    const { logScore } = this.#baseRate;
    if (logScore <= 0) return null;
    const mean = logScore / this.#besides;
    const worst = this.#beside.logScore + this.#undecidable * worstLogScore;
    return 1 - worst / (logScore + this.#undecidable * mean);
  }

  /** To 50 ms, as lead times are kept to 100 ms. */
  #medianLeadMs(): number | null {
    const bins = [...this.leads].sort(([a], [b]) => a - b);
    const total = bins.reduce((sum, [, count]) => sum + count, 0);
    let left = total / 2;
    for (const [bin, count] of bins) {
      left -= count;
      if (left <= 0) return bin * leadBinMs;
    }
    return null;
  }
}

/** The labels that came true: the first event, or of `within` every one; «nothing» where none did. */
function cameIn({ target, began }: Outcome, observed: string): ReadonlySet<string> {
  return new Set(target === 'within' && began && began.length > 0 ? began : [observed]);
}

/**
 * What was said of a label that came and was not named. Of `next` the log score tells it. Of `within` nothing does but bounds: no
 * more than what was said of any other, and no more than of the third that was named.
 */
function unnamedChance({ target, logScore, answers }: Outcome): number {
  if (target !== 'within') return logScore === null ? 0 : Math.exp(-logScore);
  const named = answers?.events.map(({ confidence }) => confidence) ?? [];
  return Math.min(answers?.somethingElse ?? 0, ...named);
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function addMark(
  sums: BaselineSums,
  mark: { readonly brier: number; readonly logScore: number; readonly hit: boolean },
): void {
  addSums(sums, { brier: mark.brier, logScore: mark.logScore, hits: Number(mark.hit) });
}

function addSums(sums: BaselineSums, other: Readonly<BaselineSums>): void {
  sums.brier += other.brier;
  sums.logScore += other.logScore;
  sums.hits += other.hits;
}
