/** Cars and vans. */
import { sizes } from '../world/things.js';
import type { Vehicle } from '../world/things.js';
import type { Colour } from './colour.js';
import { mixed, pickColour, scaled } from './colour.js';
import { Frame, rectangle } from './pen.js';
import type { FacePen, Outline, Pen } from './pen.js';

const glass = 0x22303a;
const tyre = 0x17181b;
const carPaints = [0xb4322b, 0x2f5fa8, 0x39795a, 0xc9ccd0, 0x6b4a8e, 0x30343a] as const;
/** None of them yellow, brown or striped: those are the liveries. */
const vanPaints = [0xdfe2e4, 0x8d99a6, 0x3f6fb0, 0xa83a3a, 0x4c7d62] as const;
const knownBody = 0x2d4f8f;
const knownStripe = 0xffd21f;
const parcelBody = 0x6a4527;

export interface VehicleLook {
  readonly vehicle: Vehicle;
  readonly direction: 1 | -1;
  readonly tick: number;
  /** Headlights burn. */
  readonly isDark: boolean;
}

/** 0 to the right; the world counts from the road's direction. */
export function angleOf({ heading }: Vehicle, direction: 1 | -1): number {
  return direction === 1 ? heading : Math.PI - heading;
}

export function drawVehicle(pen: Pen, look: VehicleLook): void {
  const { vehicle, direction } = look;
  const frame = new Frame(vehicle.x, vehicle.z, angleOf(vehicle, direction));
  if (vehicle.kind === 'car') drawCar(pen, frame, look);
  else drawVan(pen, frame, look);
}

function drawCar(pen: Pen, frame: Frame, look: VehicleLook): void {
  const { vehicle } = look;
  const { length, width } = sizes.car;
  const half = width / 2;
  const end = length / 2;
  const colour = vehicle.special ? 0xf4c01e : pickColour(carPaints, vehicle.paint);
  drawUnderside(pen, frame, end, half);
  pen.block(
    frame,
    {
      bottom: [-end, end],
      top: [-end + 0.06, end - 0.16],
      half: [half, half - 0.05],
      y: [0.22, 0.84],
      colour,
    },
    (face) => {
      drawLamps(pen, face, look, [0.52, 0.82]);
      if (face.isFlank) {
        face.paint(rectangle(0, 0, 1, 0.18), scaled(colour, 0.5));
        face.paint(rectangle(0.44, 0.1, 0.455, 1), scaled(colour, 0.7));
        face.paint(rectangle(0.37, 0.72, 0.42, 0.8), scaled(colour, 0.55));
        if (vehicle.special) drawChequers(face);
      }
      if (face.side === 'back' || face.side === 'front')
        face.paint(rectangle(0.36, 0.22, 0.64, 0.42), 0xe9e6d8);
    },
  );
  pen.block(
    frame,
    {
      ...{ bottom: [-end + 0.35, end - 0.95], top: [-end + 0.85, end - 1.75] },
      ...{ half: [half - 0.06, half - 0.24], y: [0.84, sizes.car.height], colour },
    },
    (face) => {
      if (face.side === 'top') return;
      if (!face.isFlank) face.paint(rectangle(0.07, 0.1, 0.93, 0.88), glass);
      else {
        face.paint(trapezoid(0.09, 0.12, 0.46, 0.86, 0.04, 0), glass);
        face.paint(trapezoid(0.52, 0.12, 0.9, 0.86, 0, 0.04), glass);
        face.paint(
          [
            [0.6, 0.12],
            [0.66, 0.12],
            [0.72, 0.86],
            [0.66, 0.86],
          ],
          mixed(glass, 0xffffff, 0.22),
        );
      }
    },
  );
  if (vehicle.special)
    pen.block(
      frame,
      {
        bottom: [-0.35, 0.05],
        half: 0.38,
        y: [sizes.car.height, sizes.car.height + 0.27],
        colour: 0xfff3c4,
      },
      (face) => face.paint(rectangle(0.1, 0.2, 0.9, 0.8), 0x1d1d1d),
    );
  drawWheels(pen, frame, vehicle.x + vehicle.z, [-end + 0.72, end - 0.74], half, 0.33);
}

