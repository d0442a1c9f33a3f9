/** What a camera could see of a world, without drawing it: boxes in perspective, what hides what, drawn attributes. */
import { heightPx, project, widthPx } from '../world/camera.js';
import type { YardClass } from '../world/labels.js';
import { zones } from '../world/place.js';
import {
  dockId,
  doorId,
  gateId,
  lightId,
  loadIdOf,
  parcelIdOf,
  residentId,
  sizes,
  stackId,
} from '../world/things.js';
import type { Vehicle } from '../world/things.js';
import type { World } from '../world/world.js';

/** Attributes that one picture shows, each 0 to 1 unless told. Their order is that of track files. */
export const attributes = [
  'known', // a van's yellow stripe
  'parcelVan',
  'flashing',
  'braking',
  'open', // share of the gate, door or dock
  'red', // the light, for vehicles
  'pallets', // thirds of a full stack
  'lean',
  'fallen',
  'owner', // the red coat
  'driver', // the brown uniform
  'special',
  'facing', // 1 to the right, -1 to the left, 0 neither
] as const;

type Attribute = (typeof attributes)[number];
export type Attributes = Partial<Record<Attribute, number>>;

export interface Seen {
  readonly id: number;
  readonly class: YardClass;
  /** Left, top, width, height as shares of the picture, cut at its edges. */
  readonly box: readonly [number, number, number, number];
  /** Share of it that is neither hidden nor out of the picture, roughly. */
  readonly visible: number;
  readonly attributes: Attributes;
}

/** What is less visible than this counts as not seen. */
export const visibleLeast = 0.2;

/** A box on the ground: its centre, its bottom's height, and its extent along x, up, and along z, in metres. */
interface Solid {
  readonly id: number;
  readonly class: YardClass;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly sizeX: number;
  readonly sizeY: number;
  readonly sizeZ: number;
  /** Whether it can hide others. */
  readonly hides: boolean;
  readonly attributes: Attributes;
}

type Size = (typeof sizes)[keyof typeof sizes];

/** All things of the yard as solids. */
function solidsOf(world: World): Solid[] {
  const solids: Solid[] = [];
  const put = (
    id: number,
    kind: YardClass,
    at: { readonly x: number; readonly z: number },
    size: Size,
    shown: Attributes = {},
    y = 0,
  ): void => {
    solids.push({
      id,
      class: kind,
      x: at.x,
      y,
      z: at.z,
      sizeX: size.length,
      sizeY: size.height,
      sizeZ: size.width,
      hides: true,
      attributes: shown,
    });
  };
  const { place, vehicles, people, child, dog, ball, bicycle, forklift, stack, parcel } = world;
  putBuilding(world, solids);
  for (const vehicle of vehicles) solids.push(vehicleSolid(world, vehicle));
  for (const person of people) {
    const shown = {
      owner: Number(person.role === 'owner'),
      driver: Number(person.role === 'driver'),
      special: Number(person.special && person.role === 'walker'),
    };
    put(person.id, 'person', person, sizes.person, { ...shown, facing: person.direction });
    if (person.carrying)
      put(
        parcelIdOf(person.id),
        'parcel',
        { x: person.x, z: person.z - 0.3 },
        sizes.parcel,
        {
          special: Number(person.special),
        },
        0.9,
      );
  }
  if (world.tick < world.door.residentUntil)
    put(residentId, 'person', { x: place.doorX, z: zones.front + 0.2 }, sizes.person);
  if (child) put(child.id, 'child', child, sizes.child, { facing: child.direction });
  if (dog)
    put(dog.id, 'dog', dog, sizes.dog, { facing: dog.direction, special: Number(dog.special) });
  if (ball) {
    const height = ball.state === 'held' ? 0.5 : ball.state === 'carried by dog' ? 0.4 : 0;
    put(ball.id, 'ball', ball, sizes.ball, { special: Number(ball.special) }, height);
  }
  if (bicycle)
    put(bicycle.id, 'bicycle', bicycle, sizes.bicycle, {
      fallen: Number(bicycle.state === 'fallen'),
      special: Number(bicycle.special),
      facing: place.direction,
    });
  if (forklift) {
    const back = forklift.state === 'returning' || forklift.state === 'going in';
    put(forklift.id, 'forklift', forklift, sizes.forklift, {
      special: Number(forklift.special),
      facing: back ? -place.direction : place.direction,
    });
    if (forklift.loaded)
      put(
        loadIdOf(forklift.id),
        'pallet',
        { x: forklift.x + place.direction * 1.3, z: forklift.z - 0.1 },
        sizes.pallet,
        {},
        0.25,
      );
  }
  if (parcel) put(parcel.id, 'parcel', parcel, sizes.parcel, { special: Number(parcel.special) });
  if (stack.count > 0 || stack.fallen) {
    const { length, width, height } = sizes.pallet;
    const size = {
      length: length * (stack.fallen ? 1.9 : 1 + 0.3 * stack.lean),
      width,
      height: height * (stack.fallen ? 1 : stack.count),
    };
    put(stackId, 'stack', { x: place.stackX, z: zones.forkliftLane }, size as Size, {
      pallets: stack.count / 3,
      lean: stack.lean,
      fallen: Number(stack.fallen),
      special: Number(stack.special),
    });
  }
  return solids;
}

