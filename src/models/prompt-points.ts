/** Where the segmenter is asked «what is here?»: SAM's grid, and the places where something probably is. Pure. */
import type { Manifest } from './manifest.js';
import type { Rectangle, Size } from './preprocess.js';

/** x, y in input pixels. */
export type Point = readonly [number, number];

/** SAM's grid, row by row: the middles of pointsPerRow x pointsPerColumn equal parts of the picture. */
export function gridPoints(
  picture: Rectangle,
  {
    pointsPerRow,
    pointsPerColumn,
  }: Pick<Manifest['segmenter'], 'pointsPerRow' | 'pointsPerColumn'>,
): Point[] {
  const points: Point[] = [];
  for (let row = 0; row < pointsPerColumn; row++) {
    for (let column = 0; column < pointsPerRow; column++) {
      points.push([
        picture.x + ((column + 0.5) / pointsPerRow) * picture.width,
        picture.y + ((row + 0.5) / pointsPerColumn) * picture.height,
      ]);
    }
  }
  return points;
}

/** Below this mean difference (of 255) a cell is noise, not motion. */
const differenceMin = 10;

/**
 * The cells in which the first and the last frame of a clip differ most: something small that moves can lie
 * between the points of the grid. Each gives the centre of its difference; strongest first.
 *
 * @param first rgb24, height x width x 3
 */
export function changePoints(
  first: Uint8Array,
  last: Uint8Array,
  { widthPx, heightPx }: Size,
  cellPx: number,
  countMax: number,
): Point[] {
  const columns = Math.floor(widthPx / cellPx);
  const rows = Math.floor(heightPx / cellPx);
  const cells: { readonly difference: number; readonly point: Point }[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let total = 0;
      let sumX = 0;
      let sumY = 0;
      for (let y = row * cellPx; y < (row + 1) * cellPx; y++) {
        for (let x = column * cellPx; x < (column + 1) * cellPx; x++) {
          const at = (y * widthPx + x) * 3;
          const difference =
            Math.abs((first[at] ?? 0) - (last[at] ?? 0)) +
            Math.abs((first[at + 1] ?? 0) - (last[at + 1] ?? 0)) +
            Math.abs((first[at + 2] ?? 0) - (last[at + 2] ?? 0));
          total += difference;
          sumX += difference * (x + 0.5);
          sumY += difference * (y + 0.5);
        }
      }
      const difference = total / (3 * cellPx * cellPx);
      if (difference >= differenceMin)
        cells.push({ difference, point: [sumX / total, sumY / total] });
    }
  }
  return cells
    .sort((a, b) => b.difference - a.difference)
    .slice(0, countMax)
    .map(({ point }) => point);
}
