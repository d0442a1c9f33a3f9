/** Named parts of the ground, as someone who sets up a camera would draw them: where a thing stands, and polygons in the picture. */
import { heightPx, project, widthPx, groundRange } from '../world/camera.js';
import { zones } from '../world/place.js';
import type { Place } from '../world/place.js';

export const zoneNames = ['road', 'drive', 'gate', 'door', 'dock', 'lawn'] as const;
export type ZoneName = (typeof zoneNames)[number];

/** A rectangle of the ground in metres; `x` is null where it runs from one edge of the picture to the other. */
interface Area {
  readonly x: readonly [number, number] | null;
  readonly z: readonly [number, number];
}

/** How far an opening's own zone reaches before the wall and behind it. */
const stepM = 1.2;
const insideM = 1.5;

const around = (x: number, width: number): [number, number] => [x - width / 2, x + width / 2];

function areasOf(place: Place): Partial<Record<ZoneName, Area>> {
  const { gateX, gateWidth, doorX, dockX, dockWidth, on } = place;
  const opening = [zones.front - stepM, zones.front + insideM] as const;
  return {
    road: { x: null, z: [zones.roadFrom, zones.apronFrom] },
    ...(on.gate && {
      drive: { x: around(gateX, gateWidth), z: [zones.apronFrom, opening[0]] },
      gate: { x: around(gateX, gateWidth), z: opening },
    }),
    door: { x: around(doorX, 1.8), z: opening },
    ...(on.dock && { dock: { x: around(dockX, dockWidth), z: [zones.apronFrom, opening[1]] } }),
    lawn: { x: null, z: [zones.lawnFrom, zones.pavementFrom] },
  };
}

/** Where a thing stands; null: on none of them. */
export function zoneAt(place: Place, x: number, z: number): ZoneName | null {
  const areas = areasOf(place);
  const isIn = (area: Area | undefined): boolean =>
    area !== undefined &&
    z >= area.z[0] &&
    z < area.z[1] &&
    (area.x === null || (x >= area.x[0] && x <= area.x[1]));
  return zoneNames.find((name) => isIn(areas[name])) ?? null;
}

export type Corner = readonly [x: number, y: number];

/** Corners in shares of the picture; zones that lie outside it are left out. */
export function zonePolygons(place: Place): Partial<Record<ZoneName, readonly Corner[]>> {
  const polygons = Object.entries(areasOf(place)).flatMap(([name, { x, z }]) => {
    const [near, far] = z.map((depth) =>
      (x ?? groundRange(place.camera, depth)).map((at): Corner => {
        const { u, v } = project(place.camera, at, 0, depth);
        return [u / widthPx, v / heightPx];
      }),
    ) as [Corner[], Corner[]];
    const polygon = cutAtEdges([...near, ...far.reverse()]);
    return polygon.length > 0 ? [[name, polygon] as const] : [];
  });
  return Object.fromEntries(polygons);
}

/** Sutherland and Hodgman, 1974: edge by edge, what lies outside is replaced by where the outline crosses the edge. */
function cutAtEdges(corners: readonly Corner[]): Corner[] {
  let polygon = [...corners];
  for (const axis of [0, 1] as const)
    for (const side of [0, 1] as const) {
      const isInside = (corner: Corner): boolean =>
        side === 0 ? corner[axis] >= 0 : corner[axis] <= 1;
      polygon = polygon.flatMap((to, index) => {
        const from = polygon.at(index - 1) ?? to;
        const crossing = isInside(from) === isInside(to) ? [] : [crossingAt(from, to, axis, side)];
        return isInside(to) ? [...crossing, to] : crossing;
      });
    }
  return polygon.map(([x, y]) => [shareOf(x), shareOf(y)]);
}

function crossingAt(from: Corner, to: Corner, axis: 0 | 1, at: number): Corner {
  const way = (at - from[axis]) / (to[axis] - from[axis]);
  return [from[0] + way * (to[0] - from[0]), from[1] + way * (to[1] - from[1])];
}

/** Four decimals are a thirtieth of a pixel. */
function shareOf(value: number): number {
  return Math.min(1, Math.max(0, Math.round(value * 1e4) / 1e4));
}
