/** Who comes, from beyond the picture. Hazards without memory: nothing tells of them beforehand. */
import { entryX } from './motion.js';
import { lawnZ, pavementZ, zones } from './place.js';
import { stream } from './random.js';
import { speeds } from './rules.js';
import { doorId, sizes, ticks } from './things.js';
import type { Livery, Person } from './things.js';
import type { World } from './world.js';

const arrives = stream('arrives');
const side = stream('side');
const pace = stream('pace');
const paint = stream('paint');
const special = stream('special');
const expects = stream('known van is expected');

/** Indices of the arrivals' draws. */
const lines = {
  known: 1,
  plain: 2,
  parcel: 3,
  car: 4,
  bicycle: 5,
  person: 6,
  owner: 7,
  child: 8,
  out: 9,
};

const vehiclesMax = 2;
const walkersMax = 2;
const specialShare = 0.6;

export function arrivals(world: World): void {
  const { rates } = world.place;
  vehicleArrives(world, lines.known, 'van', 'known', rates.knownVan);
  vehicleArrives(world, lines.plain, 'van', 'plain', rates.plainVan);
  vehicleArrives(world, lines.parcel, 'van', 'parcel', rates.parcelVan);
  vehicleArrives(world, lines.car, 'car', null, rates.car);
  walkerArrives(world, lines.person, 'walker', rates.person);
  if (!world.dog) walkerArrives(world, lines.owner, 'owner', rates.owner);
  if (!world.bicycle && world.fires(arrives, rates.bicycle, lines.bicycle)) bicycleArrives(world);
  if (!world.child && !world.ball && world.fires(arrives, rates.child, lines.child))
    childArrives(world);
  if (isDoorFree(world) && world.fires(arrives, rates.comesOut, lines.out)) personComesOut(world);
}

const between = (world: World, [low, high]: readonly [number, number], index: number): number =>
  low + (high - low) * world.draw(pace, index);

export function isSpecial(world: World, index: number): boolean {
  return world.place.special && world.draw(special, index) < specialShare;
}

function vehicleArrives(
  world: World,
  line: number,
  kind: 'car' | 'van',
  livery: Livery | null,
  rate: number,
): void {
  const { place, vehicles } = world;
  if (vehicles.length >= vehiclesMax || !world.fires(arrives, rate, line)) return;
  const x = entryX(place.range.vehicle, sizes[kind].length, place.direction);
  const isRoom = vehicles.every((other) => (other.x - x) * place.direction > 7);
  if (!isRoom) return;
  const text = kind === 'van' ? 'van enters' : 'car enters';
  const id = world.newId();
  if (!world.may(text, id)) return;
  const cruise = between(world, speeds.vehicle, line);
  const known = livery === 'known';
  vehicles.push({
    id,
    x,
    z: zones.vehicleLane,
    event: world.begin(text, id, null),
    kind,
    livery,
    paint: world.draw(paint, line),
    cruise,
    enteredAt: world.tick,
    special: isSpecial(world, line),
    speed: cruise,
    braking: false,
    heading: 0,
    state: 'driving',
    since: world.tick,
    plan: kind === 'car' ? 'pass' : null,
    flashUntil: 0,
    flashed: false,
    expected: known && world.draw(expects) < world.place.rules.gate.expectedKnown,
    belief: known ? world.place.rules.gate.expectedKnown : 0,
    halt: 'none',
    driverOut: false,
    servedAt: 0,
  });
}

const isOnFoot = (person: Person): boolean => person.role === 'walker' || person.role === 'owner';

function walkerArrives(world: World, line: number, role: 'walker' | 'owner', rate: number): void {
  if (!world.fires(arrives, rate, line)) return;
  const walkers = world.people.filter(isOnFoot);
  if (walkers.length >= walkersMax || (role === 'owner' && walkers.some((it) => it.role === role)))
    return;
  const id = world.newId();
  if (!world.may('person enters', id)) return;
  const direction = world.draw(side, line) < 0.5 ? 1 : -1;
  world.people.push({
    id,
    x: entryX(world.place.range.pavement, sizes.person.length, direction),
    z: pavementZ,
    event: world.begin('person enters', id, null),
    role,
    speed: between(world, speeds.person, line),
    paint: world.draw(paint, line),
    special: role === 'walker' && isSpecial(world, line),
    direction,
    state: 'walking',
    since: world.tick,
    resumes: 'on apron',
    decided: role === 'owner',
    van: 0,
    carrying: false,
    nearLaneAt: 0,
  });
}

function bicycleArrives(world: World): void {
  const id = world.newId();
  if (!world.may('bicycle enters', id)) return;
  const { place } = world;
  world.bicycle = {
    id,
    x: entryX(place.range.bicycle, sizes.bicycle.length, place.direction),
    z: zones.bicycleLane,
    event: world.begin('bicycle enters', id, null),
    special: isSpecial(world, lines.bicycle),
    paint: world.draw(paint, lines.bicycle),
    speed: between(world, speeds.bicycle, lines.bicycle),
    state: 'riding',
    since: world.tick,
    decided: false,
  };
}

function childArrives(world: World): void {
  const id = world.newId();
  if (!world.may('child enters', id)) return;
  const direction = world.draw(side, lines.child) < 0.5 ? 1 : -1;
  const x = entryX(world.place.range.lawn, sizes.child.length, direction);
  const event = world.begin('child enters', id, null);
  const since = world.tick;
  world.child = {
    id,
    x,
    z: lawnZ,
    event,
    direction,
    state: 'coming',
    since,
    paint: world.draw(paint, lines.child),
  };
  world.ball = {
    id: world.newId(),
    x,
    z: lawnZ,
    event: 0,
    special: isSpecial(world, lines.child),
    vx: 0,
    vz: 0,
    state: 'held',
    since,
    metKerb: false,
  };
}

function isDoorFree({ people, door }: World): boolean {
  return (
    door.share === 0 &&
    people.every((it) => it.role !== 'leaver' && it.state !== 'at door' && it.state !== 'on apron')
  );
}

function personComesOut(world: World): void {
  const id = world.newId();
  if (!world.may('person comes out', id)) return;
  const { place, door } = world;
  const event = world.begin('person comes out', id, doorId);
  world.people.push({
    id,
    x: place.doorX,
    z: zones.front,
    event,
    role: 'leaver',
    speed: between(world, speeds.person, lines.out),
    paint: world.draw(paint, lines.out),
    special: false,
    direction: place.direction === 1 ? -1 : 1,
    state: 'leaving',
    since: world.tick,
    resumes: 'leaving',
    decided: true,
    van: 0,
    carrying: false,
    nearLaneAt: 0,
  });
  door.openUntil = world.tick + ticks(1.2);
  door.last = 'out';
  door.lastAt = world.tick;
  door.event = event;
}
