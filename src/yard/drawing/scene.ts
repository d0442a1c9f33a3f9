/** From the state of a world to the things to draw. */
import type { YardClass } from '../world/labels.js';
import { lawnZ, zones } from '../world/place.js';
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
import type { Ball, Person } from '../world/things.js';
import { drawDock, drawDoor, drawGate, drawLight, lightFrame } from './fixtures.js';
import { drawBicycle } from './bicycle.js';
import { drawForklift, drawLoad, forkHeight, forkliftFrame } from './forklift.js';
import { drawStack, palletHeightM } from './pallets.js';
import { Frame } from './pen.js';
import type { Pen } from './pen.js';
import { drawChild, drawPerson, drawResident, personAngle } from './people.js';
import { drawBall, drawDog, drawLyingParcel, drawParcel } from './small-things.js';
import type { YardState } from './state.js';
import { angleOf, drawVehicle } from './vehicles.js';

/** What a thing covers of the ground, for its shadow. */
export interface Footprint {
  readonly frame: Frame;
  readonly back: number;
  readonly front: number;
  readonly half: number;
  readonly height: number;
}

export interface Item {
  readonly id: number;
  readonly class: YardClass;
  readonly x: number;
  readonly z: number;
  readonly footprint: Footprint | null;
  readonly draw: (pen: Pen) => void;
}

export function itemsOf(state: YardState): Item[] {
  const items = [...fixtures(state), ...vehicles(state), ...machines(state)];
  for (const person of state.people) items.push(...carrierAndParcel(state, person));
  items.push(...residentAndParcel(state), ...playmates(state));
  return items;
}

function fixtures({ place, gate, door, dock, light, stack }: YardState): Item[] {
  const { on } = place;
  const items: Item[] = [
    {
      ...{ id: doorId, class: 'door', x: place.doorX, z: zones.front, footprint: null },
      draw: (pen) => drawDoor(pen, place, door.share),
    },
  ];
  if (on.gate)
    items.push({
      ...{ id: gateId, class: 'gate', x: place.gateX, z: zones.front, footprint: null },
      draw: (pen) => drawGate(pen, place, gate.share),
    });
  if (on.dock)
    items.push({
      ...{ id: dockId, class: 'dock', x: place.dockX, z: zones.front, footprint: null },
      draw: (pen) => drawDock(pen, place, dock.share),
    });
  if (on.light) {
    const frame = lightFrame(place);
    items.push({
      ...{ id: lightId, class: 'light', x: frame.x, z: frame.z },
      footprint: { frame, back: -0.1, front: 0.1, half: 0.1, height: 3.2 },
      draw: (pen) => drawLight(pen, place, light),
    });
  }
  if (on.dock && (stack.count > 0 || stack.fallen)) {
    const x = place.stackX;
    const z = zones.forkliftLane;
    const height = stack.fallen ? palletHeightM : stack.count * palletHeightM;
    items.push({
      ...{ id: stackId, class: 'stack', x, z },
      footprint: { ...solid(new Frame(x, z), sizes.pallet), height },
      draw: (pen) => drawStack(pen, x, z, stack),
    });
  }
  return items;
}

function vehicles({ place, tick, vehicles: all }: YardState): Item[] {
  const isDark = place.appearance.light !== 'day';
  return all.map((vehicle) => ({
    ...{ id: vehicle.id, class: vehicle.kind, x: vehicle.x, z: vehicle.z },
    footprint: solid(
      new Frame(vehicle.x, vehicle.z, angleOf(vehicle, place.direction)),
      sizes[vehicle.kind],
    ),
    draw: (pen) => drawVehicle(pen, { vehicle, direction: place.direction, tick, isDark }),
  }));
}

