import { moveTowards, hasLeft, isOutside } from './motion.js';
import { zones } from './place.js';
import { stream } from './random.js';
import { doorId, gateId, lightId, sizes, ticks, tickS } from './things.js';
import type { Vehicle } from './things.js';
import { chancePerTick } from './hazard.js';
import type { World } from './world.js';
import { getsOut } from './step-person.js';

const flashes = stream('van flashes');
const expects = stream('plain van is expected');
const stops = stream('van stops');
const opens = stream('gate opens');
const closes = stream('gate closes');
const drivesIn = stream('van drives in');
const turnsAway = stream('van turns away');
const drivesOn = stream('van drives on');

const accelerates = 2.2;
const brakes = 3.2;
const brakesHard = 8;
/** How far ahead of its bumper a driver looks. */
const sightM = 7;
const planM = 6.5;

type Halt = Vehicle['halt'] | 'gate' | 'door';

export function stepVehicle(world: World, vehicle: Vehicle): void {
  switch (vehicle.state) {
    case 'driving':
      flash(world, vehicle);
      drive(world, vehicle);
      break;
    case 'at gate':
      waitAtGate(world, vehicle);
      break;
    case 'at door':
      deliver(world, vehicle);
      break;
    case 'driving in':
      driveIn(world, vehicle);
      break;
    case 'gone':
      break;
  }
}

/** Some plain vans flash their headlights as they come: mostly those that are expected. */
function flash(world: World, van: Vehicle): void {
  if (van.livery !== 'plain') return;
  if (world.tick - van.enteredAt !== ticks(world.place.rules.gate.flashAfterS)) return;
  const { flashS, expectedFlashed, expectedOther } = world.place.rules.gate;
  van.flashed = world.draw(flashes, van.id) < world.place.rules.gate.flashes;
  if (van.flashed) van.flashUntil = world.tick + ticks(flashS);
  van.belief = van.flashed ? expectedFlashed : expectedOther;
  van.expected = world.draw(expects, van.id) < van.belief;
}

function drive(world: World, vehicle: Vehicle): void {
  const { direction, range } = world.place;
  const length = sizes[vehicle.kind].length;
  plan(world, vehicle);
  const { distance, halt } = nearestHalt(world, vehicle);
  const before = vehicle.speed;
  const allowed = Math.sqrt(2 * brakes * Math.max(0, distance));
  vehicle.speed = Math.max(
    Math.min(vehicle.cruise, before + accelerates * tickS, allowed),
    Math.max(0, before - brakesHard * tickS),
  );
  if (distance < 0.25 && vehicle.speed < 0.9) vehicle.speed = 0;
  vehicle.braking = vehicle.speed < before - 0.02 || vehicle.speed === 0;
  vehicle.x += direction * vehicle.speed * tickS;
  if (vehicle.speed === 0) stand(world, vehicle, halt);
  else if (vehicle.speed > 1) vehicle.halt = 'none';
  if (vehicle.plan === 'pass' && hasLeft(vehicle.x, range.vehicle, length, direction)) {
    if (vehicle.event >= 0) {
      world.begin(vehicle.kind === 'van' ? 'van leaves' : 'car leaves', vehicle.id, null, [
        vehicle.event,
      ]);
      // The rest of it goes out of sight; nothing else can happen to it.
      vehicle.event = -1;
    }
    if (isOutside(vehicle.x, range.vehicle, length, direction)) vehicle.state = 'gone';
  }
}

/** Decides about the gate or the door when it is near enough to brake for it. */
function plan(world: World, van: Vehicle): void {
  if (van.plan !== null) return;
  const { place } = world;
  const isParcel = van.livery === 'parcel';
  const toGo = ((isParcel ? place.kerbX : place.gateX) - van.x) * place.direction;
  if (toGo > planM) return;
  const draw = world.draw(stops, van.id);
  let chance: number;
  if (isParcel) chance = world.parcel === null ? world.place.rules.parcel.stops : 0;
  else if (van.special) chance = 0;
  else chance = world.place.rules.gate.stops[van.livery === 'known' ? 'known' : 'plain'];
  van.plan = draw < chance ? 'stop' : 'pass';
}

