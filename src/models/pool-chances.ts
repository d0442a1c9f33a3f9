/** Several forecasters of one window as one distribution, softened where the picture is strange. Pure. */
import type { Calibration } from './manifest.js';
import type { SeenScene } from './seen-window.js';

/** Distributions over the same labels. */
export interface Opinions {
  /** The language model's, tempered. */
  readonly reasoner: readonly number[];
  /** The object encoder's, before the fusion core has read it; null where the graph does not give it. */
  readonly outlook: readonly number[] | null;
  /** The track forecaster's; null where the bundle has none. */
  readonly tracks: readonly number[] | null;
}

/**
 * The linear opinion pool (Stone 1961): the mean of distributions, weighted by `pool`. Forecasters who err apart are together
 * better than the best of them, and a label is out of the question only where all say so. Weights of absent ones fall to the others;
 * without `pool` the reasoner speaks alone.
 */
export function poolChances(
  { reasoner, outlook, tracks }: Opinions,
  pool: Calibration['pool'],
): readonly number[] {
  if (!pool) return reasoner;
  const weighed = [
    { chances: reasoner, weight: pool.reasoner },
    { chances: outlook, weight: pool.outlook },
    { chances: tracks, weight: pool.tracks },
  ].flatMap(({ chances, weight }) => (chances ? [{ chances, weight }] : []));
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0) return reasoner;
  return reasoner.map((_, label) =>
    weighed.reduce((sum, { chances, weight }) => sum + (weight / total) * (chances[label] ?? 0), 0),
  );
}

/**
 * Less certain of what looks less like training: exponent 1 / (1 + slope (1 - familiarity / below)) below that familiarity, 1 from
 * there on; then a sum of 1. What was fitted on familiar pictures says nothing of how sure one may be of others.
 *
 * @param familiarity of the window, 0 to 1
 */
export function soften(
  chances: readonly number[],
  familiarity: number,
  unfamiliar: Calibration['unfamiliar'],
): readonly number[] {
  if (!unfamiliar || familiarity >= unfamiliar.below) return chances;
  const temperature = 1 + unfamiliar.slope * (1 - familiarity / unfamiliar.below);
  const raised = chances.map((chance) => chance ** (1 / temperature));
  const total = raised.reduce((sum, chance) => sum + chance, 0);
  return raised.map((chance) => chance / total);
}

/** The mean over the window's scenes, as forecasts tell it. */
export function familiarityOfWindow(window: readonly Pick<SeenScene, 'familiarity'>[]): number {
  return window.reduce((sum, { familiarity }) => sum + familiarity, 0) / Math.max(1, window.length);
}
