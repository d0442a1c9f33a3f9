/** The forklift and the bicycle. */
import { ticks } from '../world/things.js';
import type { Bicycle, Forklift, Stack } from '../world/things.js';
import type { Place } from '../world/place.js';
import { zones } from '../world/place.js';
import type { Colour } from './colour.js';
import { pickColour, scaled } from './colour.js';
import type { Vector } from './lighting.js';
import { Frame, rectangle } from './pen.js';
import type { Pen } from './pen.js';
import { drawPallet, palletHeightM } from './pallets.js';
import { drawWheels } from './vehicles.js';

const body = 0xf28c12;
const steel = 0x2c2f33;
/** From the forklift's middle to that of its load. */
export const loadAheadM = 1.5;

/** In the dock it faces the camera; on its way to the lane it turns along it. */
export function forkliftFrame({ x, z, direction }: Forklift): Frame {
  const turned = Math.max(0, Math.min(1, (z - zones.forkliftLane - 0.15) / 1));
  const turn = turned * (Math.PI / 2);
  return new Frame(x, z, direction === 1 ? -turn : Math.PI + turn);
}

/** How high the forks stand: up to the pile's top while it works there. */
export function forkHeight(forklift: Forklift, stack: Stack, tick: number): number {
  const age = (tick - forklift.since) / ticks(0.7);
  const top = stack.fallen ? 0 : stack.count * palletHeightM;
  const low = 0.12;
  switch (forklift.state) {
    case 'at stack': {
      const goal = forklift.loaded ? top : Math.max(0, top - palletHeightM);
      return low + Math.min(1, age) * goal;
    }
    case 'returning':
      return (
        low + Math.max(0, 1 - age) * (forklift.loaded ? top : Math.max(0, top - palletHeightM))
      );
    case 'coming out':
    case 'driving':
    case 'yielding':
    case 'going in':
    case 'gone':
      return low;
  }
}

export function drawForklift(pen: Pen, forklift: Forklift, height: number, tick: number): void {
  const frame = forkliftFrame(forklift);
  pen.block(frame, { bottom: [-0.95, 0.35], half: 0.52, y: [0.16, 0.34], colour: steel });
  pen.block(
    frame,
    { bottom: [-0.98, -0.3], top: [-0.9, -0.3], half: [0.58, 0.54], y: [0.3, 1.02], colour: body },
    (face) => {
      if (face.side === 'back')
        for (let i = 0; i < 4; i++)
          face.paint(rectangle(0.04 + i * 0.25, 0.1, 0.16 + i * 0.25, 0.34), 0x1a1a1a);
      if (face.isFlank) face.paint(rectangle(0, 0.42, 1, 0.56), 0x1f1f1f);
    },
  );
  pen.block(frame, { bottom: [-0.3, 0.42], half: 0.56, y: [0.3, 0.62], colour: body });
  // The driver, under a guard on four posts.
  drawDriver(pen, frame);
  for (const left of [0.5, -0.5])
    for (const [foot, head] of [
      [0.36, 0.16],
      [-0.78, -0.68],
    ] as const) {
      pen.limb(frame.at(foot, 0.6, left), frame.at(head, 2.05, left), 0.04, steel);
      pen.raise(0.3);
    }
  pen.block(frame, { bottom: [-0.8, 0.26], half: 0.56, y: [2.03, 2.13], colour: body });
  if (forklift.special) {
    const on = tick % 8 < 4;
    pen.ball(frame.at(-0.3, 2.25, 0), 0.17, on ? 0xffa51e : 0xa05808, on);
    if (on) pen.glow(frame.at(-0.3, 2.25, 0), 1.1, 0xff9a20, 0.9);
  }
  drawMast(pen, frame, height);
  drawWheels(pen, frame, forklift.x, [-0.62, 0.26], 0.56, 0.25);
}

function drawDriver(pen: Pen, frame: Frame): void {
  pen.limb(frame.at(-0.25, 0.95, 0), frame.at(-0.22, 1.45, 0), 0.2, 0x2b5a8a, 0.22);
  pen.raise();
  pen.limb(frame.at(-0.1, 1.3, -0.2), frame.at(0.22, 1.15, -0.1), 0.075, 0x244c76);
  pen.raise();
  pen.ball(frame.at(-0.2, 1.74, 0), 0.17, 0xd9a37c);
  pen.raise();
  pen.limb(frame.at(-0.28, 1.86, 0), frame.at(-0.08, 1.86, 0), 0.1, 0xf2e14a);
  pen.raise();
}

function drawMast(pen: Pen, frame: Frame, height: number): void {
  for (const left of [0.34, -0.34])
    pen.block(new Frame(...at(frame, 0.52, left)), {
      bottom: [-0.07, 0.07],
      half: 0.06,
      y: [0.1, Math.max(2.2, height + 0.9)],
      colour: steel,
    });
  const bar = (up: number): readonly Vector[] => [
    frame.at(0.6, up, -0.4),
    frame.at(0.6, up, 0.4),
    frame.at(0.6, up + 0.12, 0.4),
    frame.at(0.6, up + 0.12, -0.4),
  ];
  pen.sheet(bar(height + 0.25), 0x43474c);
  pen.sheet(bar(2.0), 0x43474c);
  for (const left of [0.3, -0.3])
    pen.sheet(
      [
        frame.at(0.6, height, left - 0.09),
        frame.at(1.7, height, left - 0.09),
        frame.at(1.7, height, left + 0.09),
        frame.at(0.6, height, left + 0.09),
      ],
      0x7d838a,
    );
  for (const left of [0.3, -0.3])
    pen.limb(frame.at(0.62, height, left), frame.at(1.7, height, left), 0.04, 0x6a7077);
}

const at = (frame: Frame, ahead: number, left: number): [number, number] => {
  const [x, , z] = frame.at(ahead, 0, left);
  return [x, z];
};

export function drawLoad(pen: Pen, forklift: Forklift, height: number): void {
  const frame = forkliftFrame(forklift);
  const [x, , z] = frame.at(loadAheadM, 0, 0);
  drawPallet(pen, new Frame(x, z, 0, height), forklift.id, false);
}

const frames = [0x18a06a, 0x2358c8, 0xd8366a, 0x222222] as const;
const riders = [0xf2d21e, 0x35b6e0, 0xff7a30, 0xd0f04a] as const;

export function drawBicycle(pen: Pen, bicycle: Bicycle, place: Place): void {
  const angle = place.direction === 1 ? 0 : Math.PI;
  const colour = pickColour(frames, bicycle.paint);
  if (bicycle.state === 'fallen') drawFallen(pen, bicycle, angle, colour);
  else drawRider(pen, bicycle, angle, colour);
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
