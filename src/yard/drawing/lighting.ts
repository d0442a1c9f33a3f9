/** What light falls where: sky, sun and, at dusk and at night, lamps. */
import type { Place } from '../world/place.js';
import { zones } from '../world/place.js';
import type { Colour } from './colour.js';
import { lit } from './colour.js';

type Rgb = readonly [red: number, green: number, blue: number];
export type Vector = readonly [x: number, y: number, z: number];

interface Sky {
  readonly ambient: Rgb;
  readonly sun: Rgb;
  readonly lamps: number;
}

const skies = {
  day: { ambient: [0.66, 0.69, 0.75], sun: [0.5, 0.48, 0.42], lamps: 0 },
  dusk: { ambient: [0.5, 0.43, 0.46], sun: [0.42, 0.25, 0.1], lamps: 0.35 },
  night: { ambient: [0.36, 0.4, 0.51], sun: [0, 0, 0], lamps: 0.85 },
} as const satisfies Record<string, Sky>;

interface Lamp {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export class Lighting {
  /** Towards the sun; shadows fall away from the camera and to one side. */
  readonly sunward: Vector;
  readonly ambient: Rgb;
  readonly sun: Rgb;
  /** How strongly lamps shine, 0 by day. */
  readonly lampPower: number;
  readonly lamps: readonly Lamp[];
  /** Metres to the right and away that a shadow falls from 1 m height. */
  readonly shadow: { readonly x: number; readonly z: number };
  /** Share of its light that ground in a sun shadow keeps. */
  readonly shadeShare: number;

  constructor({ appearance, doorX, gateX, gateWidth, dockX, dockWidth, direction }: Place) {
    const sky: Sky = skies[appearance.light];
    const { tint, rain, shadow } = appearance;
    const cast: Rgb = [1.04 - 0.12 * tint, 1, 0.9 + 0.14 * tint];
    const sunShare = rain ? 0.35 : 1;
    const skyShare = rain ? 1.04 : 1;
    this.ambient = scale(sky.ambient, skyShare, cast);
    this.sun = scale(sky.sun, sunShare, cast);
    this.lampPower = sky.lamps;
    this.shadow = { x: shadow, z: 0.4 };
    const length = Math.hypot(shadow, 1, 0.4);
    this.sunward = [-shadow / length, 1 / length, -0.4 / length];
    this.shadeShare = appearance.light === 'night' ? 1 : rain ? 0.86 : 0.6;
    const z = zones.front - 0.5;
    this.lamps = [
      { x: doorX + direction * 1.1, y: 2.6, z },
      { x: gateX - direction * (gateWidth / 2 + 0.5), y: 2.9, z },
      { x: dockX + direction * (dockWidth / 2 + 0.4), y: 3.2, z },
      // Street lamps above the near pavement, themselves out of the picture.
      { x: -5, y: 5.5, z: 9 },
      { x: 0, y: 5.5, z: 9 },
      { x: 5, y: 5.5, z: 9 },
    ];
  }

  /** Light of all lamps at a point. */
  lampAt(x: number, y: number, z: number): number {
    if (this.lampPower === 0) return 0;
    let sum = 0;
    for (const lamp of this.lamps) {
      const square = (x - lamp.x) ** 2 + (y - lamp.y) ** 2 + (z - lamp.z) ** 2;
      sum += 2.2 / (2.2 + square) ** 1.15;
    }
    return sum * this.lampPower;
  }

  /** A colour as it looks on a face with this normal, under this much lamp light. */
  on(colour: Colour, nx: number, ny: number, nz: number, lamp: number): Colour {
    const [sx, sy, sz] = this.sunward;
    const sun = Math.max(0, nx * sx + ny * sy + nz * sz);
    const open = 0.84 + 0.16 * ny;
    const [ar, ag, ab] = this.ambient;
    const [r, g, b] = this.sun;
    return lit(
      colour,
      ar * open + r * sun + lamp,
      ag * open + g * sun + lamp * 0.82,
      ab * open + b * sun + lamp * 0.55,
    );
  }
}

function scale([r, g, b]: Rgb, share: number, [castR, castG, castB]: Rgb): Rgb {
  return [r * share * castR, g * share * castG, b * share * castB];
}
