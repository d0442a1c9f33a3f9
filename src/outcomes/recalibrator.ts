import {
  defaultFit,
  nextRecalibration,
  type Evidence,
  type Fit,
  type FitOptions,
  type RecalibrationValues,
} from './recalibration.js';

/** Fits cost some milliseconds, and one outcome changes little. */
const outcomesPerFit = 20;

/** What one camera's outcomes teach, as they come; keeps no more of them than a fit looks at. */
export class Recalibrator {
  readonly #options: FitOptions;
  #heard: readonly Evidence[] = [];
  #sinceFit = 0;

  constructor(options: FitOptions = defaultFit) {
    this.#options = options;
  }

  /** How many it knows of those that a fit looks at. */
  get heard(): number {
    return this.#heard.length;
  }

  /** One more outcome, in the order of the forecasts. @returns whether it is time to ask what follows */
  note(evidence: Evidence): boolean {
    this.#heard = [...this.#heard, evidence].slice(-this.#options.outcomesMax);
    this.#sinceFit += 1;
    return this.#sinceFit >= outcomesPerFit;
  }

  /** What is to be in force from now on: the object itself while nothing better is known. */
  next<InForce extends RecalibrationValues>(inForce: InForce): InForce | Fit {
    this.#sinceFit = 0;
    return nextRecalibration(this.#heard, inForce, this.#options);
  }

  /** Nothing was heard: what a person has set is not argued with by what came before it. */
  forget(): void {
    this.#heard = [];
    this.#sinceFit = 0;
  }
}
