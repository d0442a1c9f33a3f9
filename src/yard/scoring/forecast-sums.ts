/**
 * What forecasts over all labels are worth against pBayes, scene by scene. Skill is that of the published form
 * (published-form.ts): three named events, nothing, and a rest that is spread by the base rates.
 */
import { logScore } from '../../scores.js';
import { baselines, messageLine, type Baseline } from './baselines.js';
import { calibrate, calibrationPairs, type Calibration } from './calibration.js';
import type { Labels } from './forecast-file.js';
import { saidNext } from './published-form.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';
import { placesOf, rememberBaselines } from './score-file.js';
import type { TruthWindow } from './truth-window.js';

/** Whoever forecasts what is asked; others stand beside him. */
export const own = 'own';

type Pairs = ReturnType<typeof calibrationPairs>;

const reference = ['prior', 'bayes', 'persistence'] as const satisfies readonly Baseline[];

export class ForecastSums {
  private readonly labels: Labels;
  private readonly options: BootstrapOptions;
  private readonly sums: SceneSums;
  private readonly baseline: ReturnType<typeof rememberBaselines>;
  private readonly pairs: Pairs = [];

  constructor(labels: Labels, options: BootstrapOptions = {}) {
    this.labels = labels;
    this.options = options;
    this.sums = new SceneSums(options);
    this.baseline = rememberBaselines(labels);
  }

  /** @param said chances over all labels by forecaster; `own` is judged in full, of the others all but calibration */
  add(window: TruthWindow, said: Readonly<Record<string, readonly number[]>>): void {
    const { scene, bayes, prior } = window;
    const add = (column: string, value: number): void => this.sums.add(scene, column, value);
    add('windows', 1);
    for (const name of reference)
      add(`log ${name}`, logScore(this.baseline(name, window).published, bayes));
    for (const [name, chances] of Object.entries(said)) {
      if (baselines.some((it) => it === name)) throw new RangeError(`${name} is a baseline.`);
      const line = messageLine(window, chances, this.labels);
      add(`log ${name}`, logScore(saidNext(line, prior, this.labels).published, bayes));
      add(`windows ${name}`, 1);
      for (const places of [1, 3] as const)
        add(`top${places} ${name}`, expectedHits(chances, bayes, places));
    }
    for (const places of [1, 3] as const)
      add(`top${places} bayes`, expectedHits(bayes, bayes, places));
    const answers = said[own];
    if (answers) this.pairs.push(...calibrationPairs(window, answers));
  }

  get windows(): number {
    return this.sums.total('windows');
  }

  /** (S_prior - S) / (S_prior - S_bayes), means first. Null where that forecaster did not speak of every window. */
  skill(name: string): Measure | null {
    if (!this.isWhole(name)) return null;
    return this.sums.measure((sum) => skillOf(sum, name));
  }

  /** Of skills, on the same resamples: what both find hard cancels out. */
  skillGain(name: string, over: string): Measure | null {
    if (!this.isWhole(name) || !this.isWhole(over)) return null;
    return this.sums.measure((sum) => skillOf(sum, name) - skillOf(sum, over));
  }

  /** Of log scores, on the same resamples: above 0 the other is better. */
  logScoreGain(name: string, over: string): Measure | null {
    if (!this.isWhole(name) || !this.isWhole(over)) return null;
    return this.sums.measure((sum) => (sum(`log ${name}`) - sum(`log ${over}`)) / sum('windows'));
  }

  /** Nats, lower is better. */
  logScore(name: string): Measure | null {
    return this.isWhole(name) ? this.sums.ratio(`log ${name}`, 'windows') : null;
  }

  /**
   * The chance, by pBayes, that what comes is among the first answers, as a share of that of pBayes' own first answers.
   * Answers are labels, and `nothing` is one like any other: of three places it takes one where it is that likely.
   */
  topShare(places: 1 | 3, name = own): Measure | null {
    return this.isWhole(name)
      ? this.sums.ratio(`top${places} ${name}`, `top${places} bayes`)
      : null;
  }

  /** Of such shares, on the same resamples: below 0 the other is better. */
  topShareGain(places: 1 | 3, name: string, over: string): Measure | null {
    if (!this.isWhole(name) || !this.isWhole(over)) return null;
    const hits = (sum: (column: string) => number, of: string): number => sum(`top${places} ${of}`);
    return this.sums.measure(
      (sum) => (hits(sum, name) - hits(sum, over)) / sum(`top${places} bayes`),
    );
  }

  /** Null without any window. */
  calibration(): Calibration | null {
    if (this.pairs.length === 0) return null;
    return calibrate(this.pairs, new SceneSums(this.options));
  }

  private isWhole(name: string): boolean {
    const isReference = reference.some((it) => it === name);
    const spoken = isReference ? this.windows : this.sums.total(`windows ${name}`);
    return this.windows > 0 && spoken === this.windows;
  }
}

function skillOf(sum: (column: string) => number, name: string): number {
  return (sum('log prior') - sum(`log ${name}`)) / (sum('log prior') - sum('log bayes'));
}

/** Equal chances share the places. */
function expectedHits(
  answers: readonly number[],
  bayes: readonly number[],
  places: number,
): number {
  const shares = placesOf(answers, places);
  return bayes.reduce((sum, chance, label) => sum + chance * (shares[label] ?? 0), 0);
}
