/** Whose call of a shared model is next. */
import { defer, finalize, Observable, type ObservableInput } from 'rxjs';

export interface Turns {
  /** Runs at once, beside whatever else runs. */
  readonly urgent: <T>(call: () => ObservableInput<T>) => Observable<T>;
  /** Waits until nothing else runs; one at a time, in the order of their coming. Who leaves while it waits never begins. */
  readonly patient: <T>(call: () => ObservableInput<T>) => Observable<T>;
}

/**
 * Forecasts go first: an explanation or an answer is begun only in a moment in which no forecast is being made.
 *
 * ```
 * urgent    -u---------|      each call takes 4 frames
 * patient   --p--------|
 * calls     -uuuu
 *                pppp
 * ```
 */
export function takeTurns(): Turns {
  const waiting: (() => void)[] = [];
  let urgentRunning = 0;
  let isPatientRunning = false;
  let isBeginning = false;

  // A loop with a flag instead of recursion: many calls that end at once must not deepen the stack.
  const beginNext = (): void => {
    if (isBeginning) return;
    isBeginning = true;
    while (urgentRunning === 0 && !isPatientRunning && waiting.length > 0) waiting.shift()?.();
    isBeginning = false;
  };

  return {
    urgent: (call) =>
      defer(() => {
        urgentRunning += 1;
        return defer(call).pipe(
          finalize(() => {
            urgentRunning -= 1;
            beginNext();
          }),
        );
      }),
    patient: (call) =>
      new Observable((subscriber) => {
        const begin = (): void => {
          isPatientRunning = true;
          const running = defer(call).pipe(
            finalize(() => {
              isPatientRunning = false;
              beginNext();
            }),
          );
          subscriber.add(running.subscribe(subscriber));
        };
        waiting.push(begin);
        beginNext();
        return () => {
          const place = waiting.indexOf(begin);
          if (place >= 0) waiting.splice(place, 1);
        };
      }),
  };
}

/** For whoever has the model alone, or must not depend on time: nothing waits. */
export const noTurns: Turns = {
  urgent: (call) => defer(call),
  patient: (call) => defer(call),
};
