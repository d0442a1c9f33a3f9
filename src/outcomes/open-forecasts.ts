/** Forecasts that an earlier run left without an outcome, decided by what it had stored. Pure. */
import type { EventMessage, Forecast, Outcome } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { decidedOutcome, undecidableOutcome } from '../operators/mark-outcome.js';
import type { HorizonSeen } from '../operators/doubtful-outcome.js';

/** What one camera's earlier runs have stored of late. */
export interface StoredRun {
  /** Of either target, revisions among them. */
  readonly forecasts: readonly Forecast[];
  readonly events: readonly EventMessage[];
  /** Ids of forecasts that have an outcome. */
  readonly decidedIds: ReadonlySet<string>;
}

export interface ResumeOptions {
  readonly labels: readonly Label[];
  /** That of this run: its forecasts are judged as scenes come. */
  readonly epoch: number;
  /** Windows that end this much before the horizon cover it nevertheless. */
  readonly slackMs: number;
  readonly isDoubtful: (seen: HorizonSeen) => boolean;
  readonly nowMs: number;
}

/**
 * One outcome for each forecast of an earlier run that has none. A horizon was watched to its end where the windows of that
 * run's later forecasts, none with anything missing, follow on one another over all of it; then what was stored of events in it
 * decides. All else was cut off by the restart.
 */
export function decideOpen(run: StoredRun, options: ResumeOptions): Outcome[] {
  const { labels, epoch, nowMs } = options;
  const first = run.forecasts.filter((forecast) => forecast.rev === 0 && forecast.epoch < epoch);
  const whole = first.filter(
    ({ quality, window }) => quality === 'good' && window.framesDropped === 0,
  );
  const open = first.filter(({ id }) => !run.decidedIds.has(id));
  return [...new Map(open.map((forecast) => [forecast.id, forecast])).values()].map((forecast) => {
    const ofRun = whole.filter((later) => later.epoch === forecast.epoch);
    const isWatched = covers(ofRun, forecast, options.slackMs);
    if (!isWatched || !speaksOf(labels, forecast))
      return undecidableOutcome(forecast, 'restart', nowMs);
    const seen = horizonOf(forecast, run.events, labels);
    if (forecast.target === 'next' && options.isDoubtful(seen))
      return undecidableOutcome(forecast, 'doubtful', nowMs);
    const { fromMs, untilMs } = seen;
    const begun = seen.events.filter(({ onsetMs }) => onsetMs >= fromMs && onsetMs <= untilMs);
    return decidedOutcome(forecast, begun, labels, null, nowMs);
  });
}

/** Whether windows, each beginning no later than the one before ended, reach from the forecast's to the end of its horizon. */
function covers(windows: readonly Forecast[], forecast: Forecast, slackMs: number): boolean {
  const untilMs = Date.parse(forecast.validUntil);
  let reachedMs = Date.parse(forecast.window.to);
  const inOrder = windows
    .map(({ window }) => ({ fromMs: Date.parse(window.from), toMs: Date.parse(window.to) }))
    .sort((one, other) => one.toMs - other.toMs);
  for (const { fromMs, toMs } of inOrder)
    if (fromMs <= reachedMs && toMs > reachedMs) reachedMs = toMs;
  return reachedMs + slackMs >= untilMs;
}

/** A bundle of other labels cannot be held against this one's. */
function speaksOf(labels: readonly Label[], { events }: Forecast): boolean {
  return events.every(({ label }) => labels.some(({ text }) => text === label));
}

function horizonOf(
  forecast: Forecast,
  events: readonly EventMessage[],
  labels: readonly Label[],
): HorizonSeen {
  const fromMs = Date.parse(forecast.window.to);
  const untilMs = Date.parse(forecast.validUntil);
  const begun = events.flatMap(({ label: text, onset, probability, actors, targetTracks }) => {
    const label = labels.findIndex((one) => one.text === text);
    const onsetMs = Date.parse(onset);
    const isNear = onsetMs > fromMs - nearMs && onsetMs < untilMs + nearMs;
    if (label < 0 || !isNear) return [];
    return [{ label, onsetMs, probability, actors, target: targetTracks[0] ?? null }];
  });
  return { fromMs, untilMs, events: begun, faintEvents: [] };
}

/** As far as doubt about a horizon looks beyond its ends, and more. */
const nearMs = 1_000;
