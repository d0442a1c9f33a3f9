import { tickS } from './things.js';

/** Chance that a hazard fires within one tick. */
export function chancePerTick(perSecond: number): number {
  return 1 - Math.exp(-perSecond * tickS);
}
