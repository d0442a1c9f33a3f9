import { stream } from './random.js';
import { lightId, ticks } from './things.js';
import type { World } from './world.js';

const changes = stream('light changes');

/** Red for vehicles some time after somebody began to wait; green again after a fixed time. */
export function stepLight(world: World): void {
  if (!world.has('light')) return;
  const { light, tick } = world;
  const age = tick - light.since;
  if (light.phase === 'green') {
    const first = firstWaiting(world);
    if (
      first === null ||
      age < ticks(world.place.rules.light.greenLeastS) ||
      tick - first.since < ticks(world.place.rules.light.waitS) ||
      !world.fires(changes, world.place.rules.light.changesPerS) ||
      !world.may('light turns red', lightId)
    )
      return;
    light.phase = 'red';
    light.event = world.begin('light turns red', lightId, null, [first.event]);
  } else {
    if (
      age < ticks(world.place.rules.light.redS) ||
      !world.fires(changes, world.place.rules.light.changesPerS) ||
      !world.may('light turns green', lightId)
    )
      return;
    light.phase = 'green';
    light.event = world.begin('light turns green', lightId, null, [light.event]);
  }
  light.since = tick;
}

function firstWaiting(world: World): { since: number; event: number } | null {
  let first = null;
  for (const person of world.people)
    if (person.state === 'waiting' && (first === null || person.since < first.since))
      first = person;
  return first;
}
