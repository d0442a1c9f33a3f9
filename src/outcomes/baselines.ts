/** Two forecasters who see no picture, running beside the bundle on each camera: who is no better is not worth its cost. */
import type { Outcome } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { labelNamed } from '../operators/score-forecast.js';
import { brierScore, logScore, spreadOverLabels } from '../scores.js';

/** What the bundle's base rates weigh, in outcomes of this camera: about forty seconds of them. */
const priorOutcomes = 20;
/** As in the yard's exams: the loss to the base rate is at most ln 2 nats an outcome. */
const persistenceWeight = 0.5;

/** Events that are kept of a camera: more than begin between a window's end and the forecast that is made of it. */
const eventsMax = 64;

/** Chances over all labels, with the floor of every score. */
export interface BaselineChances {
  readonly baseRate: readonly number[];
  readonly persistence: readonly number[];
}

type Marks = NonNullable<Outcome['baselines']>;

/** Of one camera. Knows what it is told, in the order in which it came. */
export class Baselines {
  readonly #labels: readonly Pick<Label, 'type' | 'text' | 'baseRate'>[];
  readonly #counts: number[];
  #outcomes = 0;
  /** In the order of their onsets. */
  #events: readonly { readonly label: number; readonly onsetMs: number }[] = [];

  constructor(labels: readonly Pick<Label, 'type' | 'text' | 'baseRate'>[]) {
    this.#labels = labels;
    this.#counts = labels.map(() => 0);
  }

  /** A decided outcome of a forecast of what comes next. What the labels do not know is left out. */
  noteOutcome(observed: string): void {
    const label = this.indexOf(observed);
    if (label < 0) return;
    this.#counts[label] = (this.#counts[label] ?? 0) + 1;
    this.#outcomes += 1;
  }

  /** An event that was recognised, in any order. */
  noteEvent(label: number, onsetMs: number): void {
    if (label <= 0) return;
    const isAfter = this.#events.findIndex((event) => event.onsetMs > onsetMs);
    const at = isAfter < 0 ? this.#events.length : isAfter;
    this.#events = this.#events.toSpliced(at, 0, { label, onsetMs }).slice(-eventsMax);
  }

  /**
   * What both say by all that was noted: ask when a forecast is issued. Scenes that came while it was made show the beginning of
   * its horizon; what begins there is not for persistence to know.
   */
  at(windowEndMs: number): BaselineChances {
    const total = this.#outcomes + priorOutcomes;
    const rates = this.#labels.map(
      ({ baseRate }, label) => ((this.#counts[label] ?? 0) + priorOutcomes * baseRate) / total,
    );
    const last = this.#events.findLast(({ onsetMs }) => onsetMs < windowEndMs)?.label;
    const kept = last === undefined ? 0 : persistenceWeight;
    const persistence = rates.map((rate, label) => (1 - kept) * rate + (label === last ? kept : 0));
    return { baseRate: floored(rates), persistence: floored(persistence) };
  }

  /** @returns -1: no label of the bundle */
  indexOf(text: string): number {
    return labelNamed(this.#labels, text);
  }
}

export function marksOf({ baseRate, persistence }: BaselineChances, observed: number): Marks {
  const mark = (chances: readonly number[]): Marks['baseRate'] => ({
    brier: brierScore(chances, observed),
    logScore: logScore(chances, observed),
    hit: chances.every((chance) => chance <= (chances[observed] ?? 0)),
  });
  return { baseRate: mark(baseRate), persistence: mark(persistence) };
}

function floored(chances: readonly number[]): number[] {
  return spreadOverLabels(chances, 0, chances);
}
