/** Two bundles' forecasts of the same recordings, each marked by both bundles' own recognition: neither is its only judge. */
import type { Forecast, Outcome } from '../../messages.js';
import type { Label } from '../../models/manifest.js';
import { labelNamed, spreadForecast } from '../../operators/score-forecast.js';
import { brierScore, logScore } from '../../scores.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';

export const sides = ['a', 'b'] as const;
export type Side = (typeof sides)[number];

/** What one bundle published of one recording. */
export interface Published {
  readonly forecasts: readonly Forecast[];
  readonly outcomes: readonly Outcome[];
}

export interface Marks {
  readonly windows: number;
  /** Minutes of recordings with such windows. */
  readonly minutes: number;
  readonly logScore: Readonly<Record<Side, Measure>>;
  readonly brier: Readonly<Record<Side, Measure>>;
  /** B's log score less A's, nats: above 0 A is better. Paired by window. */
  readonly logScoreGain: Measure;
  readonly brierGain: Measure;
}

/** Windows within a minute resemble each other, so that intervals are drawn by minutes of a recording. */
const blockMs = 60_000;

export class ComparedOutcomes {
  readonly #labels: Readonly<Record<Side, readonly Label[]>>;
  readonly #sums: Readonly<Record<Side, SceneSums>>;
  readonly #minutes = { a: new Set<number>(), b: new Set<number>() };
  #recordings = 0;
  #blocks = 0;

  /** @param labels of each bundle, in its own order; the same as sets */
  constructor(labels: Readonly<Record<Side, readonly Label[]>>, options: BootstrapOptions = {}) {
    this.#labels = labels;
    this.#sums = { a: new SceneSums(options), b: new SceneSums(options) };
  }

  get recordings(): number {
    return this.#recordings;
  }

  /** Only windows count that both have forecast and both could decide: the judges differ in what they saw and in nothing else. */
  add(published: Readonly<Record<Side, Published>>): void {
    const next = (side: Side): Map<string, Forecast> =>
      new Map(
        published[side].forecasts
          .filter(({ rev, target }) => rev === 0 && target === 'next')
          .map((forecast) => [forecast.window.to, forecast]),
      );
    const forecasts = { a: next('a'), b: next('b') };
    const observed = (side: Side): Map<string, string> =>
      new Map(
        published[side].outcomes.flatMap(({ id, observed: label, target }) =>
          label === null || target === 'within' ? [] : [[id, label] as const],
        ),
      );
    const seen = { a: observed('a'), b: observed('b') };
    for (const [to, a] of forecasts.a) {
      const b = forecasts.b.get(to);
      const labels = { a: seen.a.get(a.id), b: b && seen.b.get(b.id) };
      if (!b || labels.a === undefined || labels.b === undefined) continue;
      const block = this.#blocks + Math.floor(Date.parse(to) / blockMs);
      for (const judge of sides) {
        const label = labels[judge] ?? '';
        this.#minutes[judge].add(block);
        this.#sums[judge].add(block, 'windows', 1);
        for (const [side, forecast] of [
          ['a', a],
          ['b', b],
        ] as const) {
          const marks = this.#marksOf(side, forecast, label);
          this.#sums[judge].add(block, `log ${side}`, marks.log);
          this.#sums[judge].add(block, `brier ${side}`, marks.brier);
        }
      }
    }
    this.#recordings += 1;
    // No two recordings share a block.
    this.#blocks += 1_000_000_000;
  }

  /** Null: there is no window that both decided. */
  judgedBy(judge: Side): Marks | null {
    const sums = this.#sums[judge];
    const mean = (column: string): Measure | null => sums.ratio(column, 'windows');
    const gain = (of: string): Measure | null =>
      sums.measure((sum) => (sum(`${of} b`) - sum(`${of} a`)) / sum('windows'));
    const [logA, logB, brierA, brierB] = ['log a', 'log b', 'brier a', 'brier b'].map(mean);
    const [logScoreGain, brierGain] = [gain('log'), gain('brier')];
    if (!logA || !logB || !brierA || !brierB || !logScoreGain || !brierGain) return null;
    return {
      windows: sums.total('windows'),
      minutes: this.#minutes[judge].size,
      logScore: { a: logA, b: logB },
      brier: { a: brierA, b: brierB },
      ...{ logScoreGain, brierGain },
    };
  }

  #marksOf(side: Side, forecast: Forecast, observed: string): { log: number; brier: number } {
    const labels = this.#labels[side];
    const came = labelNamed(labels, observed);
    const chances = spreadForecast(forecast, labels);
    return { log: logScore(chances, came), brier: brierScore(chances, came) };
  }
}

/** A bootstrap over a handful of scenes knows no others: its interval is too narrow. */
const scenesLeast = 6;

/** Which is better, in plain words. @param gain B's log score less A's, nats @param scenes, or minutes, that it was drawn over */
export function verdictOf(gain: Measure, windows: number, scenes = Infinity): string {
  const verdict = plainVerdict(gain, windows);
  if (scenes >= scenesLeast) return verdict;
  return `${verdict}, of ${String(scenes)} scenes alone: the interval is too narrow`;
}

function plainVerdict(gain: Measure, windows: number): string {
  const [low, high] = gain.interval;
  const better = low > 0 ? 'A' : high < 0 ? 'B' : null;
  const by = Math.abs(gain.value).toFixed(3);
  const bounds = [Math.abs(low), Math.abs(high)].sort((a, b) => a - b).map((it) => it.toFixed(3));
  if (better)
    return `${better} is better: log score lower by ${by} [${bounds.join(', ')}] on ${String(windows)} windows`;
  return `no difference can be told: log score of B less A ${gain.value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] on ${String(windows)} windows`;
}
