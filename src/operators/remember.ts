import { scan, type OperatorFunction } from 'rxjs';
import type { Scene, Window } from '../types.js';

export interface MemoryLimits {
  /** N_t: scenes of one window. */
  readonly clipsPerWindow: number;
  /** What lies before a longer gap than this says nothing about the present and is forgotten. */
  readonly gapMaxMs: number;
}

/**
 * The sliding window of the last N_t scenes, oldest first, after every scene.
 *
 * ```
 * scenes   a----b----c----d          N_t = 3
 * windows  [a]--[ab]-[abc][bcd]
 * ```
 */
export function remember({
  clipsPerWindow,
  gapMaxMs,
}: MemoryLimits): OperatorFunction<Scene, Window> {
  return scan<Scene, Window>((window, scene) => {
    const last = window.at(-1);
    if (last && (scene.fromMs - last.toMs > gapMaxMs || scene.fromMs < last.fromMs)) return [scene];
    return [...window, scene].slice(-clipsPerWindow);
  }, []);
}
