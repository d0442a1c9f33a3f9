import { LookaheadError } from '../errors.js';

/**
 * Log-likelihoods to probabilities: softmax of `scores / temperature`.
 *
 * @throws LookaheadError `model_failed` where a score is no finite number: a forecast must never be made of NaN.
 */
export function softmax(scores: ArrayLike<number>, temperature = 1): number[] {
  const tempered = Array.from(scores, (score) => score / temperature);
  const bad = tempered.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0 || tempered.length === 0) {
    throw new LookaheadError(
      'model_failed',
      `Score ${String(bad)} of ${String(tempered.length)} is ${String(scores[bad])}, not a finite number.`,
      'The forecast is left out; if it happens again, check the bundle with `./lookahead check`.',
    );
  }
  const largest = Math.max(...tempered);
  const weights = tempered.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** ln softmax(logits)[index], over `count` logits that start at `from`. */
export function logSoftmaxAt(
  logits: Float32Array,
  from: number,
  count: number,
  index: number,
): number {
  let largest = -Infinity;
  for (let i = from; i < from + count; i++) largest = Math.max(largest, logits[i] ?? NaN);
  let total = 0;
  for (let i = from; i < from + count; i++) total += Math.exp((logits[i] ?? NaN) - largest);
  return (logits[from + index] ?? NaN) - largest - Math.log(total);
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Index of the largest of `count` numbers from `from`; relative to `from`. The first of equals. */
export function argmax(values: ArrayLike<number>, from = 0, count = values.length - from): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((values[from + i] ?? NaN) > (values[from + best] ?? NaN)) best = i;
  }
  return best;
}
