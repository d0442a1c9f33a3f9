/**
 * Time along the future lane. The line of now stands still and time passes beneath it. What is to come gets more room a
 * second than what was: four seconds matter there, a minute is remembered here.
 */
export interface LaneScale {
  readonly widthPx: number;
  /** Where the line of now stands. */
  readonly nowPx: number;
  readonly nowMs: number;
  /** Shown left of now. */
  readonly pastMs: number;
  /** Shown right of now. */
  readonly aheadMs: number;
}

/** Of the width; on a narrow lane the answers need more of it for their words. */
const nowShare = 0.6;
const narrowNowShare = 0.5;
const narrowPx = 380;

export function laneScale(
  widthPx: number,
  nowMs: number,
  pastMs: number,
  aheadMs: number,
): LaneScale {
  const share = widthPx < narrowPx ? narrowNowShare : nowShare;
  return { widthPx, nowPx: Math.round(widthPx * share), nowMs, pastMs, aheadMs };
}

/** May lie beyond either end. */
export function xOf({ widthPx, nowPx, nowMs, pastMs, aheadMs }: LaneScale, ms: number): number {
  const after = ms - nowMs;
  return after < 0
    ? nowPx + (after / pastMs) * nowPx
    : nowPx + (after / aheadMs) * (widthPx - nowPx);
}

/** The other way round. */
export function msAt({ widthPx, nowPx, nowMs, pastMs, aheadMs }: LaneScale, x: number): number {
  return x < nowPx
    ? nowMs + ((x - nowPx) / nowPx) * pastMs
    : nowMs + ((x - nowPx) / (widthPx - nowPx)) * aheadMs;
}
