/** Scores follow outcomes, at a pace that does not grow with them. */
import {
  asyncScheduler,
  auditTime,
  groupBy,
  map,
  mergeMap,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import type { Outcome, Score } from '../messages.js';

export interface ScoreAfterOptions {
  readonly periodMs: number;
  /** Writes the score of one camera and target as it is at a moment, milliseconds since 1970. */
  readonly write: (of: Pick<Score, 'camera' | 'target'>, nowMs: number) => Score;
  readonly scheduler?: SchedulerLike;
}

/**
 * One score for each camera and target in each period in which an outcome came, at the period's end; none while none comes. The
 * first outcome begins the period.
 *
 * ```
 * outcomes  -oo-o-----o---      a period of 4
 * scores    -----s-------s
 * ```
 */
export function scoreAfter({
  periodMs,
  write,
  scheduler = asyncScheduler,
}: ScoreAfterOptions): OperatorFunction<Outcome, Score> {
  return (outcome$) =>
    outcome$.pipe(
      groupBy(({ camera, target = 'next' }) => `${camera} ${target}`),
      mergeMap((group$) => group$.pipe(auditTime(periodMs, scheduler))),
      map(({ camera, target = 'next' }) => write({ camera, target }, scheduler.now())),
    );
}
