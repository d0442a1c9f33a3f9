/** Whether a window is worth keeping, by what its forecast said and what came of it. */
import type { Forecast, Outcome } from '../messages.js';

/** The most telling first. */
export const harvestReasons = ['surprise', 'improbable', 'undecidable', 'doubtful'] as const;
/**
 * surprise: an event came first that the forecast had not named. improbable: what came had been given a small chance.
 * undecidable: what was recognised was too uncertain to tell. doubtful: the forecast had no answer that was likely.
 */
export type HarvestReason = (typeof harvestReasons)[number];

export interface KeepLimits {
  /** Log score from which an outcome surprises, nats. */
  readonly surpriseMin: number;
  /** Doubt from which a forecast is doubtful, 0 to 1. */
  readonly doubtMin: number;
}

/** 1 less the chance of the most likely answer: 0 is certain. */
export function doubtOf({ events, nothing }: Pick<Forecast, 'events' | 'nothing'>): number {
  return 1 - Math.max(nothing, ...events.map(({ confidence }) => confidence));
}

/**
 * All that holds, the most telling first; nothing where the window need not be kept. An outcome that cannot be decided
 * because the camera, a clip or the engine was away teaches nothing, however doubtful the forecast.
 */
export function whyKeep(
  forecast: Forecast,
  outcome: Outcome,
  { surpriseMin, doubtMin }: KeepLimits,
): readonly HarvestReason[] {
  const isUndecidable = outcome.verdict === 'undecidable';
  if (isUndecidable && outcome.because !== 'doubtful') return [];
  const holds: Record<HarvestReason, boolean> = {
    surprise: outcome.verdict === 'surprise',
    improbable: outcome.logScore !== null && outcome.logScore >= surpriseMin,
    undecidable: isUndecidable,
    doubtful: doubtMin < 1 && doubtOf(forecast) >= doubtMin,
  };
  return harvestReasons.filter((reason) => holds[reason]);
}
