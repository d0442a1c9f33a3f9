/** What belongs to the building and the road but moves: gate, door, dock door, traffic light. */
import { zones } from '../world/place.js';
import type { Place } from '../world/place.js';
import type { TrafficLight } from '../world/things.js';
import { openings } from './building.js';
import { hsl, mixed, scaled } from './colour.js';
import type { Colour } from './colour.js';
import { Frame } from './pen.js';
import { rectangle } from './face-pen.js';
import type { Pen } from './pen.js';

/** Just before the front. */
const leafZ = zones.front - 0.1;

/** Slides away from the house door, before the wall. */
export function drawGate(pen: Pen, place: Place, share: number): void {
  const { gateX, gateWidth, direction, appearance } = place;
  const dark = hsl(appearance.hues.gate, 40, 26);
  const bright = hsl(appearance.hues.gate, 42, 48);
  const height = 2.15;
  const half = gateWidth / 2 + 0.1;
  for (const side of [-1, 1]) {
    const post = new Frame(gateX + side * (half + 0.06), leafZ);
    pen.block(post, {
      bottom: [-0.14, 0.14],
      half: 0.1,
      y: [0, 3.05],
      colour: mixed(dark, 0x9a9a9a, 0.4),
    });
  }
  const frame = new Frame(gateX + direction * share * (gateWidth + 0.1), leafZ);
  pen.block(
    frame,
    { bottom: [-half, half], half: 0.04, y: [0.06, height], colour: dark },
    (face) => {
      if (face.side !== 'right') return;
      const bars = 12;
      for (let i = 0; i < bars; i++)
        face.paint(rectangle((i + 0.3) / bars, 0.08, (i + 0.72) / bars, 0.94), bright);
      face.paint(rectangle(0, 0.44, 1, 0.54), dark);
      face.paint(rectangle(0.42, 0.58, 0.58, 0.86), 0xf2f2ea);
      face.paint(rectangle(0.45, 0.66, 0.55, 0.78), 0xcc2222);
    },
  );
}

/** The house door in its light frame; the leaf turns inwards. */
export function drawDoor(pen: Pen, place: Place, share: number): void {
  const { doorX, appearance } = place;
  const { width, height } = openings.door;
  const half = width / 2;
  const light = 0xf1ead8;
  const wall = zones.front - 0.06;
  for (const side of [-1, 1])
    pen.block(new Frame(doorX + side * (half + 0.1), wall), {
      bottom: [-0.11, 0.11],
      half: 0.05,
      y: [0, height + 0.02],
      colour: light,
    });
  pen.block(new Frame(doorX, wall), {
    bottom: [-half - 0.21, half + 0.21],
    half: 0.06,
    y: [height, height + 0.2],
    colour: light,
  });
  pen.block(new Frame(doorX, wall - 0.12), {
    bottom: [-half - 0.2, half + 0.2],
    half: 0.18,
    y: [0, 0.07],
    colour: 0xb9b2a4,
  });
  const colour = hsl(appearance.hues.door, 52, 34);
  const turn = share * 1.35;
  const hinge = new Frame(doorX + half, zones.front + 0.02, Math.PI - turn);
  pen.block(hinge, { bottom: [0, width], half: 0.03, y: [0.05, height], colour }, (face) => {
    if (!face.isFlank) return;
    const pane = scaled(colour, 1.35);
    face.paint(rectangle(0.16, 0.56, 0.84, 0.92), pane);
    face.paint(rectangle(0.24, 0.62, 0.76, 0.86), 0xa8c4cc);
    face.paint(rectangle(0.16, 0.1, 0.84, 0.46), pane);
    face.paint(rectangle(0.82, 0.47, 0.92, 0.52), 0xf0d878);
  });
}

/** The dock: a frame with warning stripes and a rolling door that rises into its box. */
export function drawDock(pen: Pen, place: Place, share: number): void {
  const { dockX, dockWidth, appearance } = place;
  const { height } = openings.dock;
  const half = dockWidth / 2;
  const colour = hsl(appearance.hues.dock, 26, 58);
  for (const side of [-1, 1])
    pen.block(
      new Frame(dockX + side * (half + 0.1), leafZ),
      { bottom: [-0.13, 0.13], half: 0.09, y: [0, height], colour: 0xf0c020 },
      (face) => {
        if (face.side === 'top') return;
        for (let i = 0; i < 5; i++)
          face.paint(
            [
              [0, i * 0.2],
              [1, i * 0.2 + 0.06],
              [1, i * 0.2 + 0.16],
              [0, i * 0.2 + 0.1],
            ],
            0x191919,
          );
      },
    );
  pen.block(
    new Frame(dockX, leafZ),
    {
      bottom: [-half - 0.23, half + 0.23],
      half: 0.12,
      y: [height - 0.05, height + 0.34],
      colour: scaled(colour, 0.75),
    },
    (face) => {
      if (face.side === 'right') face.paint(rectangle(0.4, 0.15, 0.6, 0.85), 0xf4f4ee);
    },
  );
  const low = share * (height - 0.3);
  pen.block(
    new Frame(dockX, zones.front - 0.02),
    { bottom: [-half, half], half: 0.02, y: [low, height], colour },
    (face) => {
      if (face.side !== 'right') return;
      const slat = 0.24;
      const tall = height - low;
      for (let up = 0; up < tall; up += slat)
        face.paint(
          rectangle(0, up / tall, 1, Math.min(1, (up + 0.08) / tall)),
          scaled(colour, 0.66),
        );
      face.paint(rectangle(0, 0, 1, Math.min(1, 0.14 / tall)), 0x33363b);
    },
  );
}

/** On its post at the far kerb, beyond the crossing, turned to the camera. */
export function drawLight(pen: Pen, place: Place, light: TrafficLight): void {
  const frame = lightFrame(place);
  pen.block(frame, { bottom: [-0.07, 0.07], half: 0.07, y: [0, 2.1], colour: 0x5a5f66 });
  pen.block(frame, { bottom: [-0.36, 0.36], half: 0.16, y: [1.95, 3.3], colour: 0x16181b });
  const z = frame.z - 0.18;
  const lamp = (up: number, colour: Colour, on: boolean): void => {
    pen.raise();
    pen.ball([frame.x, up, z], 0.27, on ? colour : scaled(colour, 0.2), on);
    if (!on) return;
    pen.raise();
    pen.ball([frame.x - 0.04, up + 0.04, z], 0.13, mixed(colour, 0xffffff, 0.5), true);
    pen.glow([frame.x, up, z], 0.7, colour, 0.7);
  };
  lamp(2.94, 0xff2010, light.phase === 'red');
  lamp(2.3, 0x10f050, light.phase === 'green');
}

export function lightFrame({ crossX, direction }: Place): Frame {
  return new Frame(crossX + direction * 1.3, zones.apronFrom + 0.15);
}