function machines({ place, tick, forklift, bicycle, stack }: YardState): Item[] {
  const items: Item[] = [];
  if (bicycle) {
    const lies = bicycle.state === 'fallen';
    items.push({
      ...{ id: bicycle.id, class: 'bicycle', x: bicycle.x, z: bicycle.z },
      footprint: {
        ...solid(new Frame(bicycle.x, bicycle.z), sizes.bicycle),
        ...{ half: lies ? 0.5 : 0.12, height: lies ? 0.5 : sizes.bicycle.height },
      },
      draw: (pen) => drawBicycle(pen, bicycle, place),
    });
  }
  if (forklift) {
    const height = forkHeight(forklift, stack, tick);
    const { x, z } = forklift;
    items.push({
      ...{ id: forklift.id, class: 'forklift', x, z },
      footprint: solid(forkliftFrame(forklift), sizes.forklift),
      draw: (pen) => drawForklift(pen, forklift, height, tick),
    });
    if (forklift.loaded)
      items.push({
        ...{ id: loadIdOf(forklift.id), class: 'pallet', x, z, footprint: null },
        draw: (pen) => drawLoad(pen, forklift, height),
      });
  }
  return items;
}

function carrierAndParcel({ place }: YardState, person: Person): Item[] {
  const { id, x, z } = person;
  const frame = new Frame(x, z, personAngle(person, place));
  const items: Item[] = [
    {
      ...{ id, class: 'person', x, z, footprint: onFoot(frame, sizes.person.height) },
      draw: (pen) => drawPerson(pen, person, place),
    },
  ];
  if (person.carrying) {
    const [atX, , atZ] = frame.at(0.46, 0, 0);
    items.push({
      ...{ id: parcelIdOf(id), class: 'parcel', x, z, footprint: null },
      draw: (pen) => drawParcel(pen, new Frame(atX, atZ, 0.2, 0.98), person.special),
    });
  }
  return items;
}

/** Whoever opens from inside; the parcel that was fetched is in their arms until the door closes. */
function residentAndParcel({ place, tick, door, parcel }: YardState): Item[] {
  const isHeld = parcel !== null && parcel.event < 0;
  const items: Item[] = [];
  if (tick < door.residentUntil)
    items.push({
      ...{ id: residentId, class: 'person', x: place.doorX, z: zones.front, footprint: null },
      draw: (pen) => drawResident(pen, place, isHeld),
    });
  if (parcel)
    items.push({
      ...{ id: parcel.id, class: 'parcel', x: parcel.x, z: parcel.z },
      footprint: isHeld ? null : solid(new Frame(parcel.x, parcel.z), sizes.parcel),
      draw: (pen) => {
        if (isHeld)
          drawParcel(
            pen,
            new Frame(place.doorX + 0.1, zones.front - 0.24, 0.2, 0.95),
            parcel.special,
          );
        else drawLyingParcel(pen, parcel);
      },
    });
  return items;
}

function playmates({ place, child, dog, ball }: YardState): Item[] {
  const items: Item[] = [];
  if (child)
    items.push({
      ...{ id: child.id, class: 'child', x: child.x, z: child.z },
      footprint: onFoot(new Frame(child.x, child.z), sizes.child.height),
      draw: (pen) => drawChild(pen, child, ball?.state === 'held'),
    });
  if (dog)
    items.push({
      ...{ id: dog.id, class: 'dog', x: dog.x, z: dog.z },
      footprint: { ...solid(new Frame(dog.x, dog.z), sizes.dog), half: 0.14, height: 0.7 },
      draw: (pen) => drawDog(pen, dog),
    });
  if (ball) {
    const { x, z } = ball;
    const upM = heldAtM(ball);
    items.push({
      ...{ id: ball.id, class: 'ball', x, z },
      footprint: upM > 0 ? null : { ...solid(new Frame(x, z), sizes.ball), half: 0.16 },
      draw: (pen) => drawBall(pen, ball, place.appearance.hues.ball, upM),
    });
  }
  return items;
}

/** How high above the ground it is: in arms, between teeth, or at a child's feet. */
function heldAtM({ state, z }: Ball): number {
  if (state === 'carried by dog') return 0.52;
  return state === 'held' && Math.abs(z + 0.1 - lawnZ) > 0.02 ? 0.5 : 0;
}

function solid(frame: Frame, size: { length: number; width: number; height: number }): Footprint {
  const end = size.length / 2;
  return { frame, back: -end, front: end, half: size.width / 2, height: size.height };
}

function onFoot(frame: Frame, height: number): Footprint {
  return { frame, back: -0.2, front: 0.2, half: 0.18, height };
}
