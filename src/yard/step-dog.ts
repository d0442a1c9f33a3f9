import { heightPx, widthPx } from './place.js';
import { rules } from './rules.js';
import { shareInside, sizes, tickS } from './things.js';
import type { Ball, Dog } from './things.js';
import type { World } from './world.js';

const dogSpeed = { coming: 55, chasing: 110, carrying: 75 } as const;

export function stepBall(world: World, ball: Ball): void {
  if (ball.carried) return;
  const { roadTop, roadBottom } = world.place;
  const wasBefore = ball.y >= roadBottom;
  ball.x += ball.vx * tickS;
  ball.y += ball.vy * tickS;
  if (wasBefore && ball.vy < 0 && ball.y < roadBottom) {
    if (world.draw('ball rolls on') < rules.ballRollsOn) {
      ball.onRoad = true;
      world.begin('ball rolls onto road', ball.id);
    } else {
      ball.y = roadBottom;
      ball.vy *= -0.8;
    }
  }
  if (ball.onRoad && ball.vy < 0 && ball.y < roadTop + 6) ball.vy *= -0.9;
  if (ball.vy > 0 && ball.y > roadBottom) ball.onRoad = false;
  if (ball.x < 8 || ball.x > widthPx - 8) ball.vx *= -1;
  if (ball.vy > 0 && ball.y > heightPx + sizes.ball.height) world.ball = null;
}

export function stepDog(world: World, dog: Dog): void {
  dog.age++;
  switch (dog.state) {
    case 'coming':
      dog.x += dog.direction * dogSpeed.coming * tickS;
      dog.y = Math.min(dogHomeY(world), dog.y + 30 * tickS);
      world.notice(dog, sizes.dog.width, 'dog enters');
      if ((world.place.dogX - dog.x) * dog.direction <= 0) dog.state = 'sitting';
      break;
    case 'sitting':
      if (world.ball?.onRoad === true && world.fires('dog chases', rules.dogChasesPerS)) {
        dog.state = 'chasing';
        world.begin('dog chases ball', dog.id, world.ball.id);
      }
      break;
    case 'chasing':
      chase(world, dog);
      break;
    case 'carrying':
      carry(world, dog);
      break;
  }
}

function chase(world: World, dog: Dog): void {
  const ball = world.ball;
  if (!ball) {
    dog.state = 'coming';
    dog.direction = world.place.dogX > dog.x ? 1 : -1;
    return;
  }
  const dx = ball.x - dog.x;
  const dy = ball.y - dog.y;
  const distance = Math.hypot(dx, dy);
  const pace = Math.min(distance, dogSpeed.chasing * tickS);
  if (Math.abs(dx) > 2) dog.direction = dx > 0 ? 1 : -1;
  if (distance > 0) {
    dog.x += (dx / distance) * pace;
    dog.y += (dy / distance) * pace;
  }
  if (distance < 10) {
    ball.carried = true;
    dog.state = 'carrying';
    dog.direction = dog.x < widthPx / 2 ? -1 : 1;
  }
}

export function dogHomeY(world: World): number {
  return Math.min(heightPx - 8, world.place.roadBottom + 28);
}

function carry(world: World, dog: Dog): void {
  dog.x += dog.direction * dogSpeed.carrying * tickS;
  dog.y = Math.min(dogHomeY(world), dog.y + 30 * tickS);
  if (world.ball) {
    world.ball.x = dog.x + dog.direction * 17;
    world.ball.y = dog.y - 5;
    world.ball.onRoad = false;
  }
  if (shareInside(dog, sizes.dog.width) === 0) {
    world.dog = null;
    world.ball = null;
  }
}
