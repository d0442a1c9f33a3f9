import { isOutside, moveTowards } from './motion.js';
import { farPavementZ, zones } from './place.js';
import { stream } from './random.js';
import { speeds } from './rules.js';
import { isSpecial } from './arrivals.js';
import { doorId, parcelIdOf, sizes, ticks, tickS } from './things.js';
import type { Person, Vehicle } from './things.js';
import type { World } from './world.js';
import { passForklift } from './step-dock.js';
import { dogComesAfter } from './step-lawn.js';

const crosses = stream('person crosses');
const starts = stream('person starts to cross');
const decides = stream('person at door decides');
const chooses = stream('person at door chooses');

const doorstepZ = 14.7;
const kerbZ = 8.85;
/** People who wait together stand side by side. */
const spotOf = (person: Person): number => (person.id % 2 === 0 ? 0.4 : -0.4);

export function stepPerson(world: World, person: Person): void {
  const { place, tick } = world;
  const age = tick - person.since;
  switch (person.state) {
    case 'walking':
      if (person.role === 'owner') dogComesAfter(world, person);
      walk(world, person);
      break;
    case 'to kerb':
      if (moveTowards(person, person.x, kerbZ, person.speed)) become(world, person, 'waiting');
      break;
    case 'waiting':
      wait(world, person);
      break;
    case 'crossing':
      if (moveTowards(person, person.x, zones.apronFrom + 0.2, person.speed))
        become(world, person, 'on apron');
      break;
    case 'yielding':
      if (passForklift(world, person)) become(world, person, person.resumes);
      break;
    case 'on apron': {
      const x = place.doorX + (person.role === 'walker' ? spotOf(person) : 0);
      if (!passForklift(world, person)) break;
      if (moveTowards(person, x, doorstepZ, person.speed)) become(world, person, 'at door');
      break;
    }
    case 'at door':
      if (age >= ticks(world.place.rules.people.decidesAfterS) && isDoorFree(world))
        decideAtDoor(world, person);
      break;
    case 'going in':
      moveTowards(person, place.doorX, zones.front + 0.6, 0.9);
      if (age >= ticks(world.place.rules.people.goingInS)) person.state = 'gone';
      break;
    case 'handing over':
      if (
        age >=
        ticks(
          person.carrying
            ? world.place.rules.parcel.handingOverS
            : world.place.rules.parcel.puttingDownS,
        )
      ) {
        person.carrying = false;
        become(world, person, 'back to van');
      }
      break;
    case 'back to van':
      walkToVan(world, person);
      break;
    case 'leaving':
      leave(world, person);
      break;
    case 'gone':
      break;
  }
}

function become(world: World, person: Person, state: Person['state']): void {
  person.state = state;
  person.since = world.tick;
}

function walk(world: World, person: Person): void {
  const { place } = world;
  const kerbX = place.crossX + spotOf(person);
  const before = (kerbX - person.x) * person.direction;
  person.x += person.direction * person.speed * tickS;
  if (!person.decided && before > 0 && (kerbX - person.x) * person.direction <= 0) {
    person.decided = true;
    const chance = world.place.rules.people.crosses[world.has('light') ? 'light' : 'free'];
    if (world.draw(crosses, person.id) < chance) {
      person.x = kerbX;
      become(world, person, 'to kerb');
      return;
    }
  }
  if (isOutside(person.x, place.range.pavement, sizes.person.length, person.direction))
    person.state = 'gone';
}

function wait(world: World, person: Person): void {
  const { light, tick } = world;
  const comes = isVehicleComing(world, person.x);
  let perSecond: number;
  if (!world.has('light')) perSecond = comes ? 0 : world.place.rules.people.freeCrossesPerS;
  else if (person.special && !comes) perSecond = world.place.rules.light.crossesPerS;
  else if (light.phase === 'red')
    perSecond =
      tick - light.since < ticks(world.place.rules.light.startsWithinS) &&
      !isOnCrossing(world, person.x)
        ? world.place.rules.light.crossesPerS
        : 0;
  else perSecond = comes ? 0 : world.place.rules.people.jaywalksPerS;
  if (!world.fires(starts, perSecond, person.id)) return;
  if (!world.may('person crosses road', person.id)) return;
  become(world, person, 'crossing');
  const red = light.phase === 'red' ? light.event : 0;
  person.event = world.begin('person crosses road', person.id, null, [red, person.event]);
}

function isOnCrossing(world: World, x: number): boolean {
  return world.vehicles.some((it) => Math.abs(it.x - x) < sizes[it.kind].length / 2 + 0.6);
}

