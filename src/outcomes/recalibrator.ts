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
  readonly #heard: Evidence[] = [];
  /** Ends of the windows whose outcome was in doubt, in any order. */
  #doubted: readonly number[] = [];
  #sinceFit = 0;
  #fromMs = -Infinity;

  constructor(options: FitOptions = defaultFit) {
    this.#options = options;
  }

  /** How many it knows of those that a fit looks at. */
  get heard(): number {
    return this.#heard.length;
  }

  /**
   * One more outcome. Those of earlier runs may come after the first of this one, and again: they are put in the order of their
   * forecasts, each once.
   *
   * @returns whether it is time to ask what follows
   */
  note(evidence: Evidence): boolean {
    const { windowToMs } = evidence;
    const before = this.#heard.findLastIndex((it) => it.windowToMs <= windowToMs);
    const isKnown = this.#heard[before]?.windowToMs === windowToMs;
    if (windowToMs < this.#fromMs || isKnown) return false;
    this.#heard.splice(before + 1, 0, evidence);
    if (this.#heard.length > this.#options.outcomesMax) this.#heard.shift();
    this.#sinceFit += 1;
    return this.#sinceFit >= outcomesPerFit;
  }

  /** An outcome that could not be decided, though the camera was watched. */
  noteDoubt(windowToMs: number): void {
    if (windowToMs < this.#fromMs || this.#doubted.includes(windowToMs)) return;
    this.#doubted = [...this.#doubted, windowToMs].slice(-this.#options.outcomesMax);
  }

  /**
   * What is to be in force from now on: the object itself while nothing better is known.
   *
   * It is what was seen that can be in doubt, and of nothing there is nothing to doubt: outcomes of nothing are known more often
   * than others. Each counts as much less as of the others are known.
   */
  next<InForce extends RecalibrationValues>(inForce: InForce): InForce | Fit {
    this.#sinceFit = 0;
    const fromMs = this.#heard[0]?.windowToMs ?? Infinity;
    const doubted = this.#doubted.filter((windowToMs) => windowToMs >= fromMs).length;
    const events = this.#heard.filter(({ came, nothing }) => came !== nothing).length;
    const share = events + doubted > 0 ? events / (events + doubted) : 1;
    const weighed = this.#heard.map((it) => (it.came === it.nothing ? { ...it, share } : it));
    return nextRecalibration(weighed, inForce, this.#options);
  }

  /** What a person has set is not argued with by what came before it, whether that was heard already or is told later. */
  forget(untilMs: number): void {
    this.#fromMs = Math.max(this.#fromMs, untilMs);
    const kept = this.#heard.filter(({ windowToMs }) => windowToMs >= this.#fromMs);
    this.#heard.splice(0, this.#heard.length, ...kept);
    this.#doubted = this.#doubted.filter((windowToMs) => windowToMs >= this.#fromMs);
    this.#sinceFit = 0;
  }
}
