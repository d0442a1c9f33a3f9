/** Pictures on the faces of solids: windows, stripes, lamps. */
import type { Colour } from './colour.js';
import type { Vector } from './lighting.js';
import type { Pen } from './pen.js';

/** Corners in shares of a face: from its lower left corner, as seen from outside. */
export type Outline = readonly (readonly [across: number, up: number])[];

export const rectangle = (left: number, low: number, right: number, high: number): Outline => [
  [left, low],
  [right, low],
  [right, high],
  [left, high],
];

export type Side = 'right' | 'left' | 'front' | 'back' | 'top';

/** Lower left, lower right, upper right, upper left corner, as seen from outside. */
export type Face = readonly [Vector, Vector, Vector, Vector];

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
    for (const [across, up] of outline) {
      const [x, y, z] = within(face, mirror ? 1 - across : across, up);
      pen.brush.corner(x, y, z);
    }
    pen.brush.fill(glowing ? colour : pen.on(colour, normal));
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
