/** What cars, vans and forklifts have in common: wheels, lamps, what is beneath them. */
import type { Vehicle } from '../world/things.js';
import type { Colour } from './colour.js';
import { rectangle } from './face-pen.js';
import type { FacePen, Outline } from './face-pen.js';
import type { Frame, Pen } from './pen.js';

export const glass = 0x22303a;
const tyre = 0x17181b;

export interface VehicleLook {
  readonly vehicle: Vehicle;
  readonly direction: 1 | -1;
  readonly tick: number;
  /** Headlights burn. */
  readonly isDark: boolean;
}

interface Lamps {
  readonly ends: 'nose' | 'tail' | 'both';
  /** Share of the flank that they reach round the corner, so that one sees them from the side. */
  readonly wide: number;
  readonly y: readonly [low: number, high: number];
}

const headLamps = [
  [0.05, 0.26],
  [0.74, 0.95],
] as const;
const tailLamps = [
  [0.03, 0.16],
  [0.84, 0.97],
] as const;

export function drawLamps(face: FacePen, look: VehicleLook, lamps: Lamps): void {
  const { ends, wide, y } = lamps;
  const [low, high] = y;
  if (ends !== 'tail') {
    const { colour, shines } = headLight(look);
    if (face.isFlank) face.paint(rectangle(1 - wide, low, 1, high), colour, shines);
    if (face.side === 'front')
      for (const [from, to] of headLamps)
        face.paint(rectangle(from, low, to, high), colour, shines);
  }
  if (ends !== 'nose') {
    const { colour, shines } = tailLight(look);
    if (face.isFlank) face.paint(rectangle(0, low, Math.min(0.05, wide), high), colour, shines);
    if (face.side === 'back')
      for (const [from, to] of tailLamps)
        face.paint(rectangle(from, low, to, high), colour, shines);
  }
}

/** The shine round the lamps, at their heights; it is seen from the side as well. */
export function drawShine(
  pen: Pen,
  frame: Frame,
  look: VehicleLook,
  at: {
    readonly end: number;
    readonly aside: number;
    readonly head: number;
    readonly tail: number;
  },
): void {
  const heads = headLight(look).glows;
  const tails = tailLight(look).glows;
  for (const left of [-at.aside, at.aside]) {
    if (heads) pen.glow(frame.at(at.end, at.head, left), heads.radiusM, 0xffeec0, heads.strength);
    if (tails) pen.glow(frame.at(-at.end, at.tail, left), tails.radiusM, 0xff3020, tails.strength);
  }
}

interface LampLight {
  readonly colour: Colour;
  readonly shines: boolean;
  readonly glows: { readonly radiusM: number; readonly strength: number } | null;
}

/** Who flashes is on for four ticks, then off for four. */
function headLight({ vehicle, tick, isDark }: VehicleLook): LampLight {
  if (tick < vehicle.flashUntil) {
    const isOn = tick % 8 < 4;
    const glows = isOn ? { radiusM: 1.25, strength: 1 } : null;
    return { colour: isOn ? 0xfffff0 : 0x9a9a8c, shines: isOn, glows };
  }
  if (isDark) return { colour: 0xfff2c0, shines: true, glows: { radiusM: 0.5, strength: 0.6 } };
  return { colour: 0xe4e4d4, shines: false, glows: null };
}

function tailLight({ vehicle, isDark }: VehicleLook): LampLight {
  if (vehicle.braking)
    return { colour: 0xff2a18, shines: true, glows: { radiusM: 0.45, strength: 0.8 } };
  if (isDark) return { colour: 0xb01c14, shines: true, glows: { radiusM: 0.3, strength: 0.4 } };
  return { colour: 0x7a1712, shines: false, glows: null };
}

export function drawUnderside(pen: Pen, frame: Frame, end: number, half: number): void {
  pen.block(frame, {
    bottom: [-end + 0.15, end - 0.15],
    half: half - 0.12,
    y: [0.08, 0.3],
    colour: 0x141517,
  });
}

/** `driven`: metres on its way; the wheels turn with it. */
export function drawWheels(
  pen: Pen,
  frame: Frame,
  driven: number,
  axles: readonly number[],
  half: number,
  radius: number,
): void {
  for (const ahead of axles)
    for (const left of [-half - 0.015, half + 0.015]) {
      const { bias } = pen.brush;
      pen.raise();
      pen.wheel(frame, ahead, radius, left, radius, tyre);
      pen.raise();
      pen.wheel(frame, ahead, radius, left, radius * 0.56, 0xa4a8ac);
      pen.raise();
      const turn = driven / radius;
      for (let spoke = 0; spoke < 2; spoke++) {
        const angle = turn + (spoke * Math.PI) / 2;
        const [c, s] = [Math.cos(angle) * radius * 0.56, Math.sin(angle) * radius * 0.56];
        const at = (share: number, off: number): readonly [number, number, number] =>
          frame.at(ahead + c * share - s * off, radius + s * share + c * off, left);
        pen.sheet([at(-1, -0.14), at(1, -0.14), at(1, 0.14), at(-1, 0.14)], 0x33363a);
      }
      pen.brush.bias = bias;
    }
}

/** Upright below, its upper corners drawn in by so much. */
export function trapezoid(
  left: number,
  low: number,
  right: number,
  high: number,
  inLeft: number,
  inRight: number,
): Outline {
  return [
    [left, low],
    [right, low],
    [right - inRight, high],
    [left + inLeft, high],
  ];
}
