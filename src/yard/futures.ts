import { yardLabels } from './labels.js';
import { randomBits, uniform } from './random.js';
import { ticksPerSecond } from './things.js';
import type { YardEvent } from './things.js';
import type { World } from './world.js';

/** Onsets closer than this count as one moment; which of them came first is drawn by seed. */
const tieMs = 100;

/**
 * The first event to begin in (from, from + horizon]; null when none does.
 * @param events in order of onset
 * @param draw a share in [0, 1) that decides ties
 */
export function firstEvent(
  events: readonly YardEvent[],
  fromTick: number,
  horizonMs: number,
  draw: number,
): YardEvent | null {
  const lastTick = fromTick + (horizonMs * ticksPerSecond) / 1000;
  const within = events.filter((event) => event.tick > fromTick && event.tick <= lastTick);
  const first = within[0];
  if (!first) return null;
  const tied = within.filter(
    (event) => ((event.tick - first.tick) * 1000) / ticksPerSecond < tieMs,
  );
  return tied[Math.floor(draw * tied.length)] ?? first;
}

/**
 * How often each label comes first within the horizon, in `count` re-simulations from the world's state.
 * The world itself is not changed. As each draw is made when it takes effect, the shares tend to the true chances.
 */
export function futures(world: World, horizonMs: number, count: number, seed: number): number[] {
  const counts = yardLabels.map(() => 0);
  const ticks = (horizonMs * ticksPerSecond) / 1000;
  const tieTicks = Math.floor((tieMs * ticksPerSecond) / 1000);
  for (let i = 0; i < count; i++) {
    const future = world.clone(randomBits(seed, 'future', i));
    let stopAt = world.tick + ticks;
    while (future.tick < stopAt) {
      future.step();
      if (future.events.length > 0)
        stopAt = Math.min(stopAt, (future.events[0]?.tick ?? 0) + tieTicks);
    }
    const first = firstEvent(future.events, world.tick, horizonMs, uniform(seed, 'tie', i));
    const label = first?.label ?? 0;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}
