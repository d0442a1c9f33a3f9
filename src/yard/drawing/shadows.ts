/** Shadows on the ground: where the sun does not reach, and the dark seam under whatever touches the ground. */
import { zones } from '../world/place.js';
import { marks } from './brush.js';
import type { Brush } from './brush.js';
import type { Lighting } from './lighting.js';
import type { Footprint } from './scene.js';

type Spot = readonly [x: number, z: number];

const softM = 0.13;

export function drawShadows(
  brush: Brush,
  lighting: Lighting,
  footprints: readonly Footprint[],
): void {
  for (const footprint of footprints) {
    if (footprint.frame.z > zones.front) continue;
    if (lighting.shadeShare < 1) {
      const keep = Math.sqrt(lighting.shadeShare);
      fill(brush, hullOf(cast(footprint, lighting, softM)), keep, marks.soft);
      fill(brush, hullOf(cast(footprint, lighting, -softM / 2)), keep, marks.hard);
    }
    fill(brush, round(footprint), 0.66, marks.contact);
  }
}

/** The footprint's corners, and where the corners above them throw their shadow. */
function cast(
  { frame, back, front, half, height }: Footprint,
  { shadow }: Lighting,
  grow: number,
): Spot[] {
  const spots: Spot[] = [];
  for (const ahead of [back - grow, front + grow])
    for (const left of [-half - grow, half + grow]) {
      const [x, , z] = frame.at(ahead, 0, left);
      spots.push([x, z], [x + shadow.x * height, z + shadow.z * height]);
    }
  return spots;
}

/** Ten corners, a little beyond the footprint. */
function round({ frame, back, front, half }: Footprint): Spot[] {
  const spots: Spot[] = [];
  const middle = (back + front) / 2;
  const [ahead, aside] = [(front - back) / 2 + 0.06, half + 0.06];
  for (let i = 0; i < 10; i++) {
    const turn = (i / 10) * 2 * Math.PI;
    // Squarer than an ellipse.
    const square = (value: number): number => Math.sign(value) * Math.sqrt(Math.abs(value));
    const [x, , z] = frame.at(
      middle + ahead * square(Math.cos(turn)),
      0,
      aside * square(Math.sin(turn)),
    );
    spots.push([x, z]);
  }
  return spots;
}

function fill(brush: Brush, spots: readonly Spot[], keep: number, mark: number): void {
  for (const [x, z] of spots) brush.corner(x, 0, z);
  brush.shade(keep, mark);
}

/** Convex hull (Andrew's monotone chain). */
function hullOf(spots: Spot[]): Spot[] {
  spots.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered: readonly Spot[]): Spot[] => {
    const chain: Spot[] = [];
    for (const spot of ordered) {
      for (;;) {
        const [a, b] = [chain.at(-2), chain.at(-1)];
        if (!a || !b || (b[0] - a[0]) * (spot[1] - a[1]) > (b[1] - a[1]) * (spot[0] - a[0])) break;
        chain.pop();
      }
      chain.push(spot);
    }
    chain.pop();
    return chain;
  };
  return [...half(spots), ...half(spots.toReversed())];
}
