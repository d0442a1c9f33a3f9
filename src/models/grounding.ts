import { LookaheadError } from '../errors.js';

/**
 * Kullback-Leibler divergence of what is said when seeing from what is said without, in nats: how much of an answer comes
 * from what is seen.
 */
export function divergence(seeing: readonly number[], blind: readonly number[]): number {
  if (seeing.length !== blind.length) {
    throw new LookaheadError(
      'model_failed',
      `${seeing.length} chances cannot be compared with ${blind.length}.`,
      'The carried forecast and the bundle are not of one build: build the bundle again.',
    );
  }
  return seeing.reduce((sum, chance, label) => {
    if (chance <= 0) return sum;
    return sum + chance * Math.log(chance / Math.max(blind[label] ?? 0, 1e-12));
  }, 0);
}
