/** The forklift and what it carries. */
import { ticks } from '../world/things.js';
import type { Forklift, Stack } from '../world/things.js';
import { zones } from '../world/place.js';
import type { Vector } from './lighting.js';
import { Frame } from './pen.js';
import { rectangle } from './face-pen.js';
import type { Pen } from './pen.js';
import { drawPallet, palletHeightM } from './pallets.js';
import { drawWheels } from './vehicle-parts.js';

const body = 0xf28c12;
const steel = 0x2c2f33;
/** From the forklift's middle to that of its load. */
const loadAheadM = 1.5;

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
