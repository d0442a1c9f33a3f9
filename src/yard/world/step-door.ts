import { stream } from './random.js';
import { memoryS } from './rules.js';
import { residentId, ticks, tickS } from './things.js';
import type { World } from './world.js';

const picksUp = stream('parcel is picked up');

/** The door's leaf, and how long what it saw still counts. */
export function stepDoor({ door, tick }: World): void {
  const moves = 3 * tickS;
  door.share =
    tick < door.openUntil ? Math.min(1, door.share + moves) : Math.max(0, door.share - moves);
  if (door.last !== 'none' && tick - door.lastAt >= ticks(memoryS)) {
    door.last = 'none';
    door.event = 0;
  }
}

/** Somebody inside comes for a parcel that was put down, once its driver is gone. */
export function stepParcel(world: World): void {
  const { parcel, people, door, tick } = world;
  if (!parcel) return;
  if (parcel.event < 0) {
    // It is in the resident's arms until the door closes.
    if (tick >= door.residentUntil - ticks(0.4)) world.parcel = null;
    return;
  }
  const isFree = door.share === 0 && people.every((it) => it.role !== 'driver');
  if (!isFree || !world.fires(picksUp, world.place.rules.parcel.picksUpPerS)) return;
  if (!world.may('person picks up parcel', residentId)) return;
  world.begin('person picks up parcel', residentId, parcel.id, [parcel.event]);
  world.parcel = { ...parcel, event: -1 };
  door.openUntil = door.residentUntil = tick + ticks(world.place.rules.people.residentS);
}