function putBuilding(world: World, solids: Solid[]): void {
  const { place, gate, door, dock, light } = world;
  const fixed = (
    id: number,
    kind: YardClass,
    x: number,
    z: number,
    sizeX: number,
    sizeY: number,
    shown: Attributes,
    y = 0,
  ): void => {
    solids.push({
      id,
      class: kind,
      x,
      y,
      z,
      sizeX,
      sizeY,
      sizeZ: 0.1,
      hides: false,
      attributes: shown,
    });
  };
  if (world.has('gate'))
    fixed(gateId, 'gate', place.gateX, zones.front, place.gateWidth, 2.4, { open: gate.share });
  fixed(doorId, 'door', place.doorX, zones.front, 1.15, 2.35, { open: door.share });
  if (world.has('dock'))
    fixed(dockId, 'dock', place.dockX, zones.front, place.dockWidth, 2.7, { open: dock.share });
  if (world.has('light'))
    fixed(
      lightId,
      'light',
      place.crossX + place.direction * 1.2,
      zones.apronFrom + 0.1,
      0.5,
      1.2,
      {
        red: Number(light.phase === 'red'),
      },
      1.5,
    );
}

function vehicleSolid(world: World, vehicle: Vehicle): Solid {
  const size = sizes[vehicle.kind];
  const along = Math.abs(Math.cos(vehicle.heading));
  const across = Math.abs(Math.sin(vehicle.heading));
  return {
    id: vehicle.id,
    class: vehicle.kind,
    x: vehicle.x,
    y: 0,
    z: vehicle.z,
    sizeX: size.length * along + size.width * across,
    sizeY: size.height,
    sizeZ: size.width * along + size.length * across,
    hides: true,
    attributes: {
      known: Number(vehicle.livery === 'known'),
      parcelVan: Number(vehicle.livery === 'parcel'),
      flashing: Number(world.tick < vehicle.flashUntil),
      braking: Number(vehicle.braking),
      special: Number(vehicle.special),
      facing: world.place.direction,
    },
  };
}

interface Projected {
  readonly solid: Solid;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly depthM: number;
}

function projectSolid(world: World, solid: Solid): Projected {
  const { camera } = world.place;
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let corner = 0; corner < 8; corner++) {
    const { u, v } = project(
      camera,
      solid.x + ((corner & 1) - 0.5) * solid.sizeX,
      solid.y + ((corner >> 1) & 1) * solid.sizeY,
      solid.z + ((corner >> 2) - 0.5) * solid.sizeZ,
    );
    left = Math.min(left, u);
    right = Math.max(right, u);
    top = Math.min(top, v);
    bottom = Math.max(bottom, v);
  }
  return { solid, left, top, right, bottom, depthM: solid.z };
}

/** Points across and down at which a box asks what hides it. */
const probes = 5;

function visibleShare(it: Projected, nearer: readonly Projected[]): number {
  let seen = 0;
  for (let i = 0; i < probes * probes; i++) {
    const u = it.left + (((i % probes) + 0.5) / probes) * (it.right - it.left);
    const v = it.top + ((Math.floor(i / probes) + 0.5) / probes) * (it.bottom - it.top);
    if (u < 0 || u >= widthPx || v < 0 || v >= heightPx) continue;
    const isHidden = nearer.some(
      (other) => u > other.left && u < other.right && v > other.top && v < other.bottom,
    );
    if (!isHidden) seen++;
  }
  return seen / (probes * probes);
}

/** Where each thing stands on the ground and what is drawn of it, whether or not anything hides it. */
export function standingById(
  world: World,
): ReadonlyMap<number, Pick<Solid, 'x' | 'z' | 'attributes'>> {
  return new Map(solidsOf(world).map((solid) => [solid.id, solid]));
}

/** Everything of which at least `visibleLeast` shows, nearest first. */
export function look(world: World): Seen[] {
  const all = solidsOf(world)
    .map((solid) => projectSolid(world, solid))
    .sort((a, b) => a.depthM - b.depthM);
  const nearer: Projected[] = [];
  const seen: Seen[] = [];
  for (const it of all) {
    const visible = visibleShare(it, nearer);
    if (it.solid.hides && it.solid.sizeX > 1) nearer.push(it);
    const left = Math.max(0, it.left);
    const top = Math.max(0, it.top);
    const width = Math.min(widthPx, it.right) - left;
    const height = Math.min(heightPx, it.bottom) - top;
    if (visible < visibleLeast || width <= 0 || height <= 0) continue;
    seen.push({
      id: it.solid.id,
      class: it.solid.class,
      box: [left / widthPx, top / heightPx, width / widthPx, height / heightPx],
      visible,
      attributes: it.solid.attributes,
    });
  }
  return seen;
}
