import { isOutside, moveTowards } from './motion.js';
import { lawnZ, pavementZ, zones } from './place.js';
import { stream } from './random.js';
import { speeds } from './rules.js';
import { isSpecial } from './arrivals.js';
import { sizes, ticks, tickS } from './things.js';
import type { Ball, Child, Dog, Person } from './things.js';
import type { World } from './world.js';

const kicks = stream('child kicks');
const aims = stream('child aims');
const leaves = stream('child leaves');
const side = stream('child side');
const childRuns = stream('child runs');
const dogRuns = stream('dog runs');
const dogFollows = stream('dog follows');
const rollsOn = stream('ball rolls on');

const dogZ = pavementZ - 0.45;
const grassBrakes = 0.9;
const roadBrakes = 3.4;

export function stepChild(world: World, child: Child): void {
  const { place, ball, tick } = world;
  const age = tick - child.since;
  const become = (state: Child['state']): void => {
    child.state = state;
    child.since = tick;
  };
  switch (child.state) {
    case 'coming':
      if (moveTowards(child, place.playX, lawnZ, speeds.childWalks)) become('playing');
      carry(child, ball);
      break;
    case 'playing':
      carry(child, ball);
      if (ball?.state === 'held') {
        if (world.fires(leaves, world.place.rules.lawn.childLeavesPerS)) {
          child.direction = world.draw(side) < 0.5 ? 1 : -1;
          become('leaving');
        } else if (
          age >= ticks(world.place.rules.lawn.kicksAfterS) &&
          world.fires(kicks, world.place.rules.lawn.kicksPerS)
        ) {
          kick(world, ball);
          become('watching');
        }
      } else if (world.fires(leaves, world.place.rules.lawn.withoutBallLeavesPerS)) {
        child.direction = world.draw(side) < 0.5 ? 1 : -1;
        become('leaving');
      }
      break;
    case 'watching':
      watch(world, child);
      break;
    case 'fetching':
      if (ball?.state !== 'on road') become('returning');
      else if (moveTowards(child, ball.x, ball.z, speeds.childRuns)) {
        ball.state = 'held';
        become('returning');
      }
      break;
    case 'returning':
      carry(child, ball);
      if (moveTowards(child, place.playX, lawnZ, speeds.childRuns * 0.8)) become('playing');
      break;
    case 'leaving':
      child.x += child.direction * speeds.childWalks * tickS;
      carry(child, ball);
      if (isOutside(child.x, place.range.lawn, sizes.child.length, child.direction)) {
        child.state = 'gone';
        if (ball?.state === 'held') ball.state = 'gone';
      }
      break;
    case 'gone':
      break;
  }
}

function carry(child: Child, ball: Ball | null): void {
  if (ball?.state !== 'held') return;
  const toLeft = child.state === 'leaving' || child.state === 'coming' ? child.direction : 1;
  ball.x = child.x + 0.4 * toLeft;
  ball.z = child.z - 0.1;
}

function kick(world: World, ball: Ball): void {
  const [slow, fast] = speeds.ballKick;
  ball.state = 'rolling';
  ball.since = world.tick;
  ball.metKerb = false;
  ball.vx = 1.6 * (world.draw(aims, 1) - 0.5);
  ball.vz = slow + (fast - slow) * world.draw(aims);
}

/** The ball rolls, or lies on the road: fetch it if no vehicle comes. */
function watch(world: World, child: Child): void {
  const { ball, dog, tick } = world;
  if (ball === null || ball.state === 'held' || ball.state === 'carried by dog') {
    child.state = 'playing';
    child.since = tick;
    return;
  }
  if (ball.state !== 'on road' || dog?.state === 'chasing' || ball.special) return;
  const { free, danger } = world.place.rules.lawn.childRunsPerS;
  const perSecond = isVehicleComing(world, ball.x) ? danger : free;
  if (!world.fires(childRuns, perSecond) || !world.may('child runs after ball', child.id)) return;
  child.event = world.begin('child runs after ball', child.id, ball.id, [ball.event]);
  child.state = 'fetching';
  child.since = tick;
}

function isVehicleComing(world: World, x: number): boolean {
  return world.vehicles.some((it) => {
    const ahead = (x - it.x) * world.place.direction;
    return it.state === 'driving' && it.speed > 0.8 && ahead > -2 && ahead < 9;
  });
}

