/** One message a second that says «the engine lives, and sees this»; its absence says the rest. */
import { asyncScheduler, map, type Observable, type SchedulerLike, timer } from 'rxjs';
import type { Heartbeat } from '../messages.js';

export const heartbeatPeriodMs = 1_000;

export interface HeartbeatSource {
  readonly site: string;
  /** These are asked at each beat. */
  readonly epoch: () => number;
  readonly bundle: () => Heartbeat['bundle'];
  /** The states of all cameras. */
  readonly cameras: () => Heartbeat['cameras'];
}

/** Beats at once and then every period, numbered from 0, for as long as it is subscribed. */
export function heartbeats(
  source: HeartbeatSource,
  periodMs: number = heartbeatPeriodMs,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<Heartbeat> {
  return timer(0, periodMs, scheduler).pipe(
    map((sequence) => ({
      schema: 'lookahead.heartbeat.v1',
      site: source.site,
      at: new Date(scheduler.now()).toISOString(),
      epoch: source.epoch(),
      sequence,
      cameras: { ...source.cameras() },
      bundle: source.bundle(),
    })),
  );
}
