import type { ClipTokens } from './backbone.js';
import type { Calibration } from './manifest.js';

/**
 * How near a clip is to what the bundle was trained on. The feature is [CLS, mean of the patches, standard deviation of
 * the patches (of the population)], 3 D_v numbers; its squared distance |W (x - mean)|² is turned into a share by the
 * distances that calibration gives: 1 as near as the nearest held-out scene, 0 as far as the last of them or further.
 */
export function familiarityOf(tokens: ClipTokens, calibration: Calibration['familiarity']): number {
  const { mean, whitening, quantiles } = calibration;
  const feature = featureOf(tokens);
  let distance = 0;
  for (const row of whitening) {
    let projected = 0;
    for (let i = 0; i < row.length; i++) {
      projected += (row[i] ?? 0) * ((feature[i] ?? 0) - (mean[i] ?? 0));
    }
    distance += projected * projected;
  }
  return 1 - rankOf(distance, quantiles);
}

export function featureOf({ cls, patches }: ClipTokens): Float64Array {
  const dim = cls.length;
  const count = patches.length / dim;
  const feature = new Float64Array(3 * dim);
  feature.set(cls);
  for (let d = 0; d < dim; d++) {
    let sum = 0;
    for (let p = 0; p < count; p++) sum += patches[p * dim + d] ?? 0;
    const mean = sum / count;
    let squares = 0;
    for (let p = 0; p < count; p++) squares += ((patches[p * dim + d] ?? 0) - mean) ** 2;
    feature[dim + d] = mean;
    feature[2 * dim + d] = Math.sqrt(squares / count);
  }
  return feature;
}

/** Share of the quantiles that lie below, linear between two of them. NaN counts as far. */
function rankOf(distance: number, quantiles: readonly number[]): number {
  const above = quantiles.findIndex((quantile) => distance <= quantile);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const from = quantiles[above - 1] ?? 0;
  const to = quantiles[above] ?? from;
  const within = to === from ? 1 : (distance - from) / (to - from);
  return (above - 1 + within) / (quantiles.length - 1);
}
