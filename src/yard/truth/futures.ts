/** The chances of what comes next, by re-simulation from a state of the world. */
import { yardLabels } from '../world/labels.js';
import { randomBits, stream, uniform } from '../world/random.js';
import { ticks, ticksPerSecond } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';

/** How far a forecast looks ahead. */
export const horizonS = 4;
export const horizonTicks = ticks(horizonS);

/** Onsets closer than 100 ms count as one moment; which of them came first is drawn by seed. */
const tieTicks = Math.floor((100 * ticksPerSecond) / 1000);

const futureStream = stream('future');
const tieStream = stream('tie');

/**
 * The first event to begin in (from, from + horizon]; null when none does.
 * @param events in order of onset
 * @param draw a share in [0, 1) that decides ties
 */
export function firstEvent(
  events: readonly YardEvent[],
  fromTick: number,
  draw: number,
): YardEvent | null {
  const first = events.find((event) => event.tick > fromTick);
  if (!first || first.tick > fromTick + horizonTicks) return null;
  const lastTick = Math.min(first.tick + tieTicks, fromTick + horizonTicks);
  const tied = events.filter((event) => event.tick >= first.tick && event.tick <= lastTick);
  return tied[Math.floor(draw * tied.length)] ?? first;
}

/** Counts over `count` futures. */
export interface Futures {
  readonly count: number;
  /** How often each label came first; index 0: nothing did. Sums to `count`. */
  readonly next: Float64Array;
  /** How often each label began at all; index 0: nothing did. */
  readonly within: Float64Array;
}

export interface FuturesOptions {
  readonly count: number;
  readonly seed: number;
  /** Whether the forecaster knows the whole state, or only what could be seen of it. */
  readonly knows: 'state' | 'seen';
  /** `next` alone stops each future at its first event; `within` is left at 0 then. */
  readonly target: 'next' | 'both';
}

/**
 * Re-simulates the next `horizonS` seconds. The world itself is not changed. As each draw is made when it takes effect, the
 * shares tend to the true chances.
 */
export function simulateFutures(world: World, options: FuturesOptions): Futures {
  const { count, seed, knows, target } = options;
  const next = new Float64Array(yardLabels.length);
  const within = new Float64Array(yardLabels.length);
  const from = world.tick;
  const end = from + horizonTicks;
  for (let i = 0; i < count; i++) {
    const future = world.clone(randomBits(seed, futureStream, i));
    if (knows === 'seen') future.forgetHidden();
    let stopAt = end;
    while (future.tick < stopAt) {
      future.step();
      const first = future.events[0];
      if (target === 'next' && first) stopAt = Math.min(end, first.tick + tieTicks);
    }
    const first = firstEvent(future.events, from, uniform(seed, tieStream, i));
    const label = first?.label ?? 0;
    next[label]!++;
    if (target === 'both') noteWithin(within, future.events);
  }
  return { count, next, within };
}

function noteWithin(within: Float64Array, events: readonly YardEvent[]): void {
  if (events.length === 0) within[0]!++;
  for (const label of new Set(events.map((event) => event.label))) within[label]!++;
}
