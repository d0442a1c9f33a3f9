import { defer, filter, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { Window } from '../types.js';
import { perceiveLatest } from './perceive-latest.js';

export interface PredictLimits {
  /** A forecast every this many clips, counted by clip index: a dropped clip does not slow the rhythm. */
  readonly everyClips: number;
  /** Scenes that a window needs before anything is forecast from it. */
  readonly clipsMin: number;
}

/**
 * Calls `predict` for every k-th clip's window. While a forecast is being made the newest window waits; an older one
 * that waited is dropped and told to `onDrop`.
 *
 * ```
 * windows    0-1-2-3-4-5-6-|      k = 2, clipsMin = 2
 * predicted  --1---3---5---|
 * ```
 */
export function predictEvery<Out>(
  { everyClips, clipsMin }: PredictLimits,
  predict: (window: Window) => ObservableInput<Out>,
  onDrop: (dropped: Window) => void,
): OperatorFunction<Window, Out> {
  return (window$) =>
    defer(() => {
      let lastClip = -Infinity;
      return window$.pipe(
        filter((window) => {
          const clip = window.at(-1)?.clip ?? -Infinity;
          if (window.length < clipsMin || clip - lastClip < everyClips) return false;
          lastClip = clip;
          return true;
        }),
        perceiveLatest(predict, onDrop),
      );
    });
}
