/** The bicycle and its rider. */
import type { Bicycle } from '../world/things.js';
import type { Place } from '../world/place.js';
import type { Colour } from './colour.js';
import { pickColour, scaled } from './colour.js';
import type { Vector } from './lighting.js';
import { Frame } from './pen.js';
import type { Pen } from './pen.js';

const frames = [0x18a06a, 0x2358c8, 0xd8366a, 0x222222] as const;
const riders = [0xf2d21e, 0x35b6e0, 0xff7a30, 0xd0f04a] as const;

export function drawBicycle(pen: Pen, bicycle: Bicycle, place: Place): void {
  const angle = place.direction === 1 ? 0 : Math.PI;
  const colour = pickColour(frames, bicycle.paint);
  if (bicycle.state === 'fallen') drawFallen(pen, bicycle, angle, colour);
  else drawRider(pen, bicycle, angle, colour);
  if (bicycle.special) drawFlag(pen, new Frame(bicycle.x, bicycle.z, angle), bicycle.state);
}

function drawRider(pen: Pen, { x, z, paint }: Bicycle, angle: number, colour: Colour): void {
  const frame = new Frame(x, z, angle);
  const pedal = x * 2.6;
  const at = (ahead: number, up: number, left = 0): Vector => frame.at(ahead, up, left);
  const coat = pickColour(riders, (paint * 3.1) % 1);
  const legs = 0x2a2f3a;
  const leg = (turn: number, left: number, tone: Colour): void => {
    const foot = at(0.02 + 0.17 * Math.cos(turn), 0.34 + 0.17 * Math.sin(turn), left);
    const knee = at(0.26 + 0.08 * Math.cos(turn), 0.72 + 0.1 * Math.sin(turn), left);
    pen.limb(at(-0.2, 1.02, left), knee, 0.11, tone, 0.09);
    pen.limb(knee, foot, 0.085, tone, 0.07);
    pen.limb(
      foot,
      at(0.16 + 0.17 * Math.cos(turn), 0.32 + 0.17 * Math.sin(turn), left),
      0.06,
      0x151515,
    );
    pen.raise(0.5);
  };
  leg(pedal + Math.PI, 0.1, scaled(legs, 0.7));
  for (const ahead of [-0.55, 0.55])
    drawRing(pen, (c, s) => at(ahead + 0.33 * c, 0.34 + 0.33 * s), x * 3);
  const bar = (from: Vector, to: Vector, radius = 0.035): void => {
    pen.limb(from, to, radius, colour);
    pen.raise(0.3);
  };
  bar(at(-0.55, 0.34), at(-0.22, 0.86));
  bar(at(-0.55, 0.34), at(0, 0.34));
  bar(at(0, 0.34), at(-0.22, 0.9));
  bar(at(0, 0.34), at(0.4, 0.84));
  bar(at(-0.2, 0.8), at(0.4, 0.84));
  bar(at(0.55, 0.34), at(0.4, 1.02));
  pen.limb(at(-0.34, 0.95), at(-0.12, 0.95), 0.06, 0x151515);
  leg(pedal, -0.1, legs);
  pen.limb(at(-0.2, 1.04), at(0.12, 1.5), 0.19, coat, 0.2);
  pen.raise(0.5);
  pen.limb(at(0.12, 1.46, -0.16), at(0.3, 1.2, -0.2), 0.07, scaled(coat, 0.82), 0.06);
  pen.limb(at(0.3, 1.2, -0.2), at(0.46, 1.08, -0.16), 0.06, 0xd9a37c);
  pen.raise(0.5);
  pen.ball(at(0.24, 1.72), 0.15, 0xd9a37c);
  pen.raise(0.5);
  // A helmet.
  pen.limb(at(0.12, 1.8), at(0.3, 1.84), 0.11, 0xf4f4f4);
}

/** On a rod behind the saddle. */
function drawFlag(pen: Pen, frame: Frame, state: Bicycle['state']): void {
  const top = state === 'fallen' ? 0.9 : 2.35;
  const foot = state === 'fallen' ? 0.1 : 0.5;
  pen.limb(frame.at(-0.62, foot, 0), frame.at(-0.72, top, 0), 0.025, 0xf0f0f0);
  pen.raise();
  pen.sheet(
    [frame.at(-0.72, top, 0), frame.at(-1.3, top - 0.2, 0), frame.at(-0.72, top - 0.42, 0)],
    0xff2a10,
  );
}

function drawFallen(pen: Pen, { x, z, paint }: Bicycle, angle: number, colour: Colour): void {
  const frame = new Frame(x, z, angle);
  // The bicycle lies flat, a little aslant; its rider sits on the road beside it.
  for (const ahead of [-0.5, 0.6])
    drawRing(pen, (c, s) => frame.at(ahead + 0.33 * c, 0.06, 0.1 + 0.33 * s + ahead * 0.15), x);
  const bar = (a: number, b: number, c: number, d: number): void => {
    pen.limb(frame.at(a, 0.1, b), frame.at(c, 0.1, d), 0.045, colour);
    pen.raise(0.3);
  };
  bar(-0.5, 0.05, -0.1, -0.2);
  bar(-0.1, -0.2, 0.42, -0.25);
  bar(-0.5, 0.05, 0.05, 0.1);
  bar(0.05, 0.1, 0.42, -0.25);
  bar(0.6, 0.15, 0.45, -0.4);
  const rider = new Frame(x, z, angle);
  const coat = pickColour(riders, (paint * 3.1) % 1);
  const at = (ahead: number, up: number, left = -0.35): Vector => rider.at(ahead, up, left);
  pen.limb(at(0.75, 0.14), at(1.1, 0.4), 0.11, 0x2a2f3a, 0.09);
  pen.limb(at(1.1, 0.4), at(1.45, 0.1), 0.09, 0x2a2f3a, 0.07);
  pen.raise();
  pen.limb(at(0.72, 0.2), at(0.5, 0.72), 0.2, coat, 0.2);
  pen.raise();
  pen.limb(at(0.5, 0.66, -0.5), at(0.3, 0.16, -0.6), 0.07, scaled(coat, 0.82), 0.06);
  pen.raise();
  pen.ball(at(0.5, 0.98), 0.15, 0xd9a37c);
  pen.raise();
  pen.limb(at(0.4, 1.07), at(0.56, 1.1), 0.11, 0xf4f4f4);
}

/** A tyre and its spokes, round a point in any plane. */
function drawRing(pen: Pen, at: (cos: number, sin: number) => Vector, turn: number): void {
  const steps = 12;
  for (let i = 0; i < steps; i++) {
    const [a, b] = [(i / steps) * 2 * Math.PI, ((i + 1) / steps) * 2 * Math.PI];
    const inner = 0.8;
    pen.sheet(
      [
        at(Math.cos(a), Math.sin(a)),
        at(Math.cos(b), Math.sin(b)),
        at(inner * Math.cos(b), inner * Math.sin(b)),
        at(inner * Math.cos(a), inner * Math.sin(a)),
      ],
      0x16171a,
    );
  }
  for (let i = 0; i < 3; i++) {
    const a = turn + (i / 3) * Math.PI;
    const [c, s] = [Math.cos(a) * 0.85, Math.sin(a) * 0.85];
    pen.limb(at(c, s), at(-c, -s), 0.012, 0x9a9ea2);
  }
}
