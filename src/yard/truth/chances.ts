/** What could be known of the future at one moment: by one who has seen all, and by one who knows the hidden state too. */
import { beliefAfterWait } from '../world/step-vehicle.js';
import { ticks, ticksPerSecond } from '../world/things.js';
import type { Vehicle } from '../world/things.js';
import type { World } from '../world/world.js';
import { simulateFutures } from './futures.js';
import type { Futures } from './futures.js';

export interface Chances {
  /** pBayes: given the visible history. Over all labels, index 0 nothing; sums to 1. */
  readonly bayes: readonly number[];
  /** pState: given the whole state. */
  readonly state: readonly number[];
  /** Chances that a label begins at all within the horizon; these need not sum to 1. */
  readonly bayesWithin: readonly number[];
  readonly stateWithin: readonly number[];
}

export interface ChancesOptions {
  /** Re-simulated futures for each distribution. */
  readonly count: number;
  readonly seed: number;
}

export function chancesAt(world: World, { count, seed }: ChancesOptions): Chances {
  const simulate = (knows: 'seen' | 'state'): Futures =>
    simulateFutures(world, { count, seed, knows, target: 'both' });
  const seen = simulate('seen');
  const state = world.vehicles.some(isUncertain) ? simulate('state') : seen;
  return {
    bayes: nextShares(seen),
    state: nextShares(state),
    bayesWithin: withinShares(seen),
    stateWithin: withinShares(state),
  };
}

/** Whether older memory than this many clips makes any difference to pBayes here. */
export function needsOlderMemory(world: World, clips: number): boolean {
  const { vehicles } = forgetBefore(world, world.tick - clips * ticksPerSecond);
  return vehicles.some(
    ({ belief }, index) => Math.abs(belief - world.vehicles[index]!.belief) > 1e-9,
  );
}

/** pBayes of one who has watched for this many clips of one second only: the gap to `bayes` says what older memory is worth. */
export function windowBayes(
  world: World,
  clips: number,
  { count, seed }: ChancesOptions,
): number[] {
  const forgetful = forgetBefore(world, world.tick - clips * ticksPerSecond);
  return nextShares(simulateFutures(forgetful, { count, seed, knows: 'seen', target: 'next' }));
}

/** Whether it is still open, and matters, that a van is expected. */
function isUncertain(van: Vehicle): boolean {
  const isToCome = (van.state === 'driving' && van.plan !== 'pass') || van.state === 'at gate';
  return isToCome && van.belief > 0 && van.belief < 1;
}

/**
 * A clone whose beliefs rest on what happened after a tick alone. All other rules look back for `memoryS` at most, so the
 * flashing headlights and the time a van has stood at the gate are all that can be older.
 */
export function forgetBefore(world: World, sinceTick: number): World {
  const clone = world.clone(world.seed);
  const { flashes, flashAfterS, flashS, expectedFlashed, expectedOther } = world.place.rules.gate;
  const { opensAfterS, openingS } = world.place.rules.gate;
  for (const van of clone.vehicles) {
    if (van.livery !== 'plain' && van.livery !== 'known') continue;
    const flashEnd = van.enteredAt + ticks(flashAfterS + flashS);
    let belief: number = world.place.rules.gate.expectedKnown;
    if (van.livery === 'plain') {
      if (world.tick < van.enteredAt + ticks(flashAfterS)) belief = 0;
      else if (flashEnd > sinceTick) belief = van.flashed ? expectedFlashed : expectedOther;
      else belief = flashes * expectedFlashed + (1 - flashes) * expectedOther;
    }
    if (van.state === 'at gate' && clone.gate.state === 'closed') {
      // It could not open before it had closed behind the van before, which this one may have seen.
      const closedAt = clone.gate.since + ticks(openingS);
      const from = Math.max(van.since + ticks(opensAfterS) - 1, closedAt, sinceTick);
      belief = beliefAfterWait(world, belief, Math.max(0, world.tick - from));
    }
    van.belief = belief;
  }
  return clone;
}

/** Half a count for each label that came at all (Krichevsky and Trofimov, 1981): what never came in the futures stays at 0. */
function nextShares({ next }: Futures): number[] {
  const added = Array.from(next, (count) => (count > 0 ? count + 0.5 : 0));
  const total = added.reduce((sum, count) => sum + count, 0);
  return added.map((count) => count / total);
}

function withinShares({ within, count }: Futures): number[] {
  return Array.from(within, (n) => (n > 0 ? (n + 0.5) / (count + 1) : 0));
}
