/** The colour of the building's front, and of what shows through its gateway, door and dock. */
import { zones } from '../world/place.js';
import type { Place } from '../world/place.js';
import type { Colour } from './colour.js';
import { hsl, mixed, scaled } from './colour.js';
import { cellValue, phase, smoothValue } from './texture.js';

export const openings = {
  gate: { height: 2.9, backZ: 24 },
  door: { height: 2.25, width: 1.15, backZ: 17 },
  dock: { height: 2.85, backZ: 20 },
} as const;

export interface Opening {
  readonly kind: keyof typeof openings;
  readonly left: number;
  readonly right: number;
  readonly height: number;
  readonly backZ: number;
}

/** A colour, and how much light of its own it gives: 0 none, 1 it is lit from within. */
export interface Seen {
  readonly colour: Colour;
  readonly own: number;
}

const windowEveryM = 2.15;

export class Building {
  readonly openings: readonly Opening[];
  private readonly place: Place;
  private readonly seed: number;
  private readonly wall: Colour;
  private readonly dark: boolean;
  private readonly lightsOn: number;

  constructor(place: Place) {
    const { appearance, on, gateX, gateWidth, doorX, dockX, dockWidth } = place;
    this.place = place;
    this.seed = place.seed;
    const { wallTexture } = appearance;
    this.wall = hsl(appearance.hues.wall, wallTexture === 2 ? 30 : 34, wallTexture === 0 ? 46 : 62);
    this.dark = appearance.light === 'night';
    this.lightsOn = { day: 0, dusk: 0.35, night: 0.5 }[appearance.light];
    const opening = (kind: Opening['kind'], x: number, width: number): Opening => ({
      kind,
      left: x - width / 2,
      right: x + width / 2,
      ...{ height: openings[kind].height, backZ: openings[kind].backZ },
    });
    this.openings = [
      opening('door', doorX, openings.door.width),
      ...(on.gate ? [opening('gate', gateX, gateWidth)] : []),
      ...(on.dock ? [opening('dock', dockX, dockWidth)] : []),
    ];
  }

  openingAt(x: number, y: number): Opening | undefined {
    return this.openings.find((it) => x > it.left && x < it.right && y < it.height);
  }

  /** The front, outside its openings. */
  wallAt(x: number, y: number): Seen {
    if (y > zones.wallHeight - 0.22) return plain(scaled(this.wall, 0.52));
    if (y < 0.32) return plain(scaled(0x75706a, 0.9 + 0.16 * smoothValue(this.seed, x * 5, y * 9)));
    return this.signAt(x, y) ?? this.windowAt(x, y) ?? plain(this.textureAt(x, y));
  }

  /** Where parcels are taken in, a brown plate with a parcel on it hangs beside the door. */
  private signAt(x: number, y: number): Seen | null {
    const { doorX, direction, on } = this.place;
    if (!on.parcel) return null;
    const across = Math.abs(x - (doorX - direction * 1.25));
    const up = Math.abs(y - 1.85);
    if (across > 0.36 || up > 0.36) return null;
    if (across > 0.24 || up > 0.24) return plain(0x5e3a1c);
    return plain(across < 0.05 || up < 0.04 ? 0xc08a4a : 0xf2eee2);
  }

  private textureAt(x: number, y: number): Colour {
    const stain = 0.94 + 0.1 * smoothValue(this.seed + 6, x * 0.8, y * 1.3);
    switch (this.place.appearance.wallTexture) {
      case 0: {
        const row = Math.floor(y / 0.27);
        const shift = (row % 2) * 0.34;
        if (phase(y, 0.27) < 0.2 || phase(x + shift, 0.68) < 0.09)
          return mixed(this.wall, 0xb8aea2, 0.55);
        return scaled(
          this.wall,
          stain * (0.86 + 0.26 * cellValue(this.seed, Math.floor((x + shift) / 0.68), row)),
        );
      }
      case 1: {
        const seam = phase(x, 2) < 0.045 || phase(y - 0.32, 1.15) < 0.06;
        const rib = phase(x, 0.25) < 0.4 ? 0.96 : 1.03;
        return scaled(this.wall, seam ? 0.7 : stain * rib);
      }
      case 2:
        return scaled(this.wall, stain * (0.95 + 0.1 * smoothValue(this.seed, x * 7, y * 7)));
      default:
        return scaled(phase(y, 0.84) < 0.5 ? this.wall : mixed(this.wall, 0xffffff, 0.55), stain);
    }
  }

