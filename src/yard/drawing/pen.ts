/** Draws solid figures, in metres, with a brush: blocks with pictures on their faces, limbs, discs, flat pieces. */
import type { Brush } from './brush.js';
import type { Colour } from './colour.js';
import type { Lighting, Vector } from './lighting.js';
import { project } from '../world/camera.js';

/** Where a thing stands and which way it faces: 0 to the right, a quarter turn away from the camera. */
export class Frame {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  private readonly cos: number;
  private readonly sin: number;

  constructor(x: number, z: number, angle = 0, y = 0) {
    this.x = x;
    this.y = y;
    this.z = z;
    this.cos = Math.cos(angle);
    this.sin = Math.sin(angle);
  }

  /** The point so far ahead, above and to the left of where the thing stands. */
  at(ahead: number, up: number, left: number): Vector {
    return [
      this.x + ahead * this.cos - left * this.sin,
      this.y + up,
      this.z + ahead * this.sin + left * this.cos,
    ];
  }
}

/** Corners in shares of a face: from its lower left corner, as seen from outside. */
export type Outline = readonly (readonly [across: number, up: number])[];

export const rectangle = (left: number, low: number, right: number, high: number): Outline => [
  [left, low],
  [right, low],
  [right, high],
  [left, high],
];

export type Side = 'right' | 'left' | 'front' | 'back' | 'top';

export interface Block {
  /** From back to front at the bottom and at the top. */
  readonly bottom: readonly [back: number, front: number];
  readonly top?: readonly [back: number, front: number];
  /** Half its width at the bottom and at the top. */
  readonly half: number | readonly [bottom: number, top: number];
  readonly y: readonly [low: number, high: number];
  readonly colour: Colour;
  /** Of its top face, where it differs. */
  readonly roof?: Colour;
}

/** A piece of light that is added to the picture when all else is drawn. */
export interface Glow {
  readonly u: number;
  readonly v: number;
  readonly nearness: number;
  readonly radiusPx: number;
  readonly colour: Colour;
  readonly strength: number;
}

type Face = readonly [Vector, Vector, Vector, Vector];

const capSteps = 4;

export class Pen {
  readonly brush: Brush;
  readonly lighting: Lighting;
  glows: Glow[] = [];
  private lamp = 0;

  constructor(brush: Brush, lighting: Lighting) {
    this.brush = brush;
    this.lighting = lighting;
  }

  /** Says whose figure comes next and where it stands. */
  begin(owner: number, x: number, z: number): void {
    this.brush.owner = owner;
    this.brush.bias = 1;
    this.lamp = this.lighting.lampAt(x, 0.8, z);
  }

  /** What is drawn from here on lies on top of what was drawn before it in the same plane. */
  raise(steps = 1): void {
    this.brush.bias += 0.0012 * steps;
  }

  /** A block; `paint` adds pictures to its faces. */
  block(frame: Frame, shape: Block, paint?: (face: FacePen) => void): void {
    const [low, high] = shape.y;
    const [back, front] = shape.bottom;
    const [topBack, topFront] = shape.top ?? shape.bottom;
    const [half, topHalf] = typeof shape.half === 'number' ? [shape.half, shape.half] : shape.half;
    const b0 = frame.at(back, low, -half);
    const b1 = frame.at(front, low, -half);
    const b2 = frame.at(front, low, half);
    const b3 = frame.at(back, low, half);
    const t0 = frame.at(topBack, high, -topHalf);
    const t1 = frame.at(topFront, high, -topHalf);
    const t2 = frame.at(topFront, high, topHalf);
    const t3 = frame.at(topBack, high, topHalf);
    const faces: readonly [Side, Face][] = [
      ['right', [b0, b1, t1, t0]],
      ['left', [b2, b3, t3, t2]],
      ['front', [b1, b2, t2, t1]],
      ['back', [b3, b0, t0, t3]],
      ['top', [t0, t1, t2, t3]],
    ];
    for (const [side, face] of faces) {
      const normal = normalOf(face);
      this.outline(face, side === 'top' ? (shape.roof ?? shape.colour) : shape.colour, normal);
      if (paint === undefined) continue;
      const { bias } = this.brush;
      paint(new FacePen(this, side, face, normal));
      this.brush.bias = bias;
    }
  }

  /** A flat piece that shows from the side from which its corners run counter-clockwise. */
  outline(corners: readonly Vector[], colour: Colour, normal: Vector): void {
    for (const [x, y, z] of corners) this.brush.corner(x, y, z);
    const [nx, ny, nz] = normal;
    this.brush.fill(this.lighting.on(colour, nx, ny, nz, this.lamp), true);
  }

  /** A flat piece seen from both sides; `glowing` colours need no light. */
  sheet(corners: readonly Vector[], colour: Colour, glowing = false): void {
    for (const [x, y, z] of corners) this.brush.corner(x, y, z);
    this.brush.fill(glowing ? colour : this.upright(colour));
  }

