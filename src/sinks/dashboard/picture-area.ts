/**
 * Where the camera's picture lies in a frame of the models, which has bars where its shape is another. No message tells it,
 * but every object does: its mask is a grid over the frame, its box is in shares of the picture, and both are one thing. Pure.
 */
import type { SceneMessage } from '../../messages.js';
import { maskBounds } from './mask-pixels.js';

/** Of the frame's width and height; what is left over is bars, half on each side. */
export interface PictureArea {
  readonly width: number;
  readonly height: number;
}

export const wholeFrame: PictureArea = { width: 1, height: 1 };

/** Undefined where the objects do not tell: there are too few, or all are in the middle. */
export function pictureArea(objects: SceneMessage['objects']): PictureArea | undefined {
  const across: Pair[] = [];
  const down: Pair[] = [];
  for (const { box, mask } of objects) {
    const bounds = maskBounds(mask);
    if (bounds === undefined) continue;
    const [rows, columns] = mask.size;
    across.push([box.x, bounds.left / columns], [box.x + box.width, bounds.right / columns]);
    down.push([box.y, bounds.top / rows], [box.y + box.height, bounds.bottom / rows]);
  }
  const [width, height] = [shareOf(across), shareOf(down)];
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** A place as a share of the picture, and of the frame. */
type Pair = readonly [ofPicture: number, ofFrame: number];

const spreadMin = 0.05;
const errorMax = 0.02;

/** Least squares of one unknown, since the picture is in the middle. */
function shareOf(pairs: readonly Pair[]): number | undefined {
  // What is cut at the picture's edge does not tell how much was cut.
  const sure = pairs.filter(([u]) => u > 0.001 && u < 0.999);
  const spread = sum(sure.map(([u]) => (u - 0.5) ** 2));
  if (spread < spreadMin) return undefined;
  const share = sum(sure.map(([u, f]) => (u - 0.5) * (f - 0.5))) / spread;
  const error = sum(sure.map(([u, f]) => (f - 0.5 - share * (u - 0.5)) ** 2)) / sure.length;
  if (!(share > 0.1) || Math.sqrt(error) > errorMax) return undefined;
  return share > 0.995 ? 1 : share;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