/** The nearest thing ahead to stop for, and how far from the bumper. */
function nearestHalt(world: World, vehicle: Vehicle): { distance: number; halt: Halt } {
  const { place } = world;
  const { direction } = place;
  const bumper = vehicle.x + (direction * sizes[vehicle.kind].length) / 2;
  let distance = Infinity;
  let halt: Halt = 'none';
  const consider = (ahead: number, why: Halt): void => {
    if (ahead < distance) {
      distance = ahead;
      halt = why;
    }
  };
  if (vehicle.plan === 'stop') {
    if (vehicle.livery === 'parcel') consider((place.kerbX - vehicle.x) * direction, 'door');
    else consider((place.gateX - vehicle.x) * direction, 'gate');
  }
  const ignoresLight = vehicle.special && vehicle.kind === 'car';
  if (world.light.phase === 'red' && !ignoresLight) {
    const toLine = (place.crossX - bumper) * direction - 1.3;
    // Who can no longer stop drives on.
    if (toLine > -0.2 && vehicle.speed ** 2 / (2 * brakesHard) <= toLine + 0.2)
      consider(toLine, 'light');
  }
  for (const other of world.vehicles) {
    if (other === vehicle || other.state === 'driving in') continue;
    const gap = (other.x - bumper) * direction - sizes[other.kind].length / 2;
    if (gap > -2 && gap < sightM) consider(gap - 1, 'queue');
  }
  const yieldTo = (x: number, margin: number): void => {
    const ahead = (x - bumper) * direction;
    if (ahead > -0.5 && ahead < sightM) consider(ahead - margin, 'yield');
  };
  for (const person of world.people)
    if (person.state === 'crossing' && isOnRoad(person.z)) yieldTo(person.x, 1.3);
  const { child, dog, ball, bicycle } = world;
  if (child && isOnRoad(child.z)) yieldTo(child.x, 1.2);
  if (dog && dog.state !== 'following' && isOnRoad(dog.z)) yieldTo(dog.x, 1.2);
  if (ball?.state === 'on road') yieldTo(ball.x, 1.2);
  if (bicycle?.state === 'fallen') yieldTo(bicycle.x, 1.6);
  return { distance, halt };
}

const isOnRoad = (z: number): boolean => z > zones.roadFrom && z < zones.apronFrom;

/** It has come to stand. */
function stand(world: World, vehicle: Vehicle, halt: Halt): void {
  const { id, kind } = vehicle;
  switch (halt) {
    case 'gate':
      if (!world.may('van stops at gate', id)) vehicle.plan = 'pass';
      else {
        vehicle.state = 'at gate';
        vehicle.since = world.tick;
        vehicle.event = world.begin('van stops at gate', id, gateId, [vehicle.event]);
      }
      break;
    case 'door':
      if (!world.may('van stops at door', id)) vehicle.plan = 'pass';
      else {
        vehicle.state = 'at door';
        vehicle.since = world.tick;
        vehicle.event = world.begin('van stops at door', id, doorId, [vehicle.event]);
      }
      break;
    case 'light':
    case 'yield':
      if (vehicle.halt !== 'none') break;
      vehicle.halt = halt;
      // Neither tells what the vehicle does afterwards, so its own story goes on from the event before.
      if (halt === 'light')
        world.begin(kind === 'van' ? 'van stops at light' : 'car stops at light', id, lightId, [
          world.light.event,
          vehicle.event,
        ]);
      else
        world.begin(kind === 'van' ? 'van yields' : 'car yields', id, null, [
          causeOnRoad(world),
          vehicle.event,
        ]);
      break;
    case 'queue':
    case 'none':
      if (vehicle.halt === 'none') vehicle.halt = 'queue';
  }
}

/** The last event of whatever is on the road. */
function causeOnRoad({ people, child, dog, ball, bicycle }: World): number {
  const crossing = people.find((it) => it.state === 'crossing');
  if (crossing) return crossing.event;
  if (child && isOnRoad(child.z)) return child.event;
  if (dog && dog.state !== 'following' && isOnRoad(dog.z)) return dog.event;
  if (bicycle?.state === 'fallen') return bicycle.event;
  return ball?.event ?? 0;
}

