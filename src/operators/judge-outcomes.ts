import {
  concat,
  defer,
  map,
  merge,
  mergeAll,
  of,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { Forecast, Outcome } from '../messages.js';
import type { Label } from '../models/manifest.js';
import type { RecognisedEvent, Scene } from '../types.js';
import { isoTime } from './iso-time.js';
import { brierScore, logScore } from '../scores.js';
import { mostFrequent, spreadForecast } from './score-forecast.js';

export interface JudgeOptions {
  readonly labels: readonly Label[];
  /** From which probability a recognised event counts, by label. */
  readonly eventThresholds: readonly number[];
  /** Scenes further apart than this, or with a clip missing between them, have a gap between them. */
  readonly gapMaxMs: number;
  /** Frames arrive with jitter: scenes that end this much before the horizon cover it nevertheless. */
  readonly slackMs: number;
  /** Forecasts that wait for their outcome; beyond it the oldest is undecidable. */
  readonly openMax: number;
  /** Scenes that are kept for forecasts that come late. */
  readonly scenesMax: number;
  readonly now: () => number;
}

export interface Evidence {
  readonly scene$: Observable<Scene>;
  /** False while the camera shows nothing that can be judged: offline, frozen, corrupt. Ends with the scenes. */
  readonly online$: Observable<boolean>;
}

/**
 * Compares every forecast with the first event that began in its horizon, and gives each exactly one outcome as soon as
 * scenes cover the horizon. A gap within it makes the outcome undecidable even when an event was seen before the gap:
 * to count only those would make events look more frequent than they are. Revisions and repetitions of a forecast are left
 * out: their chances are judged already.
 *
 * ```
 * forecasts  --f-------|      horizon of three scenes
 * scenes     s-s-s-s-s-|
 * outcomes   --------o-|
 * ```
 */
export function judgeOutcomes(
  { scene$, online$ }: Evidence,
  options: JudgeOptions,
): OperatorFunction<Forecast, Outcome> {
  return (forecast$) =>
    defer(() => {
      const judge = createJudge(options);
      const scenesEnded$ = defer(() => of(judge.setOnline(false)));
      return merge(
        concat(scene$.pipe(map((scene) => judge.see(scene))), scenesEnded$),
        online$.pipe(map((isOnline) => judge.setOnline(isOnline))),
        forecast$.pipe(map((forecast) => judge.open(forecast))),
      ).pipe(mergeAll());
    });
}

/** What is kept of a scene: no tokens, they are large. */
interface Seen {
  readonly clip: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly events: readonly RecognisedEvent[];
  /** Whether nothing is missing between the scene before and this one. */
  readonly isJoined: boolean;
}

interface OpenForecast {
  readonly forecast: Forecast;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly events: RecognisedEvent[];
}

interface Judge {
  readonly see: (scene: Scene) => Outcome[];
  readonly open: (forecast: Forecast) => Outcome[];
  readonly setOnline: (isOnline: boolean) => Outcome[];
}

function createJudge(options: JudgeOptions): Judge {
  const { gapMaxMs, slackMs, openMax, scenesMax } = options;
  let isOnline = true;
  let hasBreak = true;
  let seen: Seen[] = [];
  let waiting: OpenForecast[] = [];
  let openedIds: readonly string[] = [];

  /** The outcome, or null while later scenes must be awaited. */
  const weigh = (open: OpenForecast, scene: Seen): Outcome | null => {
    if (!scene.isJoined) return undecidable(open.forecast, options.now());
    // Only scenes after the window are weighed. In a burst the first frame of one can bear the time of the window's last,
    // and what it is the first to show then begins on the window's end: it belongs to the horizon.
    open.events.push(
      ...scene.events.filter(({ onsetMs }) => onsetMs >= open.fromMs && onsetMs <= open.untilMs),
    );
    const isCovered = scene.toMs + slackMs >= open.untilMs;
    return isCovered ? decide(open, options) : null;
  };

  const see = (scene: Scene): Outcome[] => {
    const last = seen.at(-1);
    const isJoined =
      isOnline &&
      !hasBreak &&
      last !== undefined &&
      scene.clip === last.clip + 1 &&
      scene.fromMs - last.toMs <= gapMaxMs;
    hasBreak = !isOnline;
    const { clip, fromMs, toMs } = scene;
    const events = scene.events.filter(
      ({ label, probability }) =>
        label !== 0 && probability >= (options.eventThresholds[label] ?? Infinity),
    );
    const newest = { clip, fromMs, toMs, events, isJoined };
    seen = [...seen, newest].slice(-scenesMax);

    const outcomes: Outcome[] = [];
    waiting = waiting.filter((open) => {
      const outcome = weigh(open, newest);
      if (outcome) outcomes.push(outcome);
      return outcome === null;
    });
    return outcomes;
  };

  const open = (forecast: Forecast): Outcome[] => {
    if (forecast.rev !== 0 || openedIds.includes(forecast.id)) return [];
    openedIds = [...openedIds, forecast.id].slice(-2 * openMax);
    const fromMs = Date.parse(forecast.window.to);
    const untilMs = fromMs + forecast.horizonMs;
    const opened: OpenForecast = { forecast, fromMs, untilMs, events: [] };

    // Scenes that came while the forecast was made. The window's own last scene must be known, or there is a hole before
    // the first of them; messages carry whole milliseconds, so that it ends less than one later than they say.
    const isKnown = seen.some((scene) => scene.toMs < fromMs + 1);
    if (!isKnown) return [undecidable(forecast, options.now())];
    for (const scene of seen.filter(({ toMs }) => toMs >= fromMs + 1)) {
      const outcome = weigh(opened, scene);
      if (outcome) return [outcome];
    }
    if (!isOnline) return [undecidable(forecast, options.now())];
    waiting.push(opened);
    return waiting
      .splice(0, Math.max(0, waiting.length - openMax))
      .map((oldest) => undecidable(oldest.forecast, options.now()));
  };

  const setOnline = (next: boolean): Outcome[] => {
    isOnline = next;
    if (next) return [];
    hasBreak = true;
    const lost = waiting;
    waiting = [];
    return lost.map((lostForecast) => undecidable(lostForecast.forecast, options.now()));
  };

  return { see, open, setOnline };
}

/** Onsets closer than this cannot be told apart; the more probable event then counts as the first. */
const tieMs = 100;

function firstEvent(events: readonly RecognisedEvent[]): RecognisedEvent | undefined {
  const earliestMs = Math.min(...events.map(({ onsetMs }) => onsetMs));
  return events
    .filter(({ onsetMs }) => onsetMs - earliestMs < tieMs)
    .reduce<RecognisedEvent | undefined>(
      (best, event) => (best && best.probability >= event.probability ? best : event),
      undefined,
    );
}

function decide(open: OpenForecast, { labels, now }: JudgeOptions): Outcome {
  const { forecast, fromMs } = open;
  const event = firstEvent(open.events);
  const nothing = labels.findIndex(({ type }) => type === 'nothing');
  const observed = event?.label ?? nothing;
  const observedText = nameOf(labels, observed);
  const isNamed =
    observed === nothing || forecast.events.some(({ label }) => label === observedText);
  const chances = spreadForecast(forecast, labels);
  const issuedAtMs = Date.parse(forecast.issuedAt);
  const predicted = mostLikely(forecast);

  return {
    ...headerOf(forecast),
    verdict: predicted === observedText ? 'hit' : isNamed ? 'miss' : 'surprise',
    observed: observedText,
    predicted,
    onset: event ? isoTime(event.onsetMs) : null,
    onsetAfterMs: event ? Math.round(event.onsetMs - fromMs) : null,
    leadMs: event ? Math.round(event.onsetMs - issuedAtMs) : null,
    brier: brierScore(chances, observed),
    logScore: logScore(chances, observed),
    baseRateHit: observed === mostFrequent(labels),
    decidedAt: isoTime(now()),
  };
}

function undecidable(forecast: Forecast, nowMs: number): Outcome {
  return {
    ...headerOf(forecast),
    verdict: 'undecidable',
    observed: null,
    predicted: mostLikely(forecast),
    onset: null,
    onsetAfterMs: null,
    leadMs: null,
    brier: null,
    logScore: null,
    baseRateHit: null,
    decidedAt: isoTime(nowMs),
  };
}

function headerOf({
  id,
  site,
  camera,
}: Forecast): Pick<Outcome, 'schema' | 'id' | 'site' | 'camera'> {
  return { schema: 'lookahead.outcome.v1', id, site, camera };
}

/** «nothing» is one word in every message, whatever text the bundle's language model has for it. */
function nameOf(labels: readonly Label[], index: number): string {
  const label = labels[index];
  if (!label) throw new TypeError(`The bundle has no label ${String(index)}.`);
  return label.type === 'nothing' ? 'nothing' : label.text;
}

function mostLikely({ events: [best], nothing }: Forecast): string {
  return best && best.confidence >= nothing ? best.label : 'nothing';
}
