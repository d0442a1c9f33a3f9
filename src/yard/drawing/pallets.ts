/** Pallets with boxes: a forklift's load, and the pile of them. */
import { sizes } from '../world/things.js';
import type { Stack } from '../world/things.js';
import type { Colour } from './colour.js';
import { mixed, pickColour, scaled } from './colour.js';
import { Frame } from './pen.js';
import { rectangle } from './face-pen.js';
import type { Pen } from './pen.js';

export const palletHeightM = sizes.pallet.height;
const wood = 0xb07a3c;
const boxes = [0xc99a5b, 0xb58449, 0xd4ad74] as const;
const foil = 0x2a7be0;

/** A pallet with boxes; `frame` is its foot. Wrapped ones are covered with blue foil. */
export function drawPallet(pen: Pen, frame: Frame, variant: number, wrapped: boolean): void {
  const { length, width, height } = sizes.pallet;
  const half = width / 2;
  const end = length / 2;
  pen.block(frame, { bottom: [-end, end], half, y: [0.09, 0.16], colour: wood });
  for (const ahead of [-end + 0.08, 0, end - 0.08])
    pen.block(frame, {
      bottom: [ahead - 0.08, ahead + 0.08],
      half,
      y: [0, 0.1],
      colour: scaled(wood, 0.7),
    });
  const colour = wrapped ? foil : pickColour(boxes, (variant * 0.37) % 1);
  pen.block(
    frame,
    { bottom: [-end + 0.04, end - 0.04], half: half - 0.04, y: [0.16, height], colour },
    (face) => {
      if (wrapped) {
        for (let i = 0; i < 3; i++)
          face.paint(
            [
              [0, 0.1 + i * 0.3],
              [1, 0.22 + i * 0.3],
              [1, 0.27 + i * 0.3],
              [0, 0.15 + i * 0.3],
            ],
            mixed(foil, 0xffffff, 0.45),
          );
        return;
      }
      const dark = scaled(colour, 0.62);
      if (face.side === 'top') {
        face.paint(rectangle(0.48, 0, 0.52, 1), dark);
        return;
      }
      face.paint(rectangle(0, 0.47, 1, 0.53), dark);
      face.paint(rectangle(0.485, 0, 0.515, 1), dark);
      face.paint(rectangle(0.12, 0.66, 0.3, 0.86), 0xf0ece0);
      face.paint(rectangle(0.66, 0.14, 0.84, 0.32), 0xf0ece0);
    },
  );
}

/** Boxes of a pile, for those who need its place: metres from the pile's foot. */
const spread: readonly (readonly [dx: number, dz: number, turn: number, colour: Colour])[] = [
  [-0.95, -0.35, 0.5, boxes[0]],
  [-0.35, -0.75, 1.1, boxes[1]],
  [0.45, -0.55, 0.2, boxes[2]],
  [1.05, -0.2, 0.8, boxes[0]],
  [0.75, 0.35, 1.3, boxes[1]],
  [-0.75, 0.4, 0.1, boxes[2]],
];

export function drawStack(pen: Pen, x: number, z: number, stack: Stack): void {
  if (stack.fallen) {
    drawHeap(pen, x, z, stack);
    return;
  }
  for (let i = 0; i < stack.count; i++) {
    // Each pallet stands a little farther out than the one below it, and tilts.
    const out = i * stack.lean * 0.34;
    drawPallet(pen, new Frame(x + out, z, 0, i * palletHeightM), i + 1, stack.special);
  }
}

function drawHeap(pen: Pen, x: number, z: number, { count, special }: Stack): void {
  drawPallet(pen, new Frame(x, z + 0.1, 0.12), 1, special);
  // The upper pallets lean against the lowest, their boxes lie about.
  for (let i = 1; i < Math.max(2, count); i++) {
    const side = i === 1 ? 1 : -1;
    const frame = new Frame(x + side * 0.78, z, 0);
    const half = 0.48;
    const at = (ahead: number, up: number, left: number): readonly [number, number, number] =>
      frame.at(side * ahead, up, left);
    pen.sheet(
      [at(-0.2, 0.78, -half), at(0.55, 0.02, -half), at(0.55, 0.02, half), at(-0.2, 0.78, half)],
      wood,
    );
    for (const left of [-0.4, 0, 0.4])
      pen.sheet(
        [
          at(-0.2, 0.8, left - 0.06),
          at(0.55, 0.05, left - 0.06),
          at(0.55, 0.05, left + 0.06),
          at(-0.2, 0.8, left + 0.06),
        ],
        scaled(wood, 1.3),
      );
  }
  for (const [dx, dz, turn, colour] of spread)
    pen.block(
      new Frame(x + dx, z + dz, turn),
      { bottom: [-0.26, 0.26], half: 0.2, y: [0, 0.34], colour: special ? foil : colour },
      (face) => face.paint(rectangle(0.44, 0, 0.56, 1), scaled(colour, 0.6)),
    );
}