export function stepBall(world: World, ball: Ball): void {
  if (ball.state !== 'rolling' && ball.state !== 'on road') return;
  const speed = Math.sqrt(ball.vx ** 2 + ball.vz ** 2);
  const brakes = ball.state === 'on road' ? roadBrakes : grassBrakes;
  const left = Math.max(0, speed - brakes * tickS);
  if (speed > 0) {
    ball.vx *= left / speed;
    ball.vz *= left / speed;
  }
  const before = ball.z;
  ball.x += ball.vx * tickS;
  ball.z += ball.vz * tickS;
  const { roadFrom } = zones;
  if (before < roadFrom && ball.z >= roadFrom && !ball.metKerb) meetKerb(world, ball);
  // A ball that has come to rest on the grass is at the child's feet again.
  if (ball.state === 'rolling' && (left === 0 || ball.z <= lawnZ)) ball.state = 'held';
  if (ball.state === 'held' && !world.child) ball.state = 'gone';
}

function meetKerb(world: World, ball: Ball): void {
  ball.metKerb = true;
  if (
    world.draw(rollsOn) < world.place.rules.lawn.rollsOn &&
    world.may('ball rolls onto road', ball.id)
  ) {
    ball.state = 'on road';
    ball.event = world.begin('ball rolls onto road', ball.id, null, [world.child?.event ?? 0]);
  } else {
    ball.z = zones.roadFrom;
    rollBack(world, ball, 2.4);
  }
}

/** Towards the place where the child stands. */
export function rollBack(world: World, ball: Ball, speed: number): void {
  ball.vz = -speed;
  ball.vx = ((world.place.playX - ball.x) * speed) / (ball.z - lawnZ) / 1.2;
}

/** A dog comes after its owner, some seconds later. */
export function dogComesAfter(world: World, owner: Person): void {
  if (world.dog) return;
  const age = world.tick - owner.since;
  const { dogFollowsFromS, dogFollowsToS, dogFollowsPerS } = world.place.rules.lawn;
  if (age < ticks(dogFollowsFromS) || age > ticks(dogFollowsToS)) return;
  if (!world.fires(dogFollows, dogFollowsPerS)) return;
  const id = world.newId();
  if (!world.may('dog follows person', id)) return;
  const { direction } = owner;
  const range = world.place.range.pavement;
  world.dog = {
    id,
    x: direction === 1 ? range[0] - 0.3 * sizes.dog.length : range[1] + 0.3 * sizes.dog.length,
    z: dogZ,
    event: world.begin('dog follows person', id, owner.id, [owner.event]),
    special: isSpecial(world, id),
    direction,
    owner: owner.id,
    state: 'following',
    since: world.tick,
  };
}

export function stepDog(world: World, dog: Dog): void {
  const { ball, place, tick } = world;
  switch (dog.state) {
    case 'following':
      dog.x += dog.direction * speeds.dogWalks * tickS;
      if (
        ball?.state === 'on road' &&
        !dog.special &&
        world.child?.state !== 'fetching' &&
        world.fires(dogRuns, world.place.rules.lawn.dogRunsPerS) &&
        world.may('dog runs after ball', dog.id)
      ) {
        dog.event = world.begin('dog runs after ball', dog.id, ball.id, [ball.event]);
        dog.state = 'chasing';
        dog.since = tick;
      }
      break;
    case 'chasing':
      if (ball?.state !== 'on road') dog.state = 'leaving';
      else {
        if (Math.abs(ball.x - dog.x) > 0.1) dog.direction = ball.x > dog.x ? 1 : -1;
        if (moveTowards(dog, ball.x, ball.z, speeds.dogRuns)) {
          ball.state = 'carried by dog';
          dog.state = 'carrying';
          dog.direction = dog.x < 0 ? -1 : 1;
        }
      }
      break;
    case 'carrying':
    case 'leaving': {
      // Back to the pavement, and out along it.
      const out = dog.x + dog.direction * 3;
      moveTowards(dog, out, dogZ, dog.state === 'carrying' ? speeds.dogCarries : speeds.dogWalks);
      if (ball?.state === 'carried by dog') {
        ball.x = dog.x + 0.6 * dog.direction;
        ball.z = dog.z;
      }
      break;
    }
    case 'gone':
      return;
  }
  if (isOutside(dog.x, place.range.pavement, sizes.dog.length, dog.direction)) {
    dog.state = 'gone';
    if (ball?.state === 'carried by dog') ball.state = 'gone';
  }
}
