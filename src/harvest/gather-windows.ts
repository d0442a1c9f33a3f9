import { defer, mergeMap, type OperatorFunction } from 'rxjs';
import type { Forecast, Message, Outcome } from '../messages.js';
import type { Clip, Scene } from '../types.js';
import { whyKeep, type HarvestReason, type KeepLimits } from './why-keep.js';

/** What the pipeline of one camera lets be seen of itself, in the order in which it happens. */
export type Sight =
  | { readonly kind: 'clip'; readonly clip: Clip }
  | { readonly kind: 'scene'; readonly scene: Scene }
  | { readonly kind: 'message'; readonly message: Message };

/** A window and its horizon, whole, with what is known of it. */
export interface Gathered {
  readonly camera: string;
  readonly why: readonly [HarvestReason, ...HarvestReason[]];
  /** Revision 0. */
  readonly forecast: Forecast;
  readonly outcome: Outcome;
  /** Those of the window, then those of the horizon; without a hole. */
  readonly clips: readonly Clip[];
  /** One of each clip. */
  readonly scenes: readonly Scene[];
  /** How many of the clips are the window's. */
  readonly windowClips: number;
}

/** soon: another of this camera was kept a moment ago. gap: pictures are missing in the window or its horizon, or are no longer kept. */
export type GatherDrop = 'soon' | 'gap';

export interface GatherOptions extends KeepLimits {
  readonly framesPerClip: number;
  readonly framesPerSecond: number;
  readonly clipsPerWindow: number;
  readonly horizonMs: number;
  /** Clips further apart than this have a gap between them. */
  readonly gapMaxMs: number;
  /** Between two windows that are kept, by their ends. */
  readonly everyMinMs: number;
  /** Forecasts that wait for their outcome. */
  readonly forecastsMax: number;
  readonly onDrop: (reason: GatherDrop) => void;
}

/** An outcome may come this much later than the last clip of its horizon. */
const lateMaxClips = 8;

/** Clips of the horizon of one forecast. */
export function horizonClipsOf({
  horizonMs,
  framesPerSecond,
  framesPerClip,
}: Pick<GatherOptions, 'horizonMs' | 'framesPerSecond' | 'framesPerClip'>): number {
  return Math.ceil((horizonMs * framesPerSecond) / 1000 / framesPerClip);
}

/** Clips, and scenes, that are remembered of one camera. */
export function ringClipsOf(options: GatherOptions): number {
  return options.clipsPerWindow + horizonClipsOf(options) + lateMaxClips;
}

/**
 * Remembers the newest clips and scenes of one camera, and emits those of a window and its horizon where its outcome shows
 * that they are worth keeping. Nothing is copied: frames are never changed after they were emitted.
 *
 * ```
 * clips      c-c-c-c-c-c-c-|    a window of two clips, a horizon of two
 * messages   ---f-----o----|
 * gathered   ---------g----|    the third to the fifth clip, say, and why
 * ```
 */
export function gatherWindows(options: GatherOptions): OperatorFunction<Sight, Gathered> {
  return (sight$) =>
    defer(() => {
      const gatherer = createGatherer(options);
      return sight$.pipe(mergeMap((sight) => gatherer(sight)));
    });
}

function createGatherer(options: GatherOptions): (sight: Sight) => Gathered[] {
  const { clipsPerWindow, gapMaxMs, everyMinMs, forecastsMax, onDrop } = options;
  const ringMax = ringClipsOf(options);
  const horizonClips = horizonClipsOf(options);
  const forecasts = new Map<string, Forecast>();
  let clips: Clip[] = [];
  let scenes: Scene[] = [];
  let lastToMs = -Infinity;

  const judged = (outcome: Outcome): Gathered[] => {
    const forecast = forecasts.get(outcome.id);
    // One of before a restart: its pictures are gone, too.
    if (!forecast) return [];
    forecasts.delete(outcome.id);
    const [first, ...rest] = whyKeep(forecast, outcome, options);
    if (first === undefined) return [];
    const toMs = Date.parse(forecast.window.to);
    if (toMs - lastToMs < everyMinMs) {
      onDrop('soon');
      return [];
    }
    const cut = cutOut(toMs);
    if (!cut) {
      onDrop('gap');
      return [];
    }
    lastToMs = toMs;
    const { camera } = outcome;
    return [{ camera, why: [first, ...rest], forecast, outcome, ...cut }];
  };

  /** Null where not all of it is there. */
  const cutOut = (toMs: number): Pick<Gathered, 'clips' | 'scenes' | 'windowClips'> | null => {
    // Messages carry whole milliseconds.
    const last = clips.findIndex((clip) => Math.floor(clip.toMs) === toMs);
    const from = last + 1 - clipsPerWindow;
    const until = last + 1 + horizonClips;
    if (last < 0 || from < 0 || until > clips.length) return null;
    const ours = clips.slice(from, until);
    const isWhole = ours.every((clip, at) => {
      const before = ours[at - 1];
      if (!before) return true;
      return clip.index === before.index + 1 && clip.fromMs - before.toMs <= gapMaxMs;
    });
    const seen = ours.flatMap(({ index }) => scenes.find(({ clip }) => clip === index) ?? []);
    if (!isWhole || seen.length < ours.length) return null;
    return { clips: ours, scenes: seen, windowClips: clipsPerWindow };
  };

  return (sight) => {
    switch (sight.kind) {
      case 'clip':
        clips = [...clips, sight.clip].slice(-ringMax);
        return [];
      case 'scene':
        scenes = [...scenes, sight.scene].slice(-ringMax);
        return [];
      case 'message': {
        const { message } = sight;
        if (message.schema === 'lookahead.outcome.v1')
          return message.target === 'within' ? [] : judged(message);
        if (message.schema !== 'lookahead.forecast.v1') return [];
        if (message.target !== 'next' || message.rev !== 0) return [];
        forecasts.set(message.id, message);
        for (const oldest of forecasts.keys()) {
          if (forecasts.size <= forecastsMax) break;
          forecasts.delete(oldest);
        }
        return [];
      }
    }
  };
}
