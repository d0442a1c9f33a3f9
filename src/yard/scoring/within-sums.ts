/** What forecasts of what begins at all are worth, scene by scene, in expectation under pBayes' own (score-file.ts). */
import type { Labels } from './forecast-file.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';
import { yesNoScores } from './score-file.js';
import type { TruthWindow } from './truth-window.js';

const forecasters = ['own', 'prior', 'bayes'] as const;
type Forecaster = (typeof forecasters)[number];

export class WithinSums {
  private readonly events: number;
  private readonly sums: SceneSums;

  constructor(labels: Labels, options: BootstrapOptions = {}) {
    this.events = labels.length - 1;
    this.sums = new SceneSums(options);
  }

  /** @param own the chance of each label to begin at all; index 0 is not looked at */
  add({ scene, bayesWithin, priorWithin }: TruthWindow, own: readonly number[]): void {
    const said = { own, prior: priorWithin, bayes: bayesWithin };
    this.sums.add(scene, 'windows', 1);
    for (const name of forecasters) {
      const { log, brier } = yesNoScores(said[name], bayesWithin);
      this.sums.add(scene, `log ${name}`, log);
      this.sums.add(scene, `brier ${name}`, brier / this.events);
    }
  }

  get windows(): number {
    return this.sums.total('windows');
  }

  /** (S_prior - S) / (S_prior - S_bayes) of the log scores' sums over labels, means first. */
  skill(): Measure | null {
    return this.sums.measure(
      (sum) => (sum('log prior') - sum('log own')) / (sum('log prior') - sum('log bayes')),
    );
  }

  /** Mean over windows and labels of (chance - whether it came)². */
  brier(name: Forecaster): Measure | null {
    return this.sums.ratio(`brier ${name}`, 'windows');
  }
}
