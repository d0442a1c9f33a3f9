/**
 * How good forecasts are, as the design defines it: log score over all labels, Brier score, and skill between the base
 * rates (0) and the best that anyone could know (1), with intervals by bootstrap over scenes.
 */
import { brierScore, logScore, spreadOverLabels, type Truth } from '../scores.js';
import { uniform } from './random.js';

const namedEvents = 3;

/** One window: what came, and what was said. All distributions run over all labels, 0 is nothing, and sum to 1. */
export interface ScoredWindow {
  /** Windows of one scene stay together in the bootstrap. */
  readonly scene: number;
  /** The label that came, or the share of re-simulated futures in which each label came. */
  readonly truth: Truth;
  readonly forecast: readonly number[];
  /** Base rates: what a forecaster says that sees nothing. */
  readonly prior: readonly number[];
  /** The chances of someone who knows the rules and the visible state. */
  readonly bayes?: readonly number[];
}

export interface Measure {
  readonly value: number;
  /** 95 %, by bootstrap over scenes. */
  readonly interval: readonly [number, number];
}

/** Scores are in nats, S = mean of -ln q(o): lower is better. */
export interface Scores {
  readonly windows: number;
  readonly logScore: Measure;
  readonly logScorePrior: Measure;
  readonly logScoreBayes: Measure | null;
  readonly brier: Measure;
  readonly brierPrior: Measure;
  readonly brierBayes: Measure | null;
  /** (S_prior - S) / (S_prior - S_bayes). */
  readonly skill: Measure | null;
  /** S_prior - S: above 0 when the forecasts beat the base rates. */
  readonly gain: Measure;
}

/**
 * What a published forecast tells about all labels: nothing and its three most likely events as they are, the rest
 * spread over the unnamed labels in proportion to the base rates; then the floor, then renormalised.
 * @param forecast chances of all labels, or of those it names (0 for the others); need not sum to 1
 * @param somethingElse the chance of all unnamed labels; by default what the named ones leave of 1
 */
export function published(
  forecast: readonly number[],
  baseRates: readonly number[],
  somethingElse?: number,
): number[] {
  const order = forecast
    .map((share, label) => ({ share, label }))
    .filter(({ label }) => label > 0)
    .sort((a, b) => b.share - a.share || a.label - b.label);
  const isNamed = new Set([0, ...order.slice(0, namedEvents).map(({ label }) => label)]);
  const named = forecast.map((share, label) => (isNamed.has(label) ? share : null));
  const rest = Math.max(0, 1 - named.reduce<number>((total, share) => total + (share ?? 0), 0));
  return spreadOverLabels(named, somethingElse ?? rest, baseRates);
}

const columns = ['log', 'logPrior', 'logBayes', 'brier', 'brierPrior', 'brierBayes'] as const;
type Sums = Record<(typeof columns)[number] | 'windows', number>;
const zeroSums = (): Sums => ({
  windows: 0,
  log: 0,
  logPrior: 0,
  logBayes: 0,
  brier: 0,
  brierPrior: 0,
  brierBayes: 0,
});

/** @throws RangeError without windows, or when only some of them carry `bayes` */
export function scoreForecasts(
  windows: readonly ScoredWindow[],
  options: { readonly resamples?: number; readonly seed?: number } = {},
): Scores {
  const withBayes = windows.filter((window) => window.bayes).length;
  if (windows.length === 0) throw new RangeError('There is no window to score.');
  if (withBayes > 0 && withBayes < windows.length)
    throw new RangeError(
      `Only ${String(withBayes)} of ${String(windows.length)} windows have bayes.`,
    );
  const scenes = [...sumsByScene(windows).values()];
  const all = addUp(scenes);
  const resamples = Array.from({ length: options.resamples ?? 1000 }, (_, i) =>
    addUp(
      scenes.map((scene, j) => {
        const at = Math.floor(uniform(options.seed ?? 1, 'bootstrap', i, j) * scenes.length);
        return scenes[at] ?? scene;
      }),
    ),
  );
  const measure = (of: (sums: Sums) => number): Measure => {
    const sorted = resamples.map(of).sort((a, b) => a - b);
    const quantile = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? of(all);
    return { value: of(all), interval: [quantile(0.025), quantile(0.975)] };
  };
  const mean = (column: (typeof columns)[number]): Measure =>
    measure((sums) => sums[column] / sums.windows);
  return {
    windows: windows.length,
    logScore: mean('log'),
    logScorePrior: mean('logPrior'),
    logScoreBayes: withBayes ? mean('logBayes') : null,
    brier: mean('brier'),
    brierPrior: mean('brierPrior'),
    brierBayes: withBayes ? mean('brierBayes') : null,
    skill: withBayes
      ? measure((sums) => (sums.logPrior - sums.log) / (sums.logPrior - sums.logBayes))
      : null,
    gain: measure((sums) => (sums.logPrior - sums.log) / sums.windows),
  };
}

function sumsByScene(windows: readonly ScoredWindow[]): Map<number, Sums> {
  const scenes = new Map<number, Sums>();
  for (const { scene, truth, forecast, prior, bayes } of windows) {
    const sums = scenes.get(scene) ?? zeroSums();
    scenes.set(scene, sums);
    const forecastShares = published(forecast, prior);
    const priorShares = published(prior, prior);
    sums.windows++;
    sums.log += logScore(forecastShares, truth);
    sums.logPrior += logScore(priorShares, truth);
    sums.brier += brierScore(forecastShares, truth);
    sums.brierPrior += brierScore(priorShares, truth);
    if (!bayes) continue;
    const bayesShares = published(bayes, prior);
    sums.logBayes += logScore(bayesShares, truth);
    sums.brierBayes += brierScore(bayesShares, truth);
  }
  return scenes;
}

function addUp(parts: readonly Sums[]): Sums {
  const total = zeroSums();
  for (const part of parts) {
    total.windows += part.windows;
    for (const column of columns) total[column] += part[column];
  }
  return total;
}
