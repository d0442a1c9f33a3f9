/** What stands still at one place, drawn once: a ray for each sample. */
import { zones } from '../world/place.js';
import type { Place } from '../world/place.js';
import { widthPx, heightPx } from '../world/camera.js';
import { dull } from './brush.js';
import { Building } from './building.js';
import type { Opening, Seen } from './building.js';
import type { Colour } from './colour.js';
import { mixed, scaled } from './colour.js';
import { Ground } from './ground.js';
import type { Lighting } from './lighting.js';
import { smoothValue } from './texture.js';

export interface Backdrop {
  readonly colours: Uint32Array;
  /** 1 / depth in metres. */
  readonly nearness: Float32Array;
}

interface Hit {
  readonly colour: Colour;
  readonly depthM: number;
}

const roofToZ = 27;

export function drawBackdrop(
  place: Place,
  lighting: Lighting,
  grid: { scale: number; padX: number; padY: number },
): Backdrop {
  const width = widthPx * grid.scale + 2 * grid.padX;
  const height = heightPx * grid.scale + 2 * grid.padY;
  const colours = new Uint32Array(width * height);
  const nearness = new Float32Array(width * height);
  const scene = new Scenery(place, lighting);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const u = (column + 0.5 - grid.padX) / grid.scale;
      const v = (row + 0.5 - grid.padY) / grid.scale;
      const hit = scene.look(u, v);
      colours[row * width + column] = hit.colour;
      nearness[row * width + column] = 1 / hit.depthM;
    }
  return { colours, nearness };
}

/** Casts rays from the camera. */
class Scenery {
  private readonly place: Place;
  private readonly lighting: Lighting;
  private readonly ground: Ground;
  private readonly building: Building;
  private readonly wet: boolean;
  private readonly sinPan: number;
  private readonly cosPan: number;
  private readonly sinTilt: number;
  private readonly cosTilt: number;

  constructor(place: Place, lighting: Lighting) {
    this.place = place;
    this.lighting = lighting;
    this.ground = new Ground(place);
    this.building = new Building(place);
    this.wet = place.appearance.rain;
    const { pan, tilt } = place.camera;
    this.sinPan = Math.sin(pan);
    this.cosPan = Math.cos(pan);
    this.sinTilt = Math.sin(tilt);
    this.cosTilt = Math.cos(tilt);
  }

  look(u: number, v: number): Hit {
    const { xM, heightM, focalPx } = this.place.camera;
    const { sinPan, cosPan, sinTilt, cosTilt } = this;
    const right = (u - widthPx / 2) / focalPx;
    const down = (v - heightPx / 2) / focalPx;
    // Along the camera's axis the ray advances 1 m for each metre of depth.
    const ahead = cosTilt - down * sinTilt;
    const dx = right * cosPan + ahead * sinPan;
    const dz = ahead * cosPan - right * sinPan;
    const dy = -sinTilt - down * cosTilt;
    const toGround = dy < 0 ? -heightM / dy : Infinity;
    const toFront = dz > 0 ? zones.front / dz : Infinity;
    if (toGround < toFront) {
      const [x, z] = [xM + dx * toGround, dz * toGround];
      const colour = this.groundAt(x, z, dx, dy, dz);
      return { colour: z < zones.pavementFrom ? colour | dull : colour, depthM: toGround };
    }
    const [x, y] = [xM + dx * toFront, heightM + dy * toFront];
    if (y <= zones.wallHeight) {
      const opening = this.building.openingAt(x, y);
      if (opening) return this.inside(opening, xM, heightM, dx, dy, dz);
      return { colour: this.onWall(this.building.wallAt(x, y), x, y), depthM: toFront };
    }
    return this.beyond(xM, heightM, dx, dy, dz);
  }

