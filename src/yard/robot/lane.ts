/** A robot's lane across the yard's apron, what can be in it, and where. Metres, seconds. */
import { zones, type Place } from '../world/place.js';
import { sizes } from '../world/things.js';
import type { World } from '../world/world.js';

/** The robot is a forklift that the world does not know of: nothing yields to it. */
export const robotSize = { lengthM: sizes.forklift.length, widthM: sizes.forklift.width } as const;

/** It drives where the yard's own forklifts do, between road and building. */
export const laneZ = zones.forkliftLane;

/** A stretch of the lane that something crosses, and the events that say so. */
export interface Crossing {
  readonly name: 'door' | 'gate' | 'dock';
  readonly fromX: number;
  readonly toX: number;
  readonly labels: readonly string[];
}

/** What begins with these ends in the lane: people between road and door, vans into the gate, forklifts out of the dock. */
export const crossingLabels = {
  door: ['person comes out', 'person goes in', 'person crosses road', 'person gets out'],
  gate: ['van drives in', 'gate opens'],
  dock: ['forklift comes out'],
} as const satisfies Record<Crossing['name'], readonly string[]>;

const besideM = 1;

/** Those that this place has. */
export function crossingsOf(place: Place): Crossing[] {
  const { doorX, crossX, gateX, gateWidth, dockX, dockWidth, on } = place;
  const around = (x: number, width: number): [number, number] => [
    x - width / 2 - besideM,
    x + width / 2 + besideM,
  ];
  const crossing = (name: Crossing['name'], [fromX, toX]: readonly [number, number]): Crossing => ({
    ...{ name, fromX, toX, labels: crossingLabels[name] },
  });
  return [
    crossing('door', [Math.min(doorX, crossX) - besideM, Math.max(doorX, crossX) + besideM]),
    ...(on.gate ? [crossing('gate', around(gateX, gateWidth))] : []),
    ...(on.dock ? [crossing('dock', around(dockX, dockWidth))] : []),
  ];
}

/** The ground that a thing covers, as a rectangle along the axes. */
export interface Footprint {
  readonly id: number;
  readonly x: number;
  readonly z: number;
  readonly halfX: number;
  readonly halfZ: number;
}

/** All that moves by itself and could be hit. */
export function footprints(world: World): Footprint[] {
  const along = (
    { id, x, z }: { readonly id: number; readonly x: number; readonly z: number },
    { length, width }: { readonly length: number; readonly width: number },
    heading = 0,
  ): Footprint => {
    const [cos, sin] = [Math.abs(Math.cos(heading)), Math.abs(Math.sin(heading))];
    return {
      ...{ id, x, z },
      halfX: (length * cos + width * sin) / 2,
      halfZ: (length * sin + width * cos) / 2,
    };
  };
  const { people, vehicles, child, dog, bicycle, forklift } = world;
  return [
    ...people.filter(({ state }) => state !== 'gone').map((it) => along(it, sizes.person)),
    ...vehicles
      .filter(({ state }) => state !== 'gone')
      .map((it) => along(it, sizes[it.kind], it.heading)),
    ...(child ? [along(child, sizes.child)] : []),
    ...(dog ? [along(dog, sizes.dog)] : []),
    ...(bicycle ? [along(bicycle, sizes.bicycle)] : []),
    ...(forklift ? [along(forklift, sizes.forklift, Math.PI / 2)] : []),
  ];
}

/** Whether a thing and a robot at `x` of the lane cover the same ground. */
export function touches(thing: Footprint, x: number): boolean {
  return (
    Math.abs(thing.x - x) < thing.halfX + robotSize.lengthM / 2 &&
    Math.abs(thing.z - laneZ) < thing.halfZ + robotSize.widthM / 2
  );
}
