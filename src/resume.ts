/** What earlier runs stored, read back at start: no forecast stays without an outcome, and what was learned of a camera is known. */
import { filter, firstValueFrom } from 'rxjs';
import {
  EventMessageSchema,
  ForecastSchema,
  type EventMessage,
  type Forecast,
  type Outcome,
} from './messages.js';
import { decideOpen, type ResumeOptions } from './outcomes/open-forecasts.js';
import type { Bus } from './sinks/bus.js';
import { storedMessages, storedOutcomes } from './sinks/stored-messages.js';

const hourMs = 3_600_000;
/** A forecast that is older has been undecidable for so long that nobody waits for it. */
const openMaxMs = hourMs;
/** As far back as rolling scores look. */
const outcomesMaxMs = 7 * 24 * hourMs;
/** Messages of one kind and camera that are held or gone through. */
const openMax = 10_000;
const outcomesMax = 400_000;

export interface Resuming extends Omit<ResumeOptions, 'nowMs'> {
  readonly cameras: readonly string[];
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Every stored outcome of earlier runs, oldest first, then those that are decided now. */
  readonly onOutcome: (outcome: Outcome) => void;
  /** An event of an earlier run, oldest first. */
  readonly onEvent: (event: EventMessage) => void;
  /** Publishes an outcome of a forecast that had none. */
  readonly publish: (outcome: Outcome) => Promise<unknown>;
}

/**
 * Waits for the broker, however long it is away, and goes through what it has, camera by camera. Resolves with the number of
 * outcomes that were missing.
 *
 * @throws LookaheadError broker_unreachable, broker_refused: the broker went away meanwhile; forecasts that are decided stay so
 */
export async function resumeOutcomes(bus: Bus, resuming: Resuming): Promise<number> {
  const isConnected = bus.status$.pipe(filter(({ state }) => state === 'connected'));
  if ((await firstValueFrom(isConnected, { defaultValue: null })) === null) return 0;
  let decided = 0;
  for (const camera of resuming.cameras) {
    const outcomes = await resumeCamera(bus, camera, resuming);
    for (const outcome of outcomes) {
      resuming.onOutcome(outcome);
      await resuming.publish(outcome);
    }
    decided += outcomes.length;
  }
  return decided;
}

async function resumeCamera(bus: Bus, camera: string, resuming: Resuming): Promise<Outcome[]> {
  const nowMs = resuming.now();
  const sinceMs = nowMs - openMaxMs;
  const decidedIds = new Set<string>();
  const ofThisRun = `${bus.site}-${camera}-${String(resuming.epoch)}-`;
  const week = { camera, sinceMs: nowMs - outcomesMaxMs, max: outcomesMax };
  for await (const outcome of storedOutcomes(bus, week)) {
    if (outcome.id.startsWith(ofThisRun)) continue;
    if (Date.parse(outcome.decidedAt) >= sinceMs) decidedIds.add(outcome.id);
    resuming.onOutcome(outcome);
  }
  const hour = { camera, sinceMs, max: openMax };
  const forecasts: Forecast[] = [];
  for (const kind of ['forecast', 'within'] as const)
    for await (const forecast of storedMessages(bus, kind, ForecastSchema, hour))
      forecasts.push(forecast);
  const events: EventMessage[] = [];
  for await (const event of storedMessages(bus, 'event', EventMessageSchema, hour)) {
    events.push(event);
    resuming.onEvent(event);
  }
  return decideOpen({ forecasts, events, decidedIds }, { ...resuming, nowMs });
}
