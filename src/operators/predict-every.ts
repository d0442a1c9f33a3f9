import {
  defaultIfEmpty,
  defer,
  EMPTY,
  filter,
  map,
  of,
  switchMap,
  tap,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { ForecastReason, Reasoning, Window } from '../types.js';
import { changeSince, know, type GateLimits, type Known } from './gate.js';
import { perceiveLatest } from './perceive-latest.js';

export interface PredictLimits {
  /** A forecast at least every this many clips, counted by clip index: a dropped clip does not slow the rhythm. */
  readonly everyClips: number;
  /** Scenes that a window needs before anything is forecast from it. */
  readonly clipsMin: number;
  /** Null: every forecast is reasoned, and none comes out of the rhythm. */
  readonly gate: GateLimits | null;
}

export interface PredictPorts {
  /** The cheap head: one answer, or none where the bundle has none or it failed. */
  readonly carry: (window: Window) => Observable<Reasoning>;
  /** The language model: one answer, or none where it failed. */
  readonly score: (window: Window) => Observable<Reasoning>;
  /** A window that had to go for a newer one. */
  readonly onDrop: (dropped: Window) => void;
  readonly onDecided: (reason: ForecastReason) => void;
}

/** The distribution that a forecast is to be written of. */
export interface Prediction {
  readonly window: Window;
  readonly reasoning: Reasoning;
}

/**
 * Where something has changed since the last reasoned forecast, the language model scores that very window; else every
 * k-th clip gets the cheap head's answer. While a forecast is being made the newest window waits; an older one that waited is
 * dropped and told to `onDrop`.
 *
 * ```
 * windows    0-1-2-3-4-5-6-|      k = 2, clipsMin = 2; something changes at 4
 * predicted  --R---c-R---c-|      R reasoned, c carried
 * ```
 */
export function predictEvery(
  { everyClips, clipsMin, gate }: PredictLimits,
  { carry, score, onDrop, onDecided }: PredictPorts,
): OperatorFunction<Window, Prediction> {
  return (window$) =>
    defer(() => {
      /** Of the last forecast. */
      let lastClip = -Infinity;
      /** By the last reasoned forecast. */
      let known: Known | null = null;
      const isTime = (window: Window): boolean => clipOf(window) - lastClip >= everyClips;

      const predict = (window: Window, reason: ForecastReason, answer$: Observable<Reasoning>) => {
        onDecided(reason);
        return answer$.pipe(
          map((reasoning): Prediction => ({ window, reasoning })),
          tap(() => (lastClip = clipOf(window))),
        );
      };

      const predictGated = (window: Window, limits: GateLimits): Observable<Prediction> =>
        carry(window).pipe(
          defaultIfEmpty(null),
          switchMap((cheap) => {
            const now = know(known, window, cheap?.probabilities ?? null, limits);
            const change = changeSince(known, now, window, limits);
            if (change === null && !isTime(window)) return EMPTY;
            if (change === null && cheap) return predict(window, 'quiet', of(cheap));
            return predict(window, change ?? 'rhythm', score(window)).pipe(
              // Only now: a change that could not be reasoned about is still one with the next window.
              tap(() => (known = now)),
            );
          }),
        );

      return window$.pipe(
        filter((window) => {
          if (window.length < clipsMin) return false;
          if (gate !== null) return true;
          if (!isTime(window)) return false;
          lastClip = clipOf(window);
          return true;
        }),
        perceiveLatest(
          (window) =>
            gate === null ? predict(window, 'rhythm', score(window)) : predictGated(window, gate),
          onDrop,
        ),
      );
    });
}

function clipOf(window: Window): number {
  return window.at(-1)?.clip ?? -Infinity;
}
