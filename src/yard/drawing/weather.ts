/** What lies between the scene and the picture: glowing lamps, rain, passing clouds, a shaking camera. */
import { project } from '../world/camera.js';
import type { Place } from '../world/place.js';
import { randomBits, stream, uniform } from '../world/random.js';
import type { Brush } from './brush.js';
import type { Colour } from './colour.js';
import type { Glow } from './pen.js';

const cloudStream = stream('cloud');
const shakeStream = stream('shake');
const rainStream = stream('rain');

/** Samples to a pixel and beyond each edge; the camera shakes within the edge. */
export const pictureGrid = { scale: 2, padX: 4, padY: 4 } as const;

/** How far the picture is shifted, in whole samples. */
export function shakeOf({ seed, appearance }: Place, tick: number): { x: number; y: number } {
  if (appearance.shakePx === 0) return { x: 0, y: 0 };
  const reach = appearance.shakePx * pictureGrid.scale;
  const at = (index: number, pace: number): number => {
    const phase = uniform(seed, shakeStream, 0, index) * 2 * Math.PI;
    const sway =
      0.6 * Math.sin(tick * pace + phase) + 0.4 * Math.sin(tick * pace * 2.7 + 2 * phase);
    return Math.round(reach * sway);
  };
  return { x: at(0, 0.43), y: at(1, 0.61) };
}

/** A share by which a passing cloud darkens all. */
export function cloudGain({ seed, appearance }: Place, tick: number): number {
  const phase = uniform(seed, cloudStream, 0) * 100;
  return 1 - Math.max(0, Math.sin(tick / 90 + phase)) * appearance.cloudiness;
}

/** Adds the light round lamps that are not hidden. */
export function drawGlows(brush: Brush, glows: readonly Glow[]): void {
  const { scale, padX, padY } = pictureGrid;
  for (const { u, v, nearness, radiusPx, colour, strength } of glows) {
    const x = u * scale + padX;
    const y = v * scale + padY;
    const at = Math.round(y) * brush.width + Math.round(x);
    if (x >= 0 && x < brush.width && y >= 0 && y < brush.height)
      if ((brush.nearness[at] ?? 0) > nearness * 1.03) continue;
    addLight(brush, x, y, radiusPx * scale, radiusPx * scale, colour, strength);
  }
}

/** Light that falls on the road before a vehicle; x and z in metres. */
export function drawPool(
  brush: Brush,
  x: number,
  z: number,
  reachM: number,
  strength: number,
): void {
  const { scale, padX, padY } = pictureGrid;
  const { u, v, depthM } = project(brush.camera, x, 0, z);
  const near = project(brush.camera, x, 0, z - reachM * 0.4);
  const wide = (reachM * brush.camera.focalPx) / depthM;
  addLight(
    brush,
    u * scale + padX,
    v * scale + padY,
    wide * scale,
    (near.v - v) * scale,
    0xffe6a8,
    strength,
  );
}

function addLight(
  brush: Brush,
  x: number,
  y: number,
  radiusX: number,
  radiusY: number,
  colour: Colour,
  strength: number,
): void {
  const { colours, width, height } = brush;
  const [red, green, blue] = [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
  const bottom = Math.min(height - 1, Math.floor(y + radiusY));
  const end = Math.min(width - 1, Math.floor(x + radiusX));
  for (let row = Math.max(0, Math.ceil(y - radiusY)); row <= bottom; row++)
    for (let column = Math.max(0, Math.ceil(x - radiusX)); column <= end; column++) {
      const square = ((column - x) / radiusX) ** 2 + ((row - y) / radiusY) ** 2;
      if (square >= 1) continue;
      const share = strength * (1 - square) ** 2 * (1 - 0.5 * square);
      const at = row * width + column;
      const under = colours[at] ?? 0;
      const r = Math.min(255, ((under >> 16) & 255) + red * share);
      const g = Math.min(255, ((under >> 8) & 255) + green * share);
      const b = Math.min(255, (under & 255) + blue * share);
      colours[at] = (under & 0xff000000) | (r << 16) | (g << 8) | b;
    }
}

const streaks = 90;

export function drawRain(brush: Brush, { seed, appearance }: Place, tick: number): void {
  const { colours, width, height } = brush;
  const tone = appearance.light === 'night' ? 0x8c94a8 : 0xd6dbe0;
  for (let i = 0; i < streaks; i++) {
    const bits = randomBits(seed, rainStream, tick, i);
    let x = ((bits & 0xffff) / 0xffff) * (width + 20);
    const y = ((bits >>> 16) / 0xffff) * (height + 20) - 20;
    const length = 9 + (bits & 7) * 2;
    for (let step = 0; step < length; step++, x -= 0.22) {
      const row = Math.floor(y) + step;
      const column = Math.floor(x);
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const at = row * width + column;
      colours[at] = average(colours[at] ?? 0, tone);
    }
  }
}

/** Three parts of the first, one of the second. */
function average(three: number, one: number): number {
  return (((three >>> 2) & 0x3f3f3f) * 3 + ((one >>> 2) & 0x3f3f3f)) & 0xffffff;
}