function drawVan(pen: Pen, frame: Frame, look: VehicleLook): void {
  const { vehicle } = look;
  const { length, width, height } = sizes.van;
  const half = width / 2;
  const end = length / 2;
  const isBox = vehicle.livery === 'parcel';
  const colour = vanColour(vehicle);
  const nose = end - 1.25;
  drawUnderside(pen, frame, end, half);
  // The bonnet and the cab, then the body behind them.
  pen.block(
    frame,
    {
      bottom: [nose - 0.1, end],
      top: [nose - 0.1, end - 0.1],
      half: [half, half - 0.04],
      y: [0.26, 1.1],
      colour,
    },
    (face) => {
      drawLamps(pen, face, look, [0.42, 0.74]);
      if (face.isFlank) face.paint(rectangle(0, 0, 1, 0.2), scaled(colour, 0.5));
      if (face.side === 'front') face.paint(rectangle(0.3, 0.25, 0.7, 0.42), 0x24272b);
      drawStripe(face, vehicle, 0.42, 0.9);
    },
  );
  pen.block(
    frame,
    {
      ...{ bottom: [nose - 0.1, end - 0.22], top: [nose - 0.1, nose + 0.3] },
      ...{ half: [half - 0.04, half - 0.16], y: [1.1, height - 0.08], colour },
    },
    (face) => {
      if (face.side === 'front') face.paint(rectangle(0.06, 0.1, 0.94, 0.88), glass);
      if (face.isFlank) face.paint(trapezoid(0.16, 0.1, 0.82, 0.84, 0, 0.34), glass);
    },
  );
  pen.block(
    frame,
    {
      ...{ bottom: [-end, nose], top: [-end + 0.04, nose] },
      ...{ half: [half, half - (isBox ? 0 : 0.07)], y: [0.26, height], colour },
      roof: mixed(colour, 0xffffff, 0.12),
    },
    (face) => {
      if (face.side === 'back') drawRear(face, colour);
      drawLamps(pen, face, look, [0.2, 0.44]);
      if (face.isFlank) {
        face.paint(rectangle(0, 0, 1, 0.1), scaled(colour, 0.5));
        face.paint(rectangle(0.62, 0.1, 0.632, 0.95), scaled(colour, 0.72));
      }
      drawStripe(face, vehicle, 0.2, 0.4);
      if (isBox && (face.isFlank || face.side === 'back')) drawBoxSign(face);
    },
  );
  if (vehicle.special && !isBox) drawLadder(pen, frame, end, height);
  drawWheels(pen, frame, vehicle.x + vehicle.z, [-end + 0.85, end - 0.82], half, 0.37);
}

function vanColour({ livery, paint, special }: Vehicle): Colour {
  if (livery === 'known') return knownBody;
  if (livery === 'parcel') return special ? 0x3d3029 : parcelBody;
  return pickColour(vanPaints, paint);
}

function drawStripe(face: FacePen, { livery }: Vehicle, low: number, high: number): void {
  if (livery !== 'known' || face.side === 'top') return;
  face.paint(rectangle(0, low, 1, high), knownStripe);
}

function drawRear(face: FacePen, colour: Colour): void {
  face.paint(rectangle(0.49, 0.1, 0.51, 0.95), scaled(colour, 0.6));
  face.paint(rectangle(0.1, 0.62, 0.45, 0.9), glass);
  face.paint(rectangle(0.55, 0.62, 0.9, 0.9), glass);
  face.paint(rectangle(0.36, 0.08, 0.64, 0.17), 0xe9e6d8);
}

/** A white parcel with its tape. */
function drawBoxSign(face: FacePen): void {
  const [left, right] = face.isFlank ? [0.14, 0.52] : [0.25, 0.75];
  face.paint(rectangle(left, 0.36, right, 0.86), 0xf4f1e8);
  const middle = (left + right) / 2;
  face.paint(rectangle(middle - 0.03, 0.36, middle + 0.03, 0.86), 0xc08a4a);
  face.paint(rectangle(left, 0.58, right, 0.64), 0xc08a4a);
}

