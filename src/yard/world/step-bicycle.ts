import { isOutside } from './motion.js';
import { stream } from './random.js';
import { rollBack } from './step-lawn.js';
import { sizes, ticks, tickS } from './things.js';
import type { Bicycle } from './things.js';
import type { World } from './world.js';

const collides = stream('bicycle collides');
const ridesOn = stream('bicycle rides on');

export function stepBicycle(world: World, bicycle: Bicycle): void {
  const { place, ball, tick } = world;
  if (bicycle.state === 'fallen') {
    const age = tick - bicycle.since;
    if (
      age >= ticks(world.place.rules.bicycle.liesS) &&
      world.fires(ridesOn, world.place.rules.bicycle.ridesOnPerS)
    ) {
      bicycle.state = 'riding';
      bicycle.since = tick;
    }
    return;
  }
  bicycle.x += place.direction * bicycle.speed * tickS;
  if (ball?.state === 'on road' && !bicycle.decided && isBefore(world, bicycle, ball)) {
    bicycle.decided = true;
    const { dry, rain } = world.place.rules.bicycle.collides;
    if (
      !bicycle.special &&
      world.draw(collides) < (place.appearance.rain ? rain : dry) &&
      world.may('bicycle collides with ball', bicycle.id)
    ) {
      const because = [ball.event, bicycle.event];
      bicycle.event = world.begin('bicycle collides with ball', bicycle.id, ball.id, because);
      bicycle.state = 'fallen';
      bicycle.since = tick;
      // The ball is knocked back to the lawn.
      ball.state = 'rolling';
      ball.metKerb = true;
      rollBack(world, ball, 2.8);
    }
  }
  if (isOutside(bicycle.x, place.range.bicycle, sizes.bicycle.length, place.direction))
    bicycle.state = 'gone';
}

function isBefore(world: World, bicycle: Bicycle, ball: { x: number; z: number }): boolean {
  const ahead = (ball.x - bicycle.x) * world.place.direction;
  return ahead > 0 && ahead < 1.2 && Math.abs(ball.z - bicycle.z) < 0.75;
}
