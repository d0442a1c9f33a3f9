import { enteredShare, tickS } from './things.js';
import type { Thing } from './things.js';

/** One tick towards a point. @returns whether it is there */
export function moveTowards(thing: Thing, x: number, z: number, speed: number): boolean {
  const dx = x - thing.x;
  const dz = z - thing.z;
  const distance = Math.sqrt(dx * dx + dz * dz);
  const pace = speed * tickS;
  if (distance <= pace) {
    thing.x = x;
    thing.z = z;
    return true;
  }
  thing.x += (dx / distance) * pace;
  thing.z += (dz / distance) * pace;
  return false;
}

type Range = readonly [left: number, right: number];

/** Where a thing of this length stands when it has just entered from the side that it moves away from. */
export function entryX(range: Range, length: number, direction: 1 | -1): number {
  const inside = (0.5 - enteredShare) * length;
  return direction === 1 ? range[0] - inside : range[1] + inside;
}

/** Whether less than a fifth of it is left inside on its way out. */
export function hasLeft(x: number, range: Range, length: number, direction: 1 | -1): boolean {
  const inside = (0.5 - enteredShare) * length;
  return direction === 1 ? x > range[1] + inside : x < range[0] - inside;
}

/** Whether nothing of it is inside on its way out. */
export function isOutside(x: number, range: Range, length: number, direction: 1 | -1): boolean {
  return direction === 1 ? x > range[1] + length / 2 : x < range[0] - length / 2;
}
