import { sizes } from '../world/things.js';
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

const paints = [0xb4322b, 0x2f5fa8, 0x39795a, 0xc9ccd0, 0x6b4a8e, 0x30343a] as const;
const taxi = 0xf4c01e;

/** A car from bonnet to boot; special ones are taxis. */
export function drawCar(pen: Pen, frame: Frame, look: VehicleLook): void {
  const { vehicle } = look;
  const { length, width } = sizes.car;
  const half = width / 2;
  const end = length / 2;
  const colour = vehicle.special ? taxi : pickColour(paints, vehicle.paint);
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
      drawLamps(face, look, { ends: 'both', wide: 0.055, y: [0.52, 0.82] });
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
  drawShine(pen, frame, look, { end, aside: 0.62, head: 0.64, tail: 0.64 });
  drawWheels(pen, frame, vehicle.x + vehicle.z, [-end + 0.72, end - 0.74], half, 0.33);
}

function drawChequers(face: FacePen): void {
  for (let i = 0; i < 12; i++)
    face.paint(rectangle(i / 12, i % 2 ? 0.42 : 0.54, (i + 1) / 12, i % 2 ? 0.54 : 0.66), 0x1a1a1a);
}