  private windowAt(x: number, y: number): Seen | null {
    const index = Math.round(x / windowEveryM);
    const centre = index * windowEveryM;
    const dx = Math.abs(x - centre);
    if (dx > 0.62 || y < 1.32 || y > 2.78) return null;
    if (this.openings.some((it) => centre > it.left - 1.25 && centre < it.right + 1.25))
      return null;
    if (y < 1.42) return plain(0xcfc9bb);
    if (dx > 0.53 || y > 2.7 || dx < 0.035 || Math.abs(y - 2.3) < 0.03) return plain(0xdcd7ca);
    const lit = cellValue(this.seed + 7, index, 1) < this.lightsOn;
    if (lit)
      return { colour: mixed(0xffd98a, 0xd99a4a, (2.7 - y) * 0.5), own: this.dark ? 0.85 : 0.7 };
    const shine = 0.75 + 0.5 * phase(x * 0.8 + y * 0.5 + index * 0.37, 1);
    return plain(scaled(cellValue(this.seed + 8, index, 2) < 0.4 ? 0x8b8f86 : 0x4d6678, shine));
  }

  /** What shows inside at a point of an opening's floor, sides or back. */
  insideAt(
    opening: Opening,
    part: 'floor' | 'side' | 'back',
    x: number,
    y: number,
    z: number,
  ): Seen {
    const deep = Math.min(1, (z - zones.front) / (opening.backZ - zones.front));
    switch (opening.kind) {
      case 'gate': {
        if (part === 'floor') {
          const grain = 0.92 + 0.16 * cellValue(this.seed, Math.floor(x * 12), Math.floor(z * 6));
          return plain(scaled(0x8f897f, grain));
        }
        if (part === 'side') return plain(scaled(this.wall, 0.55 + 0.2 * deep));
        const leaf = smoothValue(this.seed + 9, x * 3.2, y * 3.6);
        return plain(hsl(this.place.appearance.hues.grass, 32, 20 + 18 * leaf));
      }
      case 'door': {
        const warm = part === 'floor' ? 0x7a5a3c : part === 'side' ? 0x8c7658 : 0xa08a66;
        return { colour: scaled(warm, 0.75 - 0.2 * deep), own: this.lightsOn > 0 ? 0.8 : 0.2 };
      }
      case 'dock': {
        const shelf = phase(y, 0.95) < 0.12 ? 0xb0682c : boxAt(this.seed, x, y);
        const colour = part === 'floor' ? 0x6f6f70 : part === 'side' ? 0x50555c : shelf;
        return { colour: scaled(colour, 0.62 - 0.2 * deep), own: this.lightsOn > 0 ? 0.65 : 0.1 };
      }
    }
  }

  /** The flat roof, seen from above its edge. */
  roofAt(x: number, z: number): Colour {
    const grain = 0.9 + 0.2 * cellValue(this.seed + 10, Math.floor(x * 5), Math.floor(z * 2));
    return scaled(phase(x, 3.3) < 0.03 ? 0x57544f : 0x7d7973, grain);
  }
}

const plain = (colour: Colour): Seen => ({ colour, own: 0 });

function boxAt(seed: number, x: number, y: number): Colour {
  const value = cellValue(seed + 11, Math.floor(x / 0.7), Math.floor(y / 0.95));
  if (value < 0.25) return 0x2b2f35;
  return value < 0.6 ? 0xa07c4e : value < 0.8 ? 0x7c8fa3 : 0xb5a58c;
}
