import { moveTowards } from './motion.js';
import { zones } from './place.js';
import { stream } from './random.js';
import { speeds } from './rules.js';
import { isSpecial } from './arrivals.js';
import { dockId, loadIdOf, stackId, ticks, tickS } from './things.js';
import type { Forklift, Person } from './things.js';
import type { World } from './world.js';

const opens = stream('dock opens');
const loads = stream('forklift is loaded');
const works = stream('forklift works');
const leans = stream('stack leans');
const falls = stream('stack falls');
const yields = stream('who yields');

/** How near to each other's way counts, in metres. */
const nearLaneM = 0.95;
const nearWayM = 2.6;

export function stepDock(world: World): void {
  if (!world.has('dock')) return;
  const { dock, forklift, tick } = world;
  const become = (state: typeof dock.state): void => {
    dock.state = state;
    dock.since = tick;
  };
  const moves = tickS / world.place.rules.dock.opensS;
  switch (dock.state) {
    case 'closed':
      if (!forklift && world.fires(opens, world.place.rates.forklift)) become('opening');
      break;
    case 'opening':
      dock.share = Math.min(1, dock.share + moves);
      if (dock.share === 1) {
        if (forkliftComesOut(world)) become('open');
        else become('closing');
      }
      break;
    case 'open':
      if (!forklift) become('closing');
      break;
    case 'closing':
      dock.share = Math.max(0, dock.share - moves);
      if (dock.share === 0) become('closed');
      break;
  }
}

function forkliftComesOut(world: World): boolean {
  const id = world.newId();
  if (!world.may('forklift comes out', id)) return false;
  const { place, stack } = world;
  const isRoom = !stack.fallen && stack.count < 3;
  world.forklift = {
    id,
    x: place.dockX,
    z: zones.front,
    event: world.begin('forklift comes out', id, dockId),
    special: isSpecial(world, id),
    direction: place.direction,
    state: 'coming out',
    since: world.tick,
    loaded: isRoom && (stack.count === 0 || world.draw(loads) < world.place.rules.dock.loaded),
    nearWayAt: 0,
  };
  return true;
}

export function stepForklift(world: World, forklift: Forklift): void {
  const { place, tick } = world;
  const age = tick - forklift.since;
  const become = (state: Forklift['state']): void => {
    forklift.state = state;
    forklift.since = tick;
  };
  const lane = zones.forkliftLane;
  switch (forklift.state) {
    case 'coming out':
      if (moveTowards(forklift, place.dockX, lane, 1.5)) become('driving');
      break;
    case 'driving':
    case 'yielding':
      if (!passPeople(world, forklift)) break;
      // It stops before the stack, on the dock's side.
      if (moveTowards(forklift, place.stackX - place.direction * 1.7, lane, speeds.forklift))
        become('at stack');
      break;
    case 'at stack':
      if (
        age >= ticks(world.place.rules.dock.worksAfterS) &&
        world.fires(works, world.place.rules.dock.worksPerS)
      )
        work(world, forklift);
      break;
    case 'returning':
      if (age < ticks(world.place.rules.dock.leavesAfterS)) break;
      if (moveTowards(forklift, place.dockX, lane, speeds.forklift)) become('going in');
      break;
    case 'going in':
      if (moveTowards(forklift, place.dockX, zones.front + 0.6, 1.5)) forklift.state = 'gone';
      break;
    case 'gone':
      break;
  }
}

function work(world: World, forklift: Forklift): void {
  const { stack, tick } = world;
  const load = loadIdOf(forklift.id);
  const because = [forklift.event];
  if (forklift.loaded) {
    if (!world.may('forklift puts down pallet', forklift.id)) return;
    forklift.event = world.begin('forklift puts down pallet', forklift.id, load, because);
    stack.count++;
    stack.lean = drawLean(world);
    stack.loadedAt = tick;
    stack.event = forklift.event;
  } else if (stack.fallen || stack.count > 0) {
    if (!world.may('forklift picks up pallet', forklift.id)) return;
    forklift.event = world.begin('forklift picks up pallet', forklift.id, load, because);
    stack.count = stack.fallen ? 0 : stack.count - 1;
    stack.fallen = false;
    if (stack.count < 2) stack.lean = 0;
  }
  forklift.loaded = !forklift.loaded;
  forklift.state = 'returning';
  forklift.since = tick;
}

