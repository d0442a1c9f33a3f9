/** Draws solid figures, in metres, with a brush: blocks with pictures on their faces, limbs, discs, flat pieces. */
import type { Brush } from './brush.js';
import type { Colour } from './colour.js';
import type { Lighting, Vector } from './lighting.js';
import { FacePen } from './face-pen.js';
import type { Face, Side } from './face-pen.js';

/** Where a thing stands and which way it faces: 0 to the right, a quarter turn away from the camera. */
export class Frame {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  private readonly angle: number;
  private readonly cos: number;
  private readonly sin: number;

  constructor(x: number, z: number, angle = 0, y = 0) {
    this.angle = angle;
    this.x = x;
    this.y = y;
    this.z = z;
    this.cos = Math.cos(angle);
    this.sin = Math.sin(angle);
  }

  /** The same direction elsewhere. */
  movedTo(x: number, z: number): Frame {
    return new Frame(x, z, this.angle, this.y);
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

interface Seen {
  readonly u: number;
  readonly v: number;
  readonly nearness: number;
}

/** Directions round a half circle, ahead in its middle, and round a full one. */
const halfTurn = directions(-Math.PI / 2, Math.PI / 4, 5);
const fullTurn = directions(0, Math.PI / 7, 14);

function directions(
  from: number,
  step: number,
  count: number,
): readonly (readonly [cos: number, sin: number])[] {
  return Array.from({ length: count }, (_, i) => [
    Math.cos(from + i * step),
    Math.sin(from + i * step),
  ]);
}

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
    this.face('right', [b0, b1, t1, t0], shape.colour, paint);
    this.face('left', [b2, b3, t3, t2], shape.colour, paint);
    this.face('front', [b1, b2, t2, t1], shape.colour, paint);
    this.face('back', [b3, b0, t0, t3], shape.colour, paint);
    this.face('top', [t0, t1, t2, t3], shape.roof ?? shape.colour, paint);
  }

  /** Faces that are turned away cost nothing. */
  private face(side: Side, face: Face, colour: Colour, paint?: (face: FacePen) => void): void {
    const { brush } = this;
    const { camera, mirrored } = brush;
    const normal = normalOf(face);
    const [[x, y, z]] = face;
    const eyeY = mirrored ? -camera.heightM : camera.heightM;
    if (normal[0] * (camera.xM - x) + normal[1] * (eyeY - y) - normal[2] * z <= 0) return;
    for (const [cornerX, cornerY, cornerZ] of face) brush.corner(cornerX, cornerY, cornerZ);
    brush.fill(this.on(colour, normal));
    if (paint === undefined) return;
    const { bias } = brush;
    paint(new FacePen(this, side, face, normal));
    brush.bias = bias;
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
    const length = Math.hypot(b.u - a.u, b.v - a.v);
    // Along the limb; any way will do where it points at the camera.
    const alongU = length > 0 ? (b.u - a.u) / length : 1;
    const alongV = length > 0 ? (b.v - a.v) / length : 0;
    const cap = (end: Seen, r: number): void => {
      const rU = r * brush.camera.focalPx * end.nearness * alongU;
      const rV = r * brush.camera.focalPx * end.nearness * alongV;
      for (const [c, s] of halfTurn)
        brush.pixel(end.u + c * rU - s * rV, end.v + c * rV + s * rU, end.nearness);
    };
    cap(b, endRadius);
    cap(a, -radius);
    brush.fill(this.upright(colour));
  }

  /** A ball as it looks from everywhere: a disc that faces the camera. */
  ball(centre: Vector, radius: number, colour: Colour, glowing = false): void {
    const { brush } = this;
    const { u, v, nearness } = this.seen(centre);
    const r = radius * brush.camera.focalPx * nearness;
    for (const [c, s] of fullTurn) brush.pixel(u + r * c, v + r * s, nearness);
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
    for (const [c, s] of fullTurn) {
      const [x, y, z] = frame.at(ahead + radius * c, up + radius * s, left);
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

  private seen([x, y, z]: Vector): Seen {
    const { projection, mirrored } = this.brush;
    projection.see(x, mirrored ? -y : y, z);
    return { u: projection.u, v: projection.v, nearness: projection.nearness };
  }
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