  private groundAt(x: number, z: number, dx: number, dy: number, dz: number): Colour {
    const { ground, lighting, wet } = this;
    const isSoft = z < zones.pavementFrom;
    let colour = ground.colourAt(x, z);
    if (wet) colour = scaled(colour, isSoft ? 0.85 : 0.68);
    const seen = lighting.on(colour, 0, 1, 0, lighting.lampAt(x, 0, z));
    if (!wet || isSoft) return seen;
    // Wet ground mirrors the front and the sky, more in its puddles and the flatter one looks.
    const puddle = smoothValue(this.place.seed + 12, x * 0.7, z * 1.6);
    const share = 0.1 + 0.3 * Math.max(0, puddle - 0.45) - 0.06 * Math.min(1, -dy);
    const away = (zones.front - z) / dz;
    const y = -dy * away;
    const mirrored =
      y < zones.wallHeight
        ? this.onWall(this.building.wallAt(x + dx * away, y), x + dx * away, y)
        : this.skyColour(0.3);
    return mixed(seen, mirrored, share);
  }

  private onWall({ colour, own }: Seen, x: number, y: number): Colour {
    const { lighting } = this;
    const seen = lighting.on(colour, 0, 0, -1, lighting.lampAt(x, y, zones.front));
    return own > 0 ? mixed(seen, colour, own) : seen;
  }

  private inside(
    opening: Opening,
    fromX: number,
    fromY: number,
    dx: number,
    dy: number,
    dz: number,
  ): Hit {
    // A gateway opens into a yard that is wider than itself.
    const wider = opening.kind === 'gate' ? 0.5 : 0;
    const toFloor = dy < 0 ? -fromY / dy : Infinity;
    const toBack = opening.backZ / dz;
    const sideX = dx > 0 ? opening.right + wider : opening.left - wider;
    const toSide = dx === 0 ? Infinity : (sideX - fromX) / dx;
    const depthM = Math.min(toFloor, toBack, toSide);
    const part = depthM === toFloor ? 'floor' : depthM === toBack ? 'back' : 'side';
    const [x, y, z] = [fromX + dx * depthM, fromY + dy * depthM, dz * depthM];
    const { colour, own } = this.building.insideAt(opening, part, x, y, z);
    const { lighting } = this;
    const seen =
      part === 'floor' ? lighting.on(colour, 0, 1, 0, 0) : lighting.on(colour, 0, 0, -1, 0);
    return { colour: own > 0 ? mixed(seen, colour, own) : seen, depthM };
  }

  /** Above the front: its roof, trees behind it, and the sky. */
  private beyond(fromX: number, fromY: number, dx: number, dy: number, dz: number): Hit {
    const toRoof = dy < 0 ? (zones.wallHeight - fromY) / dy : Infinity;
    const far = roofToZ / dz;
    if (toRoof < far) {
      const [x, z] = [fromX + dx * toRoof, dz * toRoof];
      return { colour: this.lighting.on(this.building.roofAt(x, z), 0, 1, 0, 0), depthM: toRoof };
    }
    const x = fromX + dx * far;
    const y = fromY + dy * far;
    const crown = 5.4 + 1.6 * smoothValue(this.place.seed + 13, x * 0.55, 0);
    if (y > crown) return { colour: this.skyColour((y - crown) / 6), depthM: 1e4 };
    const leaf = smoothValue(this.place.seed + 14, x * 2.4, y * 2.6);
    const trees = scaled(0x5a6e40, 0.55 + 0.6 * leaf);
    return { colour: this.lighting.on(trees, 0, 0.3, -0.95, 0), depthM: far };
  }

  private skyColour(height: number): Colour {
    const { light, rain } = this.place.appearance;
    const [low, high] = rain
      ? { day: [0xc3c8cc, 0xa9b0b6], dusk: [0x9c8a88, 0x746c78], night: [0x2a2e3a, 0x1e222c] }[
          light
        ]
      : { day: [0xd5e2ea, 0x8fb4dc], dusk: [0xf0b07a, 0x8a7aa0], night: [0x232a40, 0x141a2c] }[
          light
        ];
    return mixed(low ?? 0, high ?? 0, Math.min(1, height));
  }
}
