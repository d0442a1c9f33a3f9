import { widthPx } from './place.js';
import { rules } from './rules.js';
import {
  enteredShare,
  gateId,
  shareInside,
  sizes,
  tickS,
  drivingInTicks,
  turningTicks,
} from './things.js';
import type { Thing, Van } from './things.js';
import type { World } from './world.js';

const brakingDistancePx = 80;

export function stepVan(world: World, van: Van): void {
  van.age++;
  switch (van.state) {
    case 'driving':
      drive(world, van);
      break;
    case 'stopped':
      waitAtGate(world, van);
      break;
    case 'turning':
      if (van.age >= turningTicks) {
        van.direction = van.direction === 1 ? -1 : 1;
        van.plan = 'leave';
        van.state = 'driving';
      }
      break;
    case 'driving in':
      if (van.age >= drivingInTicks) world.van = null;
      break;
  }
}

function drive(world: World, van: Van): void {
  const toGate = (world.place.gateX - van.x) * van.direction;
  if (van.plan === null && toGate < brakingDistancePx) {
    van.plan = world.draw('van stops') < rules.vanStops[van.colour] ? 'stop' : 'pass';
  }
  const braking = van.cruise ** 2 / (2 * (brakingDistancePx - 4));
  const wanted =
    van.plan === 'stop' ? Math.max(8, Math.sqrt(2 * braking * Math.max(0, toGate))) : van.cruise;
  const before = van.speed;
  van.speed = somethingAhead(world, van)
    ? Math.max(0, van.speed - 150 * tickS)
    : Math.min(wanted, van.speed + 60 * tickS, van.cruise);
  van.braking = van.speed < before - 0.01;
  van.x += van.direction * van.speed * tickS;
  world.notice(van, sizes.van.width, 'van enters');
  if (van.plan === 'stop' && (world.place.gateX - van.x) * van.direction <= 0) {
    van.x = world.place.gateX;
    van.speed = 0;
    van.state = 'stopped';
    van.age = 0;
    world.begin('van stops at gate', van.id, gateId);
  }
  const outward = van.direction === 1 ? van.x > widthPx / 2 : van.x < widthPx / 2;
  if (outward && van.entered && shareInside(van, sizes.van.width) < enteredShare) {
    // Its last fifth is gone a moment later; nothing else can happen to it.
    world.begin('van leaves', van.id);
    world.van = null;
  }
}

function waitAtGate(world: World, van: Van): void {
  if (world.gate.state === 'open' && world.fires('van drives in', rules.drivesInPerS)) {
    van.state = 'driving in';
    van.age = 0;
    world.begin('van drives in', van.id, gateId);
  } else if (
    world.gate.state === 'closed' &&
    world.fires('van turns', rules.turnsAwayPerS[van.colour])
  ) {
    van.state = 'turning';
    van.age = 0;
    world.begin('van turns away', van.id, gateId);
  }
}

export function stepGate(world: World): void {
  const { gate, van } = world;
  const vanStands = van?.state === 'stopped';
  switch (gate.state) {
    case 'closed':
      if (vanStands && world.fires('gate opens', rules.gateOpensPerS[van.colour])) {
        gate.state = 'opening';
        world.begin('gate opens', gateId);
      }
      break;
    case 'opening':
      gate.share = Math.min(1, gate.share + tickS);
      if (gate.share === 1) gate.state = 'open';
      break;
    case 'open': {
      const inUse = vanStands || van?.state === 'driving in' || van?.plan === 'stop';
      if (!inUse && world.fires('gate closes', rules.gateClosesPerS)) {
        gate.state = 'closing';
        world.begin('gate closes', gateId);
      }
      break;
    }
    case 'closing':
      gate.share = Math.max(0, gate.share - tickS);
      if (gate.share === 0) gate.state = 'closed';
      break;
  }
}

/** Whether a person, dog or ball is on the road just before the van. */
function somethingAhead(world: World, van: Van): boolean {
  const { roadTop, roadBottom } = world.place;
  const isBefore = (thing: Thing): boolean => {
    const ahead = (thing.x - van.x) * van.direction - sizes.van.width / 2;
    return ahead > -4 && ahead < 50 && thing.y > roadTop - 4 && thing.y < roadBottom + 2;
  };
  return (
    world.persons.some((person) => person.state === 'crossing' && isBefore(person)) ||
    (world.ball?.onRoad === true && isBefore(world.ball)) ||
    (world.dog?.state === 'chasing' && isBefore(world.dog))
  );
}
