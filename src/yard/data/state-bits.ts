/** Yes-or-no facts about the yard: they help to train perception, and to find windows of one kind. */
import type { YardClass } from '../world/labels.js';
import { ticks } from '../world/things.js';
import type { Person, Vehicle } from '../world/things.js';
import type { World } from '../world/world.js';

/** @param shown the classes that the picture shows */
export function stateBits(world: World, shown: ReadonlySet<YardClass>): Record<string, boolean> {
  const { gate, door, dock, light, stack, child, dog, ball, bicycle, forklift, place } = world;
  const vehicle = (is: (it: Vehicle) => boolean): boolean => world.vehicles.some(is);
  const person = (is: (it: Person) => boolean): boolean => world.people.some(is);
  return {
    vanHere: shown.has('van'),
    carHere: shown.has('car'),
    personHere: shown.has('person'),
    childHere: shown.has('child'),
    dogHere: shown.has('dog'),
    ballHere: shown.has('ball'),
    bicycleHere: shown.has('bicycle'),
    forkliftHere: shown.has('forklift'),
    parcelHere: shown.has('parcel'),
    vanAtGate: vehicle((it) => it.state === 'at gate'),
    vanAtDoor: vehicle((it) => it.state === 'at door'),
    vanBraking: vehicle((it) => it.kind === 'van' && it.braking),
    vanFlashing: vehicle((it) => world.tick < it.flashUntil),
    vehicleAtLight: vehicle((it) => it.halt === 'light' && it.speed === 0),
    vehicleYielding: vehicle((it) => it.halt === 'yield' && it.speed === 0),
    driverOut: vehicle((it) => it.driverOut),
    gateOpen: gate.state === 'open' || gate.state === 'opening',
    doorOpen: door.share > 0,
    dockOpen: dock.share > 0,
    lightRed: light.phase === 'red',
    someoneWentIn: door.last === 'in',
    someoneCameOut: door.last === 'out',
    personWaiting: person((it) => it.state === 'waiting'),
    personCrossing: person((it) => it.state === 'crossing'),
    personAtDoor: person((it) => it.state === 'at door'),
    personYielding: person((it) => it.state === 'yielding'),
    parcelOnGround: world.parcel !== null,
    ballRolling: ball?.state === 'rolling',
    ballOnRoad: ball?.state === 'on road',
    childPlaying: child?.state === 'playing',
    childOnTheRun: child?.state === 'fetching',
    dogChasing: dog?.state === 'chasing',
    dogCarrying: dog?.state === 'carrying',
    bicycleFallen: bicycle?.state === 'fallen',
    forkliftLoaded: forklift?.loaded ?? false,
    forkliftYielding: forklift?.state === 'yielding',
    stackHigh: stack.count > 1,
    stackLeaning: stack.lean > 0,
    stackLoadedJustNow: world.tick - stack.loadedAt < ticks(4),
    stackFallen: stack.fallen,
    rain: place.appearance.rain,
    dusk: place.appearance.light === 'dusk',
    night: place.appearance.light === 'night',
  };
}
