/** Parts of a camera's picture that nobody may see, as the filter that blackens them in ffmpeg. Pure. */

/** Shares of the picture's width and height: 0 is left or top, 1 is right or bottom. */
export type Corner = readonly [x: number, y: number];

/** The corners in order round the area, three or more; no two of its edges meet but at their common corner. */
export type Polygon = readonly Corner[];

/** An upright rectangle, in shares of the picture; `left < right`, `top < bottom`. */
export interface Band {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * ffmpeg has no filter that fills a polygon, only rectangles; slanted edges become steps of this height. It is one and a
 * half rows of what the models see and 17 of a Full HD picture, so that a mask hides little more than it says, and
 * costs at most some 64 filters, about two milliseconds for each frame of such a picture.
 */
export const bandHeightMax = 1 / 64;

/** Shares get six decimals, which is a hundredth of a pixel of the largest picture: addresses of filters stay short. */
const decimals = 1e6;

/**
 * Blackens the areas and leaves all else as it is; '' where there is none, else it ends with a comma. It must stand before
 * any filter that scales, since scaling would carry hidden pixels over the edge. All numbers are shares of the input's own
 * size, and ffmpeg sets its filters up anew when that changes.
 *
 * `drawbox` writes luma 16 for black, which in a full-range picture (yuvj420p, as many cameras send it) is a dark grey: so the
 * picture is limited first. Through limited pictures that step passes unchanged. `format` alone does it no longer since
 * ffmpeg 7, which keeps the range; without it older versions keep yuvj420p.
 */
export function privacyFilter(masks: readonly Polygon[]): string {
  const boxes = masks.flatMap(bandsOf).map(({ left, top, right, bottom }) => {
    const [x, y] = [`floor(iw*${left})`, `floor(ih*${top})`];
    return `drawbox=x=${x}:y=${y}:w=ceil(iw*${right})-${x}:h=ceil(ih*${bottom})-${y}:c=black:t=fill`;
  });
  if (boxes.length === 0) return '';
  return `scale=out_range=tv,format=yuv420p|yuv422p|yuv444p,${boxes.join(',')},`;
}

/**
 * Bands that together hold every point of the polygon, and of each row no more than the polygon touches within one band.
 * Bands of equal sides are one: an upright rectangle is a single band.
 */
export function bandsOf(polygon: Polygon): Band[] {
  const edges = edgesOf(polygon);
  const bands: Band[] = [];
  for (const [top, bottom] of rowsOf(polygon)) {
    // No corner lies between the two, so that an edge crosses the whole row or none of it, and no two change places.
    const across = edges
      .filter(([from, to]) => Math.min(from[1], to[1]) <= top && Math.max(from[1], to[1]) >= bottom)
      .filter(([from, to]) => from[1] !== to[1])
      .map((edge) => [xAt(edge, top), xAt(edge, bottom)] as const)
      .sort((a, b) => a[0] + a[1] - b[0] - b[1]);
    // From outside to inside and out again: each odd edge ends what the even one before it began.
    for (let index = 0; index + 1 < across.length; index += 2) {
      const left = Math.min(...across[index]!);
      const right = Math.max(...across[index + 1]!);
      const above = bands.findIndex(
        (band) => band.bottom === top && band.left === left && band.right === right,
      );
      if (above >= 0) bands[above] = { ...bands[above]!, bottom };
      else bands.push({ left, top, right, bottom });
    }
  }
  return bands.map(outward);
}

/** What makes it no area, in words for whoever wrote it; undefined: it is one. */
export function faultOf(polygon: Polygon): string | undefined {
  const edges = edgesOf(polygon);
  if (edges.length < 3) {
    return `has ${edges.length} different corners; give three or more`;
  }
  const area = edges.reduce((sum, [from, to]) => sum + from[0] * to[1] - to[0] * from[1], 0) / 2;
  if (Math.abs(area) < 1 / decimals) {
    return 'has no area; give corners that are not all on one line, in order round the area';
  }
  for (const [index, edge] of edges.entries()) {
    for (const other of edges.slice(index + 1)) {
      if (!meet(edge, other)) continue;
      const shown = [edge, other].map(([from, to]) => `${text(from)} to ${text(to)}`);
      return `crosses itself (${shown.join(' and ')}); give the corners in order round the area`;
    }
  }
  return undefined;
}

type Edge = readonly [from: Corner, to: Corner];

/** A corner that is given twice in a row, as the first one is by those who close the ring, counts once. */
function edgesOf(polygon: Polygon): Edge[] {
  const ring = polygon.filter(([x, y], index) => {
    const before = polygon.at(index - 1)!;
    return x !== before[0] || y !== before[1];
  });
  return ring.map((to, index) => [ring.at(index - 1)!, to]);
}

/** Between neighbouring heights of corners, in equal parts no higher than a band may be. */
function rowsOf(polygon: Polygon): [top: number, bottom: number][] {
  const heights = [...new Set(polygon.map(([, y]) => y))].sort((a, b) => a - b);
  return heights.slice(1).flatMap((bottom, index) => {
    const top = heights[index]!;
    const parts = Math.ceil((bottom - top) / bandHeightMax);
    const at = (part: number): number =>
      part === parts ? bottom : top + ((bottom - top) * part) / parts;
    return Array.from({ length: parts }, (_, part): [number, number] => [at(part), at(part + 1)]);
  });
}

function xAt([from, to]: Edge, y: number): number {
  return from[0] + ((to[0] - from[0]) * (y - from[1])) / (to[1] - from[1]);
}

/** Never less than was asked for; and never nothing, which `drawbox` takes for the whole picture. */
function outward({ left, top, right, bottom }: Band): Band {
  // 0.3 stays 0.3, whatever binary makes of it.
  const down = (share: number): number => Math.floor(share * decimals + 1e-6);
  const up = (share: number): number => Math.ceil(share * decimals - 1e-6);
  return {
    left: down(left) / decimals,
    top: down(top) / decimals,
    right: Math.max(up(right), down(left) + 1) / decimals,
    bottom: Math.max(up(bottom), down(top) + 1) / decimals,
  };
}

/** Whether two edges have a point in common, beside the corner where one follows the other. */
function meet([a, b]: Edge, [c, d]: Edge): boolean {
  if (b === c || d === a) {
    const [before, corner, after] = b === c ? [a, b, d] : [c, d, b];
    const ahead = dot(before, corner, after);
    return side(before, corner, after) === 0 && ahead < 0;
  }
  const sides = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)] as const;
  if (sides.every((one) => one === 0)) return overlap(a, b, c, d, 0) && overlap(a, b, c, d, 1);
  return sides[0] * sides[1] <= 0 && sides[2] * sides[3] <= 0;
}

function side(a: Corner, b: Corner, point: Corner): number {
  return Math.sign((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]));
}

function dot(before: Corner, corner: Corner, after: Corner): number {
  return (
    (corner[0] - before[0]) * (after[0] - corner[0]) +
    (corner[1] - before[1]) * (after[1] - corner[1])
  );
}

function overlap(a: Corner, b: Corner, c: Corner, d: Corner, axis: 0 | 1): boolean {
  return (
    Math.max(a[axis], b[axis]) >= Math.min(c[axis], d[axis]) &&
    Math.max(c[axis], d[axis]) >= Math.min(a[axis], b[axis])
  );
}

function text([x, y]: Corner): string {
  return `[${x}, ${y}]`;
}
