import { sizes } from '../world/things.js';
import type { Vehicle } from '../world/things.js';
import type { Colour } from './colour.js';
import { mixed, pickColour, scaled } from './colour.js';
import { rectangle } from './face-pen.js';
import type { FacePen } from './face-pen.js';
import type { Frame, Pen } from './pen.js';
import {
  drawLamps,
  drawShine,
  drawUnderside,
  drawWheels,
  glass,
  trapezoid,
} from './vehicle-parts.js';
import type { VehicleLook } from './vehicle-parts.js';

/** None of them yellow or brown: those are the liveries. */
const paints = [0xdfe2e4, 0x8d99a6, 0x3f6fb0, 0xa83a3a, 0x4c7d62] as const;
const knownBody = 0x2d4f8f;
const knownStripe = 0xffd21f;
const parcelBody = 0x6a4527;

/** A van in its livery; special ones carry a ladder on the roof. */
export function drawVan(pen: Pen, frame: Frame, look: VehicleLook): void {
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
      drawLamps(face, look, { ends: 'nose', wide: 0.16, y: [0.42, 0.74] });
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
      drawLamps(face, look, { ends: 'tail', wide: 0.045, y: [0.2, 0.44] });
      if (face.isFlank) {
        face.paint(rectangle(0, 0, 1, 0.1), scaled(colour, 0.5));
        face.paint(rectangle(0.62, 0.1, 0.632, 0.95), scaled(colour, 0.72));
      }
      drawStripe(face, vehicle, 0.2, 0.4);
      if (isBox && (face.isFlank || face.side === 'back')) drawBoxSign(face);
    },
  );
  if (vehicle.special && !isBox) drawLadder(pen, frame, end, height);
  drawShine(pen, frame, look, { end, aside: 0.72, head: 0.75, tail: 0.88 });
  drawWheels(pen, frame, vehicle.x + vehicle.z, [-end + 0.85, end - 0.82], half, 0.37);
}

function vanColour({ livery, paint }: Vehicle): Colour {
  if (livery === 'known') return knownBody;
  if (livery === 'parcel') return parcelBody;
  return pickColour(paints, paint);
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

/** On a rack along the middle of the roof, and longer than it. */
function drawLadder(pen: Pen, frame: Frame, end: number, height: number): void {
  const colour = 0xff7a14;
  const [low, top] = [height + 0.12, height + 0.26];
  const back = -end - 0.3;
  const front = end - 0.95;
  for (const ahead of [-end + 0.4, end - 1.7])
    pen.block(frame, {
      bottom: [ahead, ahead + 0.1],
      half: 0.6,
      y: [height, low],
      colour: 0x2c3036,
    });
  for (let ahead = back + 0.2; ahead < front - 0.2; ahead += 0.46)
    pen.block(frame, { bottom: [ahead, ahead + 0.16], half: 0.4, y: [low, top - 0.02], colour });
  for (const left of [-0.44, 0.44]) {
    const [x, , z] = frame.at(0, 0, left);
    pen.block(frame.movedTo(x, z), { bottom: [back, front], half: 0.07, y: [low, top], colour });
  }
}