function waitAtGate(world: World, van: Vehicle): void {
  const { gate, tick } = world;
  if (gate.state === 'open') {
    if (
      world.fires(drivesIn, world.place.rules.gate.drivesInPerS, van.id) &&
      world.may('van drives in', van.id)
    ) {
      van.state = 'driving in';
      van.since = tick;
      van.event = gate.event = world.begin('van drives in', van.id, gateId, [gate.event]);
      gate.usedAt = tick;
    }
  } else if (
    gate.state === 'closed' &&
    tick - van.since >= ticks(world.place.rules.gate.turnsAwayAfterS) &&
    world.fires(turnsAway, world.place.rules.gate.turnsAwayPerS, van.id) &&
    world.may('van turns away', van.id)
  ) {
    van.state = 'driving';
    van.since = tick;
    van.plan = 'pass';
    van.event = world.begin('van turns away', van.id, gateId, [van.event]);
  }
}

/** Turns towards the gate, then through it. */
function driveIn(world: World, van: Vehicle): void {
  const { place, tick } = world;
  const share = (tick - van.since) / ticks(world.place.rules.gate.drivingInS);
  van.heading = Math.min(1, share * 2.2) * (Math.PI / 2);
  moveTowards(van, place.gateX, zones.front + 4, share < 0.2 ? 1.2 : 3.6);
  if (share >= 1) van.state = 'gone';
}

export function stepGate(world: World): void {
  const { gate, tick } = world;
  const van = world.vehicles.find((it) => it.state === 'at gate');
  const moves = tickS / world.place.rules.gate.openingS;
  switch (gate.state) {
    case 'closed':
      if (van && opensFor(world, van)) {
        gate.state = 'opening';
        gate.since = tick;
        gate.event = world.begin('gate opens', gateId, null, [van.event]);
      }
      break;
    case 'opening':
      gate.share = Math.min(1, gate.share + moves);
      if (gate.share === 1) gate.state = 'open';
      break;
    case 'open':
      if (
        !van &&
        tick - gate.usedAt >= ticks(world.place.rules.gate.closesAfterS) &&
        world.fires(closes, world.place.rules.gate.closesPerS) &&
        world.may('gate closes', gateId)
      ) {
        gate.state = 'closing';
        gate.since = tick;
        gate.event = world.begin('gate closes', gateId, null, [gate.event]);
      }
      break;
    case 'closing':
      gate.share = Math.max(0, gate.share - moves);
      if (gate.share === 0) gate.state = 'closed';
      break;
  }
}

/** Whether the keeper opens now. As long as the gate stays shut, the belief that the van is expected falls (Bayes' rule). */
function opensFor(world: World, van: Vehicle): boolean {
  if (world.tick - van.since < ticks(world.place.rules.gate.opensAfterS)) return false;
  if (
    van.expected &&
    world.fires(opens, world.place.rules.gate.opensPerS, van.id) &&
    world.may('gate opens', gateId)
  )
    return true;
  van.belief = beliefAfterWait(world, van.belief, 1);
  return false;
}

/** What is left of the belief that a van is expected when the gate stayed shut for so many ticks in which it might have opened. */
export function beliefAfterWait(world: World, belief: number, ticksShut: number): number {
  const stillShut = belief * (1 - chancePerTick(world.place.rules.gate.opensPerS)) ** ticksShut;
  return stillShut / (stillShut + 1 - belief);
}

function deliver(world: World, van: Vehicle): void {
  const { tick } = world;
  const age = tick - van.since;
  if (van.servedAt > 0) {
    if (world.fires(drivesOn, world.place.rules.parcel.drivesOnPerS, van.id)) {
      van.state = 'driving';
      van.plan = 'pass';
    }
  } else if (
    !van.driverOut &&
    age >= ticks(world.place.rules.parcel.getsOutAfterS) &&
    world.fires(drivesOn, world.place.rules.parcel.getsOutPerS, van.id)
  ) {
    getsOut(world, van);
  }
}
