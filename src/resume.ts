/** What earlier runs stored, read back at start: no forecast stays without an outcome, and what was learned of a camera is known. */
import { setTimeout as delay } from 'node:timers/promises';
import { filter, firstValueFrom } from 'rxjs';
import { LookaheadError } from './errors.js';
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
const defaultRetryMs = 5_000;

/** What is needed of the broker. */
type Stored = Pick<Bus, 'site' | 'status$' | 'history'>;

export interface Resuming extends Omit<ResumeOptions, 'nowMs'> {
  readonly cameras: readonly string[];
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Every stored outcome of earlier runs, each once, oldest first. Those that are decided now are told by `publish` alone. */
  readonly onOutcome: (outcome: Outcome) => void;
  /** An event of an earlier run, oldest first. */
  readonly onEvent: (event: EventMessage) => void;
  /** Publishes an outcome of a forecast that had none. */
  readonly publish: (outcome: Outcome) => Promise<unknown>;
  /** Fires when this run is over: nothing more is told or published. A later run takes up what is left. */
  readonly signal: AbortSignal;
  /** Pause before a camera is read again whose reading broke off. */
  readonly retryMs?: number | undefined;
}

/**
 * Waits for the broker, however long it is away, also when it goes in the middle, and goes through what it has, camera by camera.
 * Resolves with the number of outcomes that were missing and are stored now; what was dropped on the way is left to the next start.
 *
 * @throws LookaheadError broker_refused: this login may not read what is stored
 */
export async function resumeOutcomes(bus: Stored, resuming: Resuming): Promise<number> {
  let stored = 0;
  for (const camera of resuming.cameras) {
    const outcomes = await readCamera(bus, camera, resuming);
    // One after the other: the outbox is there for what comes now.
    for (const outcome of outcomes) {
      if (resuming.signal.aborted) return stored;
      stored += Number(await isPublished(resuming.publish(outcome)));
    }
  }
  return stored;
}

/** Until it is read whole; nothing once the run is over or the bus closed. */
async function readCamera(bus: Stored, camera: string, resuming: Resuming): Promise<Outcome[]> {
  const isConnected = bus.status$.pipe(filter(({ state }) => state === 'connected'));
  const told = { outcomes: 0 };
  for (;;) {
    if ((await firstValueFrom(isConnected, { defaultValue: null })) === null) return [];
    if (resuming.signal.aborted) return [];
    try {
      return await resumeCamera(bus, camera, resuming, told);
    } catch (error) {
      if (!hasCode(error, 'broker_unreachable')) throw error;
      await delay(resuming.retryMs ?? defaultRetryMs, undefined, { ref: false });
    }
  }
}

/** Whoever drops a message counts it; the outcomes after it, and the other cameras, are not to suffer for it. */
async function isPublished(publishing: Promise<unknown>): Promise<boolean> {
  try {
    await publishing;
    return true;
  } catch (error) {
    if (!hasCode(error, 'publish_failed')) throw error;
    return false;
  }
}

function hasCode(error: unknown, code: LookaheadError['code']): boolean {
  return error instanceof LookaheadError && error.code === code;
}

async function resumeCamera(
  bus: Stored,
  camera: string,
  resuming: Resuming,
  told: { outcomes: number },
): Promise<Outcome[]> {
  const nowMs = resuming.now();
  const sinceMs = nowMs - openMaxMs;
  const decidedIds = new Set<string>();
  const ofThisRun = `${bus.site}-${camera}-${String(resuming.epoch)}-`;
  const week = { camera, sinceMs: nowMs - outcomesMaxMs, max: outcomesMax };
  let read = 0;
  for await (const outcome of storedOutcomes(bus, week)) {
    if (resuming.signal.aborted) return [];
    if (outcome.id.startsWith(ofThisRun)) continue;
    // The broker says how old a forecast is, this clock how old an outcome: they may be far apart.
    if (Date.parse(outcome.decidedAt) >= sinceMs - openMaxMs) decidedIds.add(outcome.id);
    read += 1;
    if (read <= told.outcomes) continue;
    told.outcomes = read;
    resuming.onOutcome(outcome);
  }
  const hour = { camera, sinceMs, max: openMax };
  const forecasts: Forecast[] = [];
  for (const kind of ['forecast', 'within'] as const)
    for await (const forecast of storedMessages(bus, kind, ForecastSchema, hour))
      if (forecast.rev === 0) forecasts.push(forecast);
  const events: EventMessage[] = [];
  for await (const event of storedMessages(bus, 'event', EventMessageSchema, hour))
    events.push(event);
  if (resuming.signal.aborted) return [];
  events.forEach(resuming.onEvent);
  return decideOpen({ forecasts, events, decidedIds }, { ...resuming, nowMs });
}