function drawLean(world: World): number {
  if (world.stack.count < 2) return 0;
  const [straight, half] =
    world.place.rules.dock.leans[world.stack.count === 2 ? 'second' : 'third'];
  const draw = world.draw(leans);
  if (draw < straight) return 0;
  return draw < straight + half ? 0.5 : 1;
}

/** A pile that has just been loaded falls by how it leans; what has stood for a while keeps standing. */
export function stepStack(world: World): void {
  const { stack, tick } = world;
  if (stack.lean === 0 || stack.fallen || stack.special) return;
  const age = tick - stack.loadedAt;
  if (
    age < ticks(world.place.rules.dock.fallsFromS) ||
    age > ticks(world.place.rules.dock.fallsToS)
  )
    return;
  const { half, full } = world.place.rules.dock.fallsPerS;
  if (!world.fires(falls, stack.lean === 1 ? full : half)) return;
  if (!world.may('stack falls', stackId)) return;
  stack.fallen = true;
  stack.event = world.begin('stack falls', stackId, null, [stack.event]);
}

// Where people's way to the door and the forklift's lane cross, the later of two mostly yields, until the other is past.

function isNearWay(world: World, forklift: Forklift): boolean {
  return Math.abs(forklift.x - world.place.doorX) < nearWayM;
}

function isNearLane(person: Person): boolean {
  return Math.abs(person.z - zones.forkliftLane) < nearLaneM;
}

/** Whether the forklift may drive on; begins to yield where it must. */
function passPeople(world: World, forklift: Forklift): boolean {
  const { people, tick } = world;
  const isOnWay = (person: Person): boolean =>
    person.state !== 'yielding' && person.nearLaneAt > 0 && isNearLane(person);
  if (forklift.state === 'yielding') {
    if (people.some(isOnWay)) return false;
    forklift.state = 'driving';
    return true;
  }
  const toWay = (world.place.doorX - forklift.x) * forklift.direction;
  if (toWay <= 0 || toWay >= nearWayM) {
    forklift.nearWayAt = 0;
    return true;
  }
  if (forklift.nearWayAt > 0) return true;
  forklift.nearWayAt = tick;
  const other = people.find(isOnWay);
  if (!other) return true;
  const yieldsItself =
    !forklift.special &&
    (world.draw(yields) < world.place.rules.dock.laterYields || isOnLane(other));
  if (!yieldsItself) {
    personYields(world, other, forklift);
    return true;
  }
  if (!world.may('forklift yields to person', forklift.id)) return true;
  forklift.state = 'yielding';
  forklift.since = tick;
  forklift.event = world.begin('forklift yields to person', forklift.id, other.id, [
    other.event,
    forklift.event,
  ]);
  return false;
}

const isOnLane = (person: Person): boolean => Math.abs(person.z - zones.forkliftLane) < 0.6;

/** Whether a person on the apron may walk on; begins to yield where it must. */
export function passForklift(world: World, person: Person): boolean {
  const { forklift, tick } = world;
  const isThere = forklift !== null && forklift.state !== 'yielding' && isNearWay(world, forklift);
  if (person.state === 'yielding') {
    return !isThere;
  }
  if (!isNearLane(person)) {
    person.nearLaneAt = 0;
    return true;
  }
  if (person.nearLaneAt > 0) return true;
  person.nearLaneAt = tick;
  if (!isThere || (forklift.state !== 'driving' && forklift.state !== 'returning')) return true;
  const isOnWay = Math.abs(forklift.x - world.place.doorX) < 1.2;
  const yieldsItself =
    forklift.special ||
    isOnWay ||
    world.draw(yields, person.id) < world.place.rules.dock.laterYields;
  if (yieldsItself) return !personYields(world, person, forklift);
  if (forklift.state !== 'driving' || !world.may('forklift yields to person', forklift.id))
    return true;
  forklift.state = 'yielding';
  forklift.since = tick;
  forklift.event = world.begin('forklift yields to person', forklift.id, person.id, [
    forklift.event,
    person.event,
  ]);
  return true;
}

/** @returns whether it does */
function personYields(world: World, person: Person, forklift: Forklift): boolean {
  const { state } = person;
  if (state !== 'on apron' && state !== 'back to van' && state !== 'leaving') return false;
  if (!world.may('person yields to forklift', person.id)) return false;
  person.resumes = state;
  person.state = 'yielding';
  person.since = world.tick;
  person.event = world.begin('person yields to forklift', person.id, forklift.id, [
    forklift.event,
    person.event,
  ]);
  return true;
}
