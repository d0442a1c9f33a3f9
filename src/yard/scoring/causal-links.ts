/** Causes that explanations state, against causes by intervention (src/yard/truth/causes.ts). */
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset } from '../data/schema.js';
import { causeLeast } from '../truth/causes.js';
import type { StatedStep } from './forecast-results.js';
import { onsetToleranceMs, type TimedEvent } from './match-events.js';
import { eventTime } from './recorded-truth.js';

export interface Link {
  readonly cause: TimedEvent;
  readonly effect: TimedEvent;
}

export interface LinkCounts {
  readonly truths: number;
  readonly stated: number;
  /** Pairs of a true and a stated one. */
  readonly hits: number;
}

/**
 * The true links whose two events both begin in (fromMs, toMs]: P(B | do A) - P(B | do not A) above 0.2. What held an event
 * back is no cause of it. Null where causes were not worked out.
 *
 * @param fromMs and toMs in the time of a replay
 */
export function trueLinks(
  { events }: Pick<RecordedTruth, 'events'>,
  dataset: Pick<Dataset, 'labels' | 'framesPerSecond'>,
  fromMs: number,
  toMs: number,
): Link[] | null {
  if (events.some(({ causes }) => causes === undefined)) return null;
  const timed = new Map(events.map((event) => [event.id, eventTime(event, dataset)]));
  const isIn = ({ onsetMs }: TimedEvent): boolean => onsetMs > fromMs && onsetMs <= toMs;
  return events.flatMap(({ id, causes = [] }) =>
    causes.flatMap(({ event, difference }) => {
      const [cause, effect] = [timed.get(event), timed.get(id)];
      if (!cause || !effect || difference <= causeLeast) return [];
      return isIn(cause) && isIn(effect) ? [{ cause, effect }] : [];
    }),
  );
}

/** Each link once, however often it is said. */
export function statedLinks(steps: readonly Pick<StatedStep, 'effect' | 'causes'>[]): Link[] {
  const links = steps.flatMap(({ effect, causes }) => causes.map((cause) => ({ cause, effect })));
  const keyOf = ({ cause, effect }: Link): string =>
    [cause, effect].map(({ label, onsetMs }) => `${label} ${String(onsetMs)}`).join(' > ');
  return [...new Map(links.map((link) => [keyOf(link), link])).values()];
}

/** Same labels, both onsets within a second; the nearest first, each link once. */
export function matchLinks(truths: readonly Link[], stated: readonly Link[]): LinkCounts {
  const pairs = truths
    .flatMap((truth, at) => stated.map((said, by) => ({ at, by, awayMs: awayMs(truth, said) })))
    .filter(({ awayMs }) => awayMs < Infinity)
    .sort((a, b) => a.awayMs - b.awayMs);
  const [found, used] = [new Set<number>(), new Set<number>()];
  for (const { at, by } of pairs) {
    if (found.has(at) || used.has(by)) continue;
    found.add(at);
    used.add(by);
  }
  return { truths: truths.length, stated: stated.length, hits: found.size };
}

/** Infinity for what is not the same link. */
function awayMs(truth: Link, stated: Link): number {
  let sum = 0;
  for (const key of ['cause', 'effect'] as const) {
    const away = Math.abs(truth[key].onsetMs - stated[key].onsetMs);
    if (truth[key].label !== stated[key].label || away > onsetToleranceMs) return Infinity;
    sum += away;
  }
  return sum;
}