  /** A limb with round ends, as it looks from the camera; its radii in metres. */
  limb(from: Vector, to: Vector, radius: number, colour: Colour, endRadius = radius): void {
    const { brush } = this;
    const a = this.seen(from);
    const b = this.seen(to);
    const ra = radius * brush.camera.focalPx * a.nearness;
    const rb = endRadius * brush.camera.focalPx * b.nearness;
    const angle = Math.atan2(b.v - a.v, b.u - a.u);
    for (let i = 0; i <= capSteps; i++) {
      const turn = angle + Math.PI / 2 + (i / capSteps) * Math.PI;
      brush.pixel(a.u + ra * Math.cos(turn), a.v + ra * Math.sin(turn), a.nearness);
    }
    for (let i = 0; i <= capSteps; i++) {
      const turn = angle - Math.PI / 2 + (i / capSteps) * Math.PI;
      brush.pixel(b.u + rb * Math.cos(turn), b.v + rb * Math.sin(turn), b.nearness);
    }
    brush.fill(this.upright(colour));
  }

  /** A ball as it looks from everywhere: a disc that faces the camera. */
  ball(centre: Vector, radius: number, colour: Colour, glowing = false): void {
    const { brush } = this;
    const { u, v, nearness } = this.seen(centre);
    const r = radius * brush.camera.focalPx * nearness;
    for (let i = 0; i < 14; i++) {
      const turn = (i / 14) * 2 * Math.PI;
      brush.pixel(u + r * Math.cos(turn), v + r * Math.sin(turn), nearness);
    }
    brush.fill(glowing ? colour : this.upright(colour));
  }

  /** A disc in the plane of a thing's side, as wheels are. */
  wheel(
    frame: Frame,
    ahead: number,
    up: number,
    left: number,
    radius: number,
    colour: Colour,
  ): void {
    for (let i = 0; i < 14; i++) {
      const turn = (i / 14) * 2 * Math.PI;
      const [x, y, z] = frame.at(
        ahead + radius * Math.cos(turn),
        up + radius * Math.sin(turn),
        left,
      );
      this.brush.corner(x, y, z);
    }
    this.brush.fill(this.upright(colour));
  }

  glow(at: Vector, radiusM: number, colour: Colour, strength: number): void {
    const { u, v, nearness } = this.seen(at);
    const radiusPx = radiusM * this.brush.camera.focalPx * nearness;
    this.glows.push({
      u,
      v,
      nearness,
      radiusPx,
      colour,
      strength: this.brush.mirrored ? strength * 0.4 : strength,
    });
  }

  /** A colour on what faces the camera. */
  upright(colour: Colour): Colour {
    return this.lighting.on(colour, 0, 0.45, -0.89, this.lamp);
  }

  on(colour: Colour, [nx, ny, nz]: Vector): Colour {
    return this.lighting.on(colour, nx, ny, nz, this.lamp);
  }

  private seen([x, y, z]: Vector): { u: number; v: number; nearness: number } {
    const { camera, mirrored } = this.brush;
    const { u, v, depthM } = project(camera, x, mirrored ? -y : y, z);
    return { u, v, nearness: 1 / depthM };
  }
}

/** Paints on one face of a block. */
export class FacePen {
  readonly side: Side;
  private readonly pen: Pen;
  private readonly face: Face;
  private readonly normal: Vector;

  constructor(pen: Pen, side: Side, face: Face, normal: Vector) {
    this.pen = pen;
    this.side = side;
    this.face = face;
    this.normal = normal;
  }

  get isFlank(): boolean {
    return this.side === 'left' || this.side === 'right';
  }

  /** `across` runs from the left, as seen from outside; on both flanks from the back to the front. */
  paint(outline: Outline, colour: Colour, glowing = false): void {
    const { pen, face, normal } = this;
    pen.raise();
    const mirror = this.side === 'left';
    for (let i = 0; i < outline.length; i++) {
      const corner = outline[mirror ? outline.length - 1 - i : i];
      if (!corner) continue;
      const [x, y, z] = within(face, mirror ? 1 - corner[0] : corner[0], corner[1]);
      pen.brush.corner(x, y, z);
    }
    pen.brush.fill(glowing ? colour : pen.on(colour, normal), true);
  }

  at(across: number, up: number): Vector {
    return within(this.face, this.side === 'left' ? 1 - across : across, up);
  }
}

function within([a, b, c, d]: Face, across: number, up: number): Vector {
  const mix = (i: 0 | 1 | 2): number => {
    const low = a[i] + (b[i] - a[i]) * across;
    const high = d[i] + (c[i] - d[i]) * across;
    return low + (high - low) * up;
  };
  return [mix(0), mix(1), mix(2)];
}

/** Of unit length, pointing outwards. */
function normalOf([a, b, , d]: Face): Vector {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [vx, vy, vz] = [d[0] - a[0], d[1] - a[1], d[2] - a[2]];
  const x = vy * uz - vz * uy;
  const y = vz * ux - vx * uz;
  const z = vx * uy - vy * ux;
  const length = Math.sqrt(x * x + y * y + z * z) || 1;
  return [x / length, y / length, z / length];
}
