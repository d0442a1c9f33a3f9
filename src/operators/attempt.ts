import {
  defer,
  identity,
  take,
  throwError,
  timeout,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { LookaheadError, RequestDropped, type ErrorCode } from '../errors.js';
import type { DropReason, Report, Stage } from '../types.js';
import { skipFailures } from './skip-failures.js';

export interface AttemptOptions {
  readonly stage: Stage;
  /** A call without an answer for this long is given up. Infinity: never. */
  readonly limitMs: number;
  readonly report: Pick<Report, 'failed' | 'dropped'>;
}

/**
 * One call of a port: one answer, or none, but never an error. What failed or came too late is reported and counted.
 *
 * ```
 * call    ---a       -#      ----------a
 * result  ---(a|)    -|      ------|          limit 6 frames
 * ```
 */
export function attempt<T>(
  { stage, limitMs, report }: AttemptOptions,
  call: () => ObservableInput<T>,
): Observable<T> {
  const tooLate = new LookaheadError(
    stage === 'publish' ? 'publish_failed' : 'model_late',
    `The stage "${stage}" gave no answer within ${String(limitMs)} ms.`,
    'Look at the load of the machine and at the state of the models and the broker.',
  );
  return defer(call).pipe(
    take(1),
    Number.isFinite(limitMs)
      ? timeout({ first: limitMs, with: () => throwError(() => tooLate) })
      : identity,
    skipFailures((error) => {
      report.failed(stage, error);
      report.dropped(stage, reasonOf(error, tooLate.code), 1);
    }),
  );
}

function reasonOf(error: unknown, lateCode: ErrorCode): DropReason {
  if (error instanceof RequestDropped) return error.reason;
  return error instanceof LookaheadError && error.code === lateCode ? 'late' : 'failed';
}
