import { rules } from './rules.js';
import { doorId, goingInTicks, shareInside, sizes, tickS } from './things.js';
import type { Person } from './things.js';
import type { World } from './world.js';

export function stepPerson(world: World, person: Person): void {
  person.age++;
  switch (person.state) {
    case 'walking': {
      const kerbX = world.place.doorX + person.spot;
      const before = (kerbX - person.x) * person.direction;
      person.x += person.direction * person.speed * tickS;
      world.notice(person, sizes.person.width, 'person enters');
      if (person.decided || before <= 0 || (kerbX - person.x) * person.direction > 0) break;
      person.decided = true;
      if (world.draw('person crosses', person.id) >= rules.personCrosses) break;
      person.x = kerbX;
      person.waited =
        isVanComing(world, person.x) && world.draw('person yields', person.id) < rules.personYields;
      become(person, person.waited ? 'waiting' : 'crossing');
      break;
    }
    case 'waiting':
      if (
        !isVanComing(world, person.x) &&
        world.fires('waiting crosses', rules.waitingCrossesPerS, person.id)
      )
        become(person, 'crossing');
      break;
    case 'crossing': {
      const { roadBottom, wallY } = world.place;
      const wasBefore = person.y >= roadBottom;
      person.y -= person.speed * tickS;
      if (wasBefore && person.y < roadBottom) world.begin('person crosses road', person.id);
      if (person.y <= wallY + 7) become(person, 'at door');
      break;
    }
    case 'at door':
      if (
        world.persons.every((other) => other.state !== 'going in') &&
        world.fires('door decides', rules.doorDecidesPerS, person.id)
      )
        decideAtDoor(world, person);
      break;
    case 'going in':
      break;
    case 'leaving':
      person.x += person.direction * person.speed * tickS;
      break;
  }
}

function decideAtDoor(world: World, person: Person): void {
  const goesIn = person.waited ? 1 - rules.goesIn : rules.goesIn;
  if (world.draw('goes in', person.id) < goesIn) {
    become(person, 'going in');
    world.begin('person goes in', person.id, doorId);
  } else {
    // Away from the gate, where a van may be about to drive in.
    person.direction = world.place.doorX > world.place.gateX ? 1 : -1;
    become(person, 'leaving');
    world.begin('person turns back', person.id, doorId);
  }
}

function become(person: Person, state: Person['state']): void {
  person.state = state;
  person.age = 0;
}

export function isGone(person: Person): boolean {
  const outside = person.entered && shareInside(person, sizes.person.width) === 0;
  return outside || (person.state === 'going in' && person.age >= goingInTicks);
}

/** Whether a van drives towards x and is near: what makes a person wait. */
function isVanComing(world: World, x: number): boolean {
  const van = world.van;
  if (van?.state !== 'driving' || van.speed < 4) return false;
  const ahead = (x - van.x) * van.direction;
  return ahead > -sizes.van.width / 2 - 8 && ahead < 150;
}