function drawChequers(face: FacePen): void {
  for (let i = 0; i < 12; i++)
    face.paint(rectangle(i / 12, i % 2 ? 0.42 : 0.54, (i + 1) / 12, i % 2 ? 0.54 : 0.66), 0x1a1a1a);
}

function drawLadder(pen: Pen, frame: Frame, end: number, height: number): void {
  const y: [number, number] = [height + 0.1, height + 0.2];
  const colour = 0xd8dde0;
  for (const left of [-0.55, -0.1])
    pen.sheet(
      [
        frame.at(-end + 0.1, y[0], left),
        frame.at(end - 1.2, y[0], left),
        frame.at(end - 1.2, y[1], left),
        frame.at(-end + 0.1, y[1], left),
      ],
      colour,
    );
  for (let ahead = -end + 0.3; ahead < end - 1.2; ahead += 0.42)
    pen.sheet(
      [
        frame.at(ahead, y[1], -0.55),
        frame.at(ahead + 0.12, y[1], -0.55),
        frame.at(ahead + 0.12, y[1], -0.1),
        frame.at(ahead, y[1], -0.1),
      ],
      colour,
    );
  for (const ahead of [-end + 0.35, end - 1.6])
    pen.sheet(
      [
        frame.at(ahead, height, -0.55),
        frame.at(ahead + 0.1, height, -0.55),
        frame.at(ahead + 0.1, y[1], -0.55),
        frame.at(ahead, y[1], -0.55),
      ],
      0x3a3f44,
    );
}

/** Head and tail lights on the ends, drawn round the corner on the flanks so that one sees them from the side. */
function drawLamps(
  pen: Pen,
  face: FacePen,
  look: VehicleLook,
  [low, high]: [number, number],
): void {
  const { vehicle, tick, isDark } = look;
  const isFlashing = tick < vehicle.flashUntil && tick % 8 < 4;
  const shines = isFlashing || isDark;
  const head = isFlashing ? 0xfffff0 : isDark ? 0xfff2c0 : 0xe4e4d4;
  const tail = vehicle.braking ? 0xff2a18 : isDark ? 0xb01c14 : 0x7a1712;
  const isNose = vehicle.kind === 'car' || high > 0.5;
  const isTail = vehicle.kind === 'car' || high < 0.5;
  if (face.isFlank) {
    if (isNose)
      face.paint(rectangle(vehicle.kind === 'car' ? 0.94 : 0.84, low, 1, high), head, shines);
    if (isTail)
      face.paint(
        rectangle(0, low, vehicle.kind === 'car' ? 0.05 : 0.045, high),
        tail,
        vehicle.braking || isDark,
      );
  }
  if (face.side === 'front' && isNose) {
    for (const [from, to] of [
      [0.05, 0.26],
      [0.74, 0.95],
    ] as const)
      face.paint(rectangle(from, low, to, high), head, shines);
    for (const across of [0.15, 0.85]) {
      if (isFlashing) pen.glow(face.at(across, (low + high) / 2), 1.05, 0xfff6d0, 1);
      else if (isDark) pen.glow(face.at(across, (low + high) / 2), 0.5, 0xffe2a0, 0.6);
    }
  }
  if (face.side === 'back' && isTail) {
    for (const [from, to] of [
      [0.03, 0.16],
      [0.84, 0.97],
    ] as const)
      face.paint(rectangle(from, low, to, high), tail, vehicle.braking || isDark);
    if (vehicle.braking)
      for (const across of [0.1, 0.9])
        pen.glow(face.at(across, (low + high) / 2), 0.45, 0xff3020, 0.8);
    else if (isDark)
      for (const across of [0.1, 0.9])
        pen.glow(face.at(across, (low + high) / 2), 0.3, 0xc02014, 0.4);
  }
}

function drawUnderside(pen: Pen, frame: Frame, end: number, half: number): void {
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
function trapezoid(
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
