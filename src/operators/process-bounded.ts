/** The one operator written by hand; `perceiveLatest`, `predictEvery` and `publishBounded` are made of it. */
import { defer, Observable, type ObservableInput, type OperatorFunction } from 'rxjs';

export interface BoundedOptions<In> {
  /** Calls of `project` at the same time. */
  readonly runningMax: number;
  /** Values that wait for their turn; one more and a value is dropped. */
  readonly waitingMax: number;
  /** Which one to drop, as an index into the waiting values, oldest first, the newcomer last. Default: the oldest. */
  readonly choose?: (waiting: readonly In[]) => number;
  readonly onDrop: (dropped: In) => void;
}

/**
 * Runs `project` for each value, a limited number at a time; a limited number wait, and what exceeds them is dropped and
 * told to `onDrop`. RxJS has no such operator: `concatMap` and `mergeMap` wait without bound, `exhaustMap` drops the
 * newest and `switchMap` never finishes behind a fast source.
 *
 * ```
 * source    a-b-c-----|       runningMax 1, waitingMax 1, each call takes 5 frames
 * calls     aaaaa
 *                ccccc        b was dropped when c came
 * result    -----a----(c|)
 * ```
 */
export function processBounded<In, Out>(
  { runningMax, waitingMax, choose = () => 0, onDrop }: BoundedOptions<In>,
  project: (value: In) => ObservableInput<Out>,
): OperatorFunction<In, Out> {
  return (source) =>
    new Observable<Out>((subscriber) => {
      const waiting: In[] = [];
      let running = 0;
      let hasEnded = false;
      let isStarting = false;

      // A loop with a flag instead of recursion: thousands of calls that end at once must not deepen the stack.
      const startWaiting = (): void => {
        if (isStarting) return;
        isStarting = true;
        while (running < runningMax && waiting.length > 0 && !subscriber.closed) {
          start(waiting.shift() as In);
        }
        isStarting = false;
        if (hasEnded && running === 0 && waiting.length === 0) subscriber.complete();
      };

      const start = (value: In): void => {
        running += 1;
        // `defer` turns a throw of `project` into an error of the stream; without it it would be uncaught.
        const call = defer(() => project(value)).subscribe({
          next: (result) => {
            subscriber.next(result);
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            running -= 1;
            startWaiting();
          },
        });
        subscriber.add(call);
      };

      const values = source.subscribe({
        next: (value) => {
          waiting.push(value);
          startWaiting();
          if (waiting.length <= waitingMax) return;
          try {
            for (const dropped of waiting.splice(choose(waiting), 1)) onDrop(dropped);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => {
          subscriber.error(error);
        },
        complete: () => {
          hasEnded = true;
          startWaiting();
        },
      });
      subscriber.add(values);
    });
}
