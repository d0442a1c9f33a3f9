/** The colour of the ground at a point: lawn, pavement, road with its marks, apron. */
import { lawnZ, zones } from '../world/place.js';
import type { Place } from '../world/place.js';
import type { Colour } from './colour.js';
import { hsl, mixed, scaled } from './colour.js';
import { cellValue, phase, smoothValue } from './texture.js';

const white = 0xe4e2d6;
const yellow = 0xe8b92a;

export class Ground {
  private readonly place: Place;
  private readonly seed: number;
  private readonly grass: Colour;
  private readonly road: Colour;
  private readonly lane: Colour;

  constructor(place: Place) {
    const { hues, roadGrey } = place.appearance;
    this.place = place;
    this.seed = place.seed;
    this.grass = hsl(hues.grass, 42, 38);
    this.road = hsl(hues.road, 5, roadGrey);
    this.lane = place.on.bicycle ? mixed(this.road, 0xb0524a, 0.45) : this.road;
  }

  colourAt(x: number, z: number): Colour {
    if (z < zones.pavementFrom) return this.lawnAt(x, z);
    if (z < zones.roadFrom) return this.pavementAt(x, z);
    if (z < zones.apronFrom) return this.roadAt(x, z);
    return this.apronAt(x, z);
  }

  private grain(x: number, z: number, perM: number, strength: number): number {
    const value = cellValue(this.seed, Math.floor(x * perM), Math.floor(z * perM));
    return 1 + (value - 0.5) * strength;
  }

  private lawnAt(x: number, z: number): Colour {
    const patch = smoothValue(this.seed + 1, x * 0.9, z * 1.1);
    const blade = smoothValue(this.seed + 2, x * 16, z * 7);
    const colour = mixed(this.grass, 0xa9a352, Math.max(0, patch - 0.55) * 0.9);
    if (zones.pavementFrom - z < 0.1) return scaled(colour, 0.62);
    if (this.place.on.lawn && this.isSand(x, z, patch)) return scaled(0xd2b77e, 0.85 + 0.2 * blade);
    return scaled(colour, 0.72 + 0.3 * blade + 0.22 * patch);
  }

  /** Worn ground where children play. */
  private isSand(x: number, z: number, patch: number): boolean {
    const off = Math.hypot((x - this.place.playX) / 1.25, (z - lawnZ) / 0.62);
    return off < 0.8 + 0.4 * patch;
  }

  private pavementAt(x: number, z: number): Colour {
    if (zones.roadFrom - z < 0.16) return scaled(0xc9c6bd, phase(x, 1.2) < 0.05 ? 0.8 : 1);
    const column = Math.floor(x / 0.6);
    const row = Math.floor((z - zones.pavementFrom) / 0.52);
    const joint = phase(x, 0.6) < 0.07 || phase(z - zones.pavementFrom, 0.52) < 0.08;
    const slab = 0.92 + 0.13 * cellValue(this.seed + 3, column, row);
    return scaled(0xa9a59a, joint ? 0.78 : slab * this.grain(x, z, 14, 0.08));
  }

  private roadAt(x: number, z: number): Colour {
    const isLane = this.place.on.bicycle && z < 10.3;
    const worn = smoothValue(this.seed + 4, x * 0.5, z * 2.2);
    const base = scaled(
      isLane ? this.lane : this.road,
      (0.93 + 0.12 * worn) * this.grain(x, z, 26, 0.17),
    );
    const mark = this.markAt(x, z);
    return mark === null ? base : mixed(base, mark, 0.82 * this.grain(x, z, 20, 0.2));
  }

  /** The paint on the road, if any: it says which rules are at work here. */
  private markAt(x: number, z: number): Colour | null {
    const { crossX, direction, on } = this.place;
    const along = (x - crossX) * direction;
    if (on.light && Math.abs(along) < 1.15) {
      const isBar = phase(z - zones.roadFrom - 0.12, 0.62) < 0.52;
      return isBar && z < zones.apronFrom - 0.08 ? white : null;
    }
    if (on.light && along > -1.75 && along < -1.45 && z > 10.4 && z < 12.1) return white;
    if (Math.abs(z - 10.32) < 0.06 && phase(x, 1.8) < 0.55) return white;
    if (Math.abs(z - zones.apronFrom + 0.14) < 0.05) return white;
    if (on.gate && this.isKeptClear(x, z)) return yellow;
    if (on.parcel && this.isBay(x, z)) return white;
    // An arrow in the lane, before the crossing, says which way the road runs.
    const tip = -3.2 - along;
    const off = Math.abs(z - zones.vehicleLane);
    if (tip > 0 && tip < 0.75 && off < tip * 0.42) return white;
    if (tip >= 0.75 && tip < 1.9 && off < 0.1) return white;
    return null;
  }

  /** Yellow hatching before a gate that is used. */
  private isKeptClear(x: number, z: number): boolean {
    const { gateX, gateWidth } = this.place;
    const off = gateWidth / 2 - Math.abs(x - gateX);
    if (off < 0 || z < 10.45 || z > 12.05) return false;
    return off < 0.11 || z < 10.56 || z > 11.94 || phase(x - z, 0.8) < 0.13;
  }

  /** Where a van that delivers stops. */
  private isBay(x: number, z: number): boolean {
    const off = 2.45 - Math.abs(x - this.place.kerbX);
    if (off < 0 || z < 10.5 || z > 12.05) return false;
    return off < 0.12 || (z < 10.62 && phase(x, 0.7) < 0.6);
  }

  private apronAt(x: number, z: number): Colour {
    const { gateX, gateWidth, dockX, dockWidth, doorX, stackX, on } = this.place;
    const from = z - zones.apronFrom;
    if (from < 0.16) return scaled(0xc6c2b8, phase(x, 1.2) < 0.05 ? 0.82 : 1);
    if (on.dock && onSquare(x - stackX, z - zones.forkliftLane)) return yellow;
    if (on.gate && Math.abs(x - gateX) < gateWidth / 2)
      return scaled(mixed(this.road, 0x8d8478, 0.4), this.grain(x, z, 20, 0.16));
    const offDock = Math.abs(x - dockX);
    if (on.dock && offDock > dockWidth / 2 && offDock < dockWidth / 2 + 0.12) return yellow;
    if (Math.abs(x - doorX) < 0.7 && zones.front - z < 0.55)
      return scaled(0x6d4a38, this.grain(x, z, 12, 0.2));
    const joint =
      phase(x + (Math.floor(from / 0.4) % 2) * 0.4, 0.8) < 0.05 || phase(from, 0.4) < 0.09;
    const column = Math.floor((x + (Math.floor(from / 0.4) % 2) * 0.4) / 0.8);
    const stone = 0.9 + 0.16 * cellValue(this.seed + 5, column, Math.floor(from / 0.4));
    return scaled(0xb5ab9c, (joint ? 0.8 : stone) * this.grain(x, z, 16, 0.07));
  }
}

/** The frame of the painted square in which pallets are piled. */
function onSquare(dx: number, dz: number): boolean {
  const far = Math.max(Math.abs(dx) / 0.95, Math.abs(dz) / 0.8);
  return far < 1 && far > 0.83;
}
