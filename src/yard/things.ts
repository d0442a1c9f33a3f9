/** What stands and moves in the yard. */
import { widthPx } from './place.js';
import type { VanColour } from './place.js';

export const ticksPerSecond = 16;
export const tickS = 1 / ticksPerSecond;

export const gateId = 1;
export const doorId = 2;

export const sizes = {
  van: { width: 80, height: 37 },
  person: { width: 18, height: 45 },
  dog: { width: 30, height: 19 },
  ball: { width: 13, height: 13 },
} as const;

/** Share of a thing's width inside the picture from which it has entered, and below which it has left. */
export const enteredShare = 0.2;

export interface YardEvent {
  readonly tick: number;
  /** Index into yardLabels. */
  readonly label: number;
  readonly actors: readonly number[];
  readonly target: number | null;
}

/** x is the centre, y the ground line. Speeds in pixels a second. */
export interface Thing {
  readonly id: number;
  x: number;
  y: number;
  direction: 1 | -1;
  entered: boolean;
}

export interface Van extends Thing {
  readonly colour: VanColour;
  readonly cruise: number;
  speed: number;
  braking: boolean;
  state: 'driving' | 'stopped' | 'turning' | 'driving in';
  /** What it does about the gate; null until it is near enough to brake. */
  plan: 'stop' | 'pass' | 'leave' | null;
  /** Ticks in this state. */
  age: number;
}

export interface Person extends Thing {
  readonly speed: number;
  readonly spot: number;
  state: 'walking' | 'waiting' | 'crossing' | 'at door' | 'going in' | 'leaving';
  decided: boolean;
  waited: boolean;
  age: number;
}

export interface Dog extends Thing {
  state: 'coming' | 'sitting' | 'chasing' | 'carrying';
  age: number;
}

export interface Ball extends Thing {
  vx: number;
  vy: number;
  onRoad: boolean;
  carried: boolean;
}

export interface Gate {
  state: 'closed' | 'opening' | 'open' | 'closing';
  /** 0 closed, 1 open. */
  share: number;
}

/** Ticks that it takes. */
export const drivingInTicks = 40;
export const turningTicks = 12;
export const goingInTicks = 22;

/** How much of a thing is inside the picture, by its width. */
export function shareInside(thing: Thing, width: number): number {
  const left = Math.max(0, thing.x - width / 2);
  const right = Math.min(widthPx, thing.x + width / 2);
  return Math.max(0, right - left) / width;
}