/** Whether a vehicle is on the crossing, or drives towards it and is near. */
function isVehicleComing(world: World, x: number): boolean {
  return world.vehicles.some((it) => {
    const ahead = (x - it.x) * world.place.direction;
    return (
      Math.abs(ahead) < sizes[it.kind].length / 2 + 0.6 ||
      (it.state === 'driving' && it.speed > 0.8 && ahead > 0 && ahead < 9)
    );
  });
}

/** Nobody goes in or comes out just now. */
function isDoorFree(world: World): boolean {
  return world.people.every((it) => it.state !== 'going in' && it.state !== 'handing over');
}

function decideAtDoor(world: World, person: Person): void {
  if (person.role === 'driver') decideAboutParcel(world, person);
  else if (world.fires(decides, world.place.rules.people.decidesPerS, person.id)) {
    const { door, place } = world;
    const goesIn = person.special ? 1 : world.place.rules.people.goesIn[door.last];
    if (world.draw(chooses, person.id) < goesIn) {
      if (!world.may('person goes in', person.id)) return;
      become(world, person, 'going in');
      person.event = world.begin('person goes in', person.id, doorId, [person.event, door.event]);
      door.openUntil = world.tick + ticks(1.2);
      door.last = 'in';
      door.lastAt = world.tick;
      door.event = person.event;
    } else {
      if (!world.may('person turns back', person.id)) return;
      become(world, person, 'leaving');
      person.direction = place.direction === 1 ? -1 : 1;
      person.event = world.begin('person turns back', person.id, doorId, [
        person.event,
        door.event,
      ]);
    }
  }
}

/** To the far kerb, then along it and out of the picture. */
function leave(world: World, person: Person): void {
  const { range } = world.place;
  if (person.z > farPavementZ) {
    if (passForklift(world, person)) moveTowards(person, person.x, farPavementZ, person.speed);
    return;
  }
  person.x += person.direction * person.speed * tickS;
  if (isOutside(person.x, range.apron, sizes.person.length, person.direction))
    person.state = 'gone';
}

/** The driver of a parcel van gets out with a parcel. */
export function getsOut(world: World, van: Vehicle): void {
  const id = world.newId();
  if (!world.may('person gets out', id)) return;
  van.driverOut = true;
  const event = world.begin('person gets out', id, van.id, [van.event]);
  world.people.push({
    id,
    x: van.x,
    z: zones.apronFrom + 0.1,
    event,
    role: 'driver',
    speed: (speeds.person[0] + speeds.person[1]) / 2,
    paint: 0,
    special: isSpecial(world, id),
    direction: world.place.direction,
    state: 'on apron',
    since: world.tick,
    resumes: 'on apron',
    decided: true,
    van: van.id,
    carrying: true,
    nearLaneAt: 0,
  });
}

function decideAboutParcel(world: World, driver: Person): void {
  if (!world.fires(decides, world.place.rules.parcel.decidesPerS, driver.id)) return;
  const { door, place, tick } = world;
  const handsOver = driver.special ? 1 : world.place.rules.parcel.handsOver[door.last];
  const parcel = parcelIdOf(driver.id);
  const because = [driver.event, door.event];
  if (world.draw(chooses, driver.id) < handsOver) {
    if (!world.may('person hands over parcel', driver.id)) return;
    world.begin('person hands over parcel', driver.id, parcel, because);
    door.openUntil = door.residentUntil = tick + ticks(world.place.rules.parcel.handingOverS);
    become(world, driver, 'handing over');
  } else {
    if (!world.may('person puts down parcel', driver.id)) return;
    const event = world.begin('person puts down parcel', driver.id, parcel, because);
    driver.carrying = false;
    world.parcel = {
      id: parcel,
      x: place.doorX - place.direction * 1.1,
      z: doorstepZ + 0.05,
      event,
      special: driver.special,
    };
    become(world, driver, 'handing over');
  }
}

function walkToVan(world: World, driver: Person): void {
  const van = world.vehicles.find((it) => it.id === driver.van);
  if (!van) {
    become(world, driver, 'leaving');
    return;
  }
  if (!passForklift(world, driver)) return;
  if (!moveTowards(driver, van.x, zones.apronFrom + 0.1, driver.speed)) return;
  if (!world.may('person gets in', driver.id)) return;
  van.event = world.begin('person gets in', driver.id, van.id, [driver.event]);
  van.servedAt = world.tick;
  driver.state = 'gone';
}
