import { RandomStream } from './random.js';

export const widthPx = 320;
export const heightPx = 180;

export const vanColours = ['blue', 'red', 'white'] as const;
export type VanColour = (typeof vanColours)[number];

/** What never changes at one camera: positions, light, and how often things come. Pixels of the 320 x 180 picture. */
export interface Place {
  readonly seed: number;
  /** Foot of the wall and the house; the far pavement begins here. */
  readonly wallY: number;
  readonly roadTop: number;
  readonly roadBottom: number;
  readonly gateX: number;
  readonly gateWidth: number;
  readonly doorX: number;
  readonly doorWidth: number;
  /** Where the dog sits. */
  readonly dogX: number;
  readonly bushX: number;
  readonly postX: number;
  /** 0.7 (dusk) to 1.1 (noon). */
  readonly light: number;
  /** 0 (warm) to 1 (cold). */
  readonly tint: number;
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number;
  /** How far the sun throws shadows, in pixels to the right. */
  readonly shadowPx: number;
  readonly cloudiness: number;
  readonly hues: {
    readonly wall: number;
    readonly house: number;
    readonly door: number;
    readonly gate: number;
    readonly grass: number;
    readonly ball: number;
    readonly dog: number;
  };
  readonly roadGrey: number;
  /** Arrivals a second, while there is room for one. */
  readonly rates: {
    readonly van: number;
    readonly person: number;
    readonly dog: number;
    readonly ball: number;
  };
}

/** Draws a place; equal seeds give equal places. */
export function makePlace(seed: number): Place {
  const random = new RandomStream(seed, 'place');
  const wallY = Math.round(random.between(72, 78));
  const roadTop = wallY + Math.round(random.between(15, 18));
  const roadBottom = roadTop + Math.round(random.between(46, 52));
  const gateX = Math.round(random.between(95, 225));
  // A van that stands at the gate must not stand where people cross to the door.
  const left = gateX - 92;
  const right = gateX + 92;
  const doorOnRight = right > 285 ? false : left < 35 ? true : random.chance(0.5);
  const doorX = Math.round(doorOnRight ? random.between(right, 288) : random.between(32, left));
  // A lamp post before the door would hide who goes in.
  const post = random.between(20, 300);
  const postX = Math.round(Math.abs(post - doorX) < 28 ? doorX + (doorX > 160 ? -36 : 36) : post);
  const busy = random.between(0.75, 1.25);
  return {
    seed,
    wallY,
    roadTop,
    roadBottom,
    gateX,
    gateWidth: Math.round(random.between(60, 72)),
    doorX,
    doorWidth: Math.round(random.between(26, 30)),
    dogX: Math.round(random.between(50, 270)),
    bushX: Math.round(random.between(10, 310)),
    postX,
    light: random.between(0.72, 1.05),
    tint: random.uniform(),
    noise: random.between(1.5, 5),
    shadowPx: random.between(-14, 14),
    cloudiness: random.between(0, 0.3),
    hues: {
      wall: random.between(15, 60),
      house: random.between(20, 60),
      door: random.pick([120, 150, 30, 280]),
      gate: random.pick([100, 150, 175]),
      grass: random.between(75, 115),
      ball: random.pick([28, 50, 315]),
      dog: random.pick([25, 30, 35]),
    },
    roadGrey: random.between(36, 52),
    rates: {
      van: random.between(0.09, 0.16) * busy,
      person: random.between(0.04, 0.07) * busy,
      dog: random.between(0.14, 0.24) * busy,
      ball: random.between(0.06, 0.1) * busy,
    },
  };
}
