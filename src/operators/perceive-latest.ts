import type { ObservableInput, OperatorFunction } from 'rxjs';
import { processBounded } from './process-bounded.js';

/**
 * One call runs, the newest value waits, an older one that waited is dropped: a slow model sees the present, not a
 * growing past. A value that arrives while nothing runs starts at once.
 *
 * ```
 * clips     a-b-c-----|
 * perceive  -----A----(C|)    each call takes 5 frames; b is dropped
 * ```
 */
export function perceiveLatest<In, Out>(
  perceive: (value: In) => ObservableInput<Out>,
  onDrop: (dropped: In) => void,
): OperatorFunction<In, Out> {
  return processBounded({ runningMax: 1, waitingMax: 1, onDrop }, perceive);
}
