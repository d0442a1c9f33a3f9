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
import type { Forecast, Outcome, UndecidableReason } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { Baselines, type BaselineChances } from '../outcomes/baselines.js';
import type { FaintEvent, RecognisedEvent, Scene } from '../types.js';
import type { HorizonSeen } from './doubtful-outcome.js';
import { decidedOutcome, undecidableOutcome } from './mark-outcome.js';

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
  /** Whether what was seen of a horizon cannot decide a forecast of what comes next; absent: it always can. */
  readonly isDoubtful?: ((seen: HorizonSeen) => boolean) | undefined;
  /** What is known of this camera from before; absent: nothing. */
  readonly baselines?: Baselines | undefined;
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
  readonly faintEvents: readonly FaintEvent[];
  /** Why it cannot be held to follow on the scene before; null: nothing is missing between them. */
  readonly brokenBy: 'camera' | 'gap' | null;
}

interface OpenForecast {
  readonly forecast: Forecast;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly events: RecognisedEvent[];
  readonly faintEvents: FaintEvent[];
  /** What they said when it was issued. */
  readonly baselines: BaselineChances;
}

interface Judge {
  readonly see: (scene: Scene) => Outcome[];
  readonly open: (forecast: Forecast) => Outcome[];
  readonly setOnline: (isOnline: boolean) => Outcome[];
}

function createJudge(options: JudgeOptions): Judge {
  const { labels, gapMaxMs, slackMs, openMax, scenesMax, now, isDoubtful } = options;
  const baselines = options.baselines ?? new Baselines(labels);
  let isOnline = true;
  let wasOnline = true;
  let seen: Seen[] = [];
  let waiting: OpenForecast[] = [];
  let openedIds: readonly string[] = [];

  const undecidable = (
    { forecast }: Pick<OpenForecast, 'forecast'>,
    because: UndecidableReason,
  ): Outcome => undecidableOutcome(forecast, because, now());

  /** The outcome, or null while later scenes must be awaited. */
  const weigh = (open: OpenForecast, scene: Seen): Outcome | null => {
    if (scene.brokenBy !== null) return undecidable(open, scene.brokenBy);
    open.events.push(...scene.events);
    open.faintEvents.push(...scene.faintEvents);
    const isCovered = scene.toMs + slackMs >= open.untilMs;
    return isCovered ? decide(open) : null;
  };

  const decide = (open: OpenForecast): Outcome => {
    const { forecast, fromMs, untilMs, events } = open;
    if (forecast.target === 'next' && isDoubtful?.(open) === true)
      return undecidable(open, 'doubtful');
    // In a burst the first frame of a scene can bear the time of the window's last, and what it is the first to show then begins
    // on the window's end: it belongs to the horizon.
    const begun = events.filter(({ onsetMs }) => onsetMs >= fromMs && onsetMs <= untilMs);
    const outcome = decidedOutcome(forecast, begun, labels, open.baselines, now());
    if (forecast.target === 'next' && outcome.observed !== null)
      baselines.noteOutcome(outcome.observed);
    return outcome;
  };

  const see = (scene: Scene): Outcome[] => {
    const last = seen.at(-1);
    const isNext =
      last !== undefined && scene.clip === last.clip + 1 && scene.fromMs - last.toMs <= gapMaxMs;
    const brokenBy = !isOnline || !wasOnline ? 'camera' : isNext ? null : 'gap';
    wasOnline = isOnline;
    const { clip, fromMs, toMs } = scene;
    const events = scene.events.filter(
      ({ label, probability }) =>
        label !== 0 && probability >= (options.eventThresholds[label] ?? Infinity),
    );
    const newest = {
      clip,
      fromMs,
      toMs,
      events,
      faintEvents: scene.faintEvents ?? [],
      brokenBy,
    } as const;
    seen = [...seen, newest].slice(-scenesMax);

    const outcomes: Outcome[] = [];
    waiting = waiting.filter((open) => {
      const outcome = weigh(open, newest);
      if (outcome) outcomes.push(outcome);
      return outcome === null;
    });
    for (const { label, onsetMs } of events) baselines.noteEvent(label, onsetMs);
    return outcomes;
  };

  const open = (forecast: Forecast): Outcome[] => {
    if (forecast.rev !== 0 || openedIds.includes(forecast.id)) return [];
    openedIds = [...openedIds, forecast.id].slice(-2 * openMax);
    const fromMs = Date.parse(forecast.window.to);
    const untilMs = fromMs + forecast.horizonMs;

    // Scenes that came while the forecast was made. The window's own last scene must be known, or there is a hole before
    // the first of them; messages carry whole milliseconds, so that it ends less than one later than they say.
    const isKnown = seen.some((scene) => scene.toMs < fromMs + 1);
    if (!isKnown) return [undecidable({ forecast }, 'gap')];
    const opened: OpenForecast = {
      ...{ forecast, fromMs, untilMs, baselines: baselines.at(fromMs) },
      events: [],
      faintEvents: [],
    };
    for (const scene of seen.filter(({ toMs }) => toMs >= fromMs + 1)) {
      const outcome = weigh(opened, scene);
      if (outcome) return [outcome];
    }
    if (!isOnline) return [undecidable(opened, 'camera')];
    waiting.push(opened);
    return waiting
      .splice(0, Math.max(0, waiting.length - openMax))
      .map((oldest) => undecidable(oldest, 'full'));
  };

  const setOnline = (next: boolean): Outcome[] => {
    isOnline = next;
    if (next) return [];
    wasOnline = false;
    const lost = waiting;
    waiting = [];
    return lost.map((open) => undecidable(open, 'camera'));
  };

  return { see, open, setOnline };
}
