/**
 * Calibration: of the things called 30 % likely, do 30 % come true? Pairs (label, q) of the three most likely events and
 * nothing, in 15 bins of equal mass.
 */
import { mostLikelyNames } from './published-form.js';
import type { Measure, SceneSums } from './scene-sums.js';
import type { TruthWindow } from './truth-window.js';

const calibrationBins = 15;

export interface ReliabilityRow {
  readonly pairs: number;
  /** Mean chance that was said. */
  readonly said: number;
  /** Share that came true. */
  readonly came: number;
  /** Mean chance by pBayes. */
  readonly bayes: number;
}

export interface Calibration {
  readonly pairs: number;
  /** Mean over the pairs of |said - came| of their bin. */
  readonly ece: Measure | null;
  /** The same with pBayes in place of what came true, which takes most of the luck out. */
  readonly eceBayes: Measure | null;
  /** The `ece` that luck alone would give to a forecaster whose chances are all true. */
  readonly eceOfPerfect: number;
  readonly reliability: readonly ReliabilityRow[];
}

interface Pair {
  readonly scene: number;
  readonly said: number;
  readonly came: number;
  readonly bayes: number;
}

export function calibrationPairs(
  { scene, next, bayes }: Pick<TruthWindow, 'scene' | 'next' | 'bayes'>,
  said: readonly number[],
): Pair[] {
  return [0, ...mostLikelyNames(said)].map((label) => ({
    scene,
    said: said[label] ?? 0,
    came: Number(label === next),
    bayes: bayes[label] ?? 0,
  }));
}

/**
 * The bins are those of all pairs; resamples keep them, so that each costs sums and no sorting. As luck adds to every bin's
 * gap, resamples tend to show more error than the file itself: read the interval as an upper side.
 */
export function calibrate(pairs: readonly Pair[], sums: SceneSums): Calibration {
  const sorted = [...pairs].sort((a, b) => a.said - b.said);
  const bins = Array.from({ length: calibrationBins }, (_, bin) => String(bin));
  let luck = 0;
  bins.forEach((bin, index) => {
    const [from, to] = [index, index + 1].map((edge) =>
      Math.floor((edge * sorted.length) / calibrationBins),
    );
    let variance = 0;
    for (const { scene, said, came, bayes } of sorted.slice(from, to)) {
      sums.add(scene, `${bin} pairs`, 1);
      sums.add(scene, `${bin} said`, said);
      sums.add(scene, `${bin} came`, came);
      sums.add(scene, `${bin} bayes`, bayes);
      variance += said * (1 - said);
    }
    // The mean of |x| for a normal x: the sum of many nearly independent outcomes.
    luck += Math.sqrt((2 / Math.PI) * variance);
  });
  const error = (truth: 'came' | 'bayes'): Measure | null =>
    sums.measure((sum) => {
      let gaps = 0;
      let count = 0;
      for (const bin of bins) {
        gaps += Math.abs(sum(`${bin} said`) - sum(`${bin} ${truth}`));
        count += sum(`${bin} pairs`);
      }
      return gaps / count;
    });
  return {
    pairs: pairs.length,
    ece: error('came'),
    eceBayes: error('bayes'),
    eceOfPerfect: luck / pairs.length,
    reliability: bins
      .map((bin) => {
        const count = sums.total(`${bin} pairs`);
        const mean = (column: string): number => sums.total(`${bin} ${column}`) / count;
        return { pairs: count, said: mean('said'), came: mean('came'), bayes: mean('bayes') };
      })
      .filter((row) => row.pairs > 0),
  };
}
