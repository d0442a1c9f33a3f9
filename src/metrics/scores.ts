/** How well the forecasts did, as numbers: what came since the start, and the rolling marks. */
import type { Outcome, Score } from '../messages.js';
import type { Scoreboard } from '../outcomes/scoreboard.js';
import { periodNames } from '../outcomes/scoreboard.js';
import type { Metrics } from './registry.js';

/** One outcome more, as it comes. Those that no score counts are not counted here either. */
export function countOutcome(metrics: Metrics, outcome: Outcome): void {
  const { camera, target = 'next', verdict, observed, predicted, leadMs } = outcome;
  if (verdict === 'undecidable' || observed === null || outcome.calibrated === false) return;
  const began = target === 'within' && outcome.began?.length ? outcome.began : [observed];
  for (const label of began)
    metrics.add('lookahead_label_observed_total', { camera, target, label });
  metrics.add('lookahead_label_predicted_total', { camera, target, label: predicted });
  if (verdict !== 'hit') return;
  metrics.add('lookahead_label_hits_total', { camera, target, label: predicted });
  if (leadMs !== null && observed === predicted)
    metrics.observe('lookahead_lead_seconds', { camera, target }, Math.max(0, leadMs) / 1_000);
}

/** The marks of every camera as they are at `nowMs`. A mark that there is nothing to say from is NaN, as Prometheus has it. */
export function setScores(metrics: Metrics, board: Scoreboard, nowMs: number): void {
  for (const { camera, target } of board.kept()) {
    const scores = board.periods(camera, target, nowMs);
    for (const period of periodNames) setScore(metrics, { camera, target, period }, scores[period]);
  }
}

function setScore(
  metrics: Metrics,
  labels: { readonly camera: string; readonly target: string; readonly period: string },
  score: Score['periods']['hour'],
): void {
  const all = score.outcomes + score.undecidable;
  metrics.set('lookahead_score_outcomes', labels, score.outcomes);
  metrics.set('lookahead_score_undecidable_ratio', labels, score.undecidable / all);
  metrics.set('lookahead_score_hit_ratio', labels, score.hitRate ?? NaN);
  metrics.set('lookahead_score_brier', labels, score.brier ?? NaN);
  metrics.set('lookahead_score_calibration_error', labels, score.calibrationError ?? NaN);
  const skills = {
    base_rate: score.skillOverBaseRate,
    persistence: score.skillOverPersistence,
  };
  for (const [baseline, skill] of Object.entries(skills))
    metrics.set('lookahead_score_skill', { ...labels, baseline }, skill ?? NaN);
}
