/** How often a still picture is worth a request. Pure. */
import type { Forecast } from '../../messages.js';

export const quietMs = 60_000;
export const busyMs = 2_500;
export const failedMs = 10_000;

/** Something is about to happen, or has just happened. */
export function stillEveryMs(
  newest: Pick<Forecast, 'events' | 'validUntil'> | undefined,
  lastOnset: string | undefined,
  nowMs: number,
): number {
  const isComing =
    newest !== undefined &&
    Date.parse(newest.validUntil) > nowMs &&
    (newest.events[0]?.confidence ?? 0) >= 0.5;
  const hasCome = lastOnset !== undefined && nowMs - Date.parse(lastOnset) < 10_000;
  return isComing || hasCome ? busyMs : quietMs;
}
