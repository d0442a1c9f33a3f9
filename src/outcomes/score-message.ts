/** The message that says how good the forecasts of a camera have been of late. */
import type { Recalibration, Score } from '../messages.js';
import type { Scoreboard, Target } from './scoreboard.js';

export interface ScoreFacts {
  readonly site: string;
  readonly bundle: Score['bundle'];
  /** In force on the camera. */
  readonly recalibration: Recalibration | null;
  readonly drift: Score['drift'];
}

/** @param nowMs milliseconds since 1970; the periods end there */
export function scoreMessage(
  board: Scoreboard,
  { camera, target }: { readonly camera: string; readonly target: Target },
  { site, bundle, recalibration, drift }: ScoreFacts,
  nowMs: number,
): Score {
  return {
    schema: 'lookahead.score.v1',
    site,
    camera,
    at: new Date(nowMs).toISOString(),
    target,
    periods: board.periods(camera, target, nowMs),
    recalibration,
    drift,
    bundle,
  };
}
