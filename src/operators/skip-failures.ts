import { catchError, EMPTY, type MonoTypeOperatorFunction } from 'rxjs';

/**
 * A failure ends this one call without a value; the camera goes on. Stands only around calls of ports: what our own
 * code throws is a programming error and must stop the process.
 *
 * ```
 * call    --a--#
 * result  --a--|      and `onFailure(error)`
 * ```
 */
export function skipFailures<T>(onFailure: (error: unknown) => void): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    onFailure(error);
    return EMPTY;
  });
}
