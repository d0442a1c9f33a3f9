/** The dog, the ball and parcels. */
import type { Ball, Dog, Parcel } from '../world/things.js';
import { sizes } from '../world/things.js';
import { hsl, mixed, scaled } from './colour.js';
import type { Vector } from './lighting.js';
import { Frame } from './pen.js';
import { rectangle } from './face-pen.js';
import type { Pen } from './pen.js';

export function drawDog(pen: Pen, dog: Dog): void {
  const fur = dog.special ? 0x1c1c20 : 0xb5763a;
  const dark = scaled(fur, 0.62);
  const pale = mixed(fur, 0xffffff, dog.special ? 0.12 : 0.35);
  const frame = new Frame(dog.x, dog.z, angleOf(dog));
  const at = (ahead: number, up: number, left = 0): Vector => frame.at(ahead, up, left);
  const runs = dog.state === 'chasing' || dog.state === 'carrying';
  const stride = (dog.x + dog.z) * (runs ? 6 : 8);
  const reach = runs ? 0.26 : 0.13;
  const legs = (left: number, tone: number): void => {
    for (const [ahead, turn] of [
      [-0.34, 0],
      [0.3, runs ? 0.7 : Math.PI],
    ] as const) {
      const swing = reach * Math.sin(stride + turn + (left > 0 ? Math.PI * (runs ? 0.2 : 1) : 0));
      pen.limb(at(ahead, 0.42, left), at(ahead + swing, 0.07, left), 0.085, tone, 0.06);
    }
    pen.raise(0.5);
  };
  legs(0.1, dark);
  const wag = 0.1 * Math.sin(stride * 0.7);
  pen.limb(at(-0.46, 0.56), at(-0.72, 0.8 + wag), 0.06, fur, 0.04);
  pen.limb(at(-0.36, 0.5), at(0.32, 0.52), 0.17, fur, 0.19);
  pen.raise(0.5);
  pen.limb(at(-0.3, 0.41, -0.02), at(0.3, 0.42, -0.02), 0.09, pale);
  legs(-0.1, fur);
  pen.limb(at(0.34, 0.58), at(0.48, 0.76), 0.12, fur);
  pen.limb(at(0.5, 0.8), at(0.7, 0.75), 0.13, fur, 0.075);
  pen.raise(0.5);
  pen.limb(at(0.46, 0.88, -0.06), at(0.4, 0.72, -0.08), 0.06, dark);
  pen.ball(at(0.79, 0.76, 0), 0.045, 0x151515);
  // A collar.
  pen.limb(at(0.4, 0.58, -0.1), at(0.34, 0.72, -0.1), 0.04, dog.special ? 0xffffff : 0x1f5fd0);
}

function angleOf({ state, direction, z }: Dog): number {
  const along = direction === 1 ? 0 : Math.PI;
  if (state === 'chasing') return along + direction * 0.6;
  return state === 'carrying' && z > 9 ? along - direction * 0.6 : along;
}

export function drawBall(pen: Pen, ball: Ball, hue: number, upM: number): void {
  const radius = sizes.ball.height / 2;
  const { x, z } = ball;
  const colour = hsl(hue, 92, 52);
  const y = upM + radius;
  pen.ball([x, y, z], radius, scaled(colour, 0.82));
  pen.raise();
  pen.ball([x - 0.04, y + 0.05, z], radius * 0.78, colour);
  pen.raise();
  // Its stripe turns as it rolls.
  const turn = (x + z) / radius;
  const [c, s] = [Math.cos(turn) * radius, Math.sin(turn) * radius];
  if (ball.special) {
    for (const off of [-0.11, 0, 0.11])
      pen.limb(
        [x - c * 0.72 - s * 0.5 * off * 8, y - s * 0.72 + c * 0.5 * off * 8, z],
        [x + c * 0.72 - s * 0.5 * off * 8, y + s * 0.72 + c * 0.5 * off * 8, z],
        0.035,
        0x101010,
      );
    pen.raise();
  } else pen.limb([x - c * 0.8, y - s * 0.8, z], [x + c * 0.8, y + s * 0.8, z], 0.045, 0xfdfdf5);
  pen.raise();
  pen.ball([x - 0.08, y + 0.1, z], radius * 0.22, mixed(colour, 0xffffff, 0.6));
}

export function drawParcel(pen: Pen, frame: Frame, special: boolean): void {
  const { length, width, height } = sizes.parcel;
  const card = 0xcf9c58;
  pen.block(
    frame,
    { bottom: [-length / 2, length / 2], half: width / 2, y: [0, height], colour: card },
    (face) => {
      face.paint(rectangle(0.42, 0, 0.58, 1), 0xf0e2bc);
      if (special) {
        face.paint(rectangle(0, 0.3, 1, 0.7), 0xe01818);
        face.paint(rectangle(0.3, 0, 0.7, 1), 0xe01818);
      }
    },
  );
}

export function drawLyingParcel(pen: Pen, { x, z, special }: Parcel): void {
  drawParcel(pen, new Frame(x, z, 0.2), special);
}
