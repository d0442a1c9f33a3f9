/** Draws what the engine sees of a picture: masks, names, where things will be in a second. */
import type { SceneMessage } from '../../messages.js';
import type { Surface } from './canvas-size.js';
import { maskBounds, maskCells, smoothMask } from './mask-pixels.js';
import { trackColour } from './theme.js';
import { percent } from './words.js';

export type SeenObject = SceneMessage['objects'][number];

export interface OverlayLook {
  readonly opacity: number;
  readonly hasBoxes: boolean;
  /** Others step back; undefined: none is meant. */
  readonly lit: ReadonlySet<number> | undefined;
  /** Things are drawn where they should be so long after the scene. */
  readonly aheadMs: number;
  readonly hasLabels: boolean;
  readonly hasArrows: boolean;
}

/** A mask as a picture of its own: covers somewhat more than the box, by `margin` of its cells on each side. */
interface Sprite {
  readonly canvas: HTMLCanvasElement;
  readonly columns: number;
  readonly rows: number;
}

const sprites = new WeakMap<SeenObject, { sprite: Sprite | undefined; fine: number }>();
const fineMax = 8;

export function drawOverlay(
  { context, width, height }: Surface,
  objects: readonly SeenObject[],
  look: OverlayLook,
): void {
  for (const object of objects) {
    context.globalAlpha = look.lit !== undefined && !look.lit.has(object.track) ? 0.2 : 1;
    drawMask(context, width, height, object, look);
  }
  const labels: Rectangle[] = [];
  // What moves is named first, where there is room for few names.
  for (const object of objects.toSorted((x, y) => Number(isMoving(y)) - Number(isMoving(x)))) {
    context.globalAlpha = look.lit !== undefined && !look.lit.has(object.track) ? 0.2 : 1;
    if (look.hasArrows) drawArrow(context, width, height, object, look);
    if (look.hasLabels || look.lit?.has(object.track) === true) {
      drawLabel(context, width, height, object, look, labels);
    }
  }
  context.globalAlpha = 1;
}

/** Whether anything in the scene goes anywhere. */
export function hasMotion(objects: readonly SeenObject[]): boolean {
  return objects.some((object) => isMoving(object));
}

function isMoving({ velocity }: SeenObject): boolean {
  return Math.hypot(velocity.x, velocity.y) > 0.012;
}

function cornerOf({ box, velocity }: SeenObject, aheadMs: number): { x: number; y: number } {
  const seconds = Math.hypot(velocity.x, velocity.y) > 0.012 ? aheadMs / 1000 : 0;
  return { x: box.x + velocity.x * seconds, y: box.y + velocity.y * seconds };
}

function drawMask(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  object: SeenObject,
  { opacity, hasBoxes, lit, aheadMs }: OverlayLook,
): void {
  const [r, g, b] = trackColour(object.track);
  const { x, y } = cornerOf(object, aheadMs);
  const [left, top] = [x * width, y * height];
  const [wide, tall] = [object.box.width * width, object.box.height * height];
  const columnPx = (object.box.width * width) / Math.max(1, boundsWidth(object));
  const sprite = spriteOf(object, Math.min(fineMax, Math.max(2, Math.round(columnPx))));
  const isLit = lit?.has(object.track) === true;
  if (sprite !== undefined) {
    // The mask fills its box exactly, whatever bars the models' frame has.
    const [cellWidth, cellHeight] = [wide / sprite.columns, tall / sprite.rows];
    const before = context.globalAlpha;
    context.globalAlpha = before * (isLit ? Math.min(1, opacity + 0.3) : opacity);
    context.drawImage(
      sprite.canvas,
      left - cellWidth,
      top - cellHeight,
      wide + 2 * cellWidth,
      tall + 2 * cellHeight,
    );
    context.globalAlpha = before;
  }
  if (hasBoxes || isLit) {
    context.strokeStyle = `rgb(${r} ${g} ${b})`;
    context.lineWidth = isLit ? 3 : 1.5;
    context.strokeRect(left, top, wide, tall);
  }
}

function boundsWidth({ mask }: SeenObject): number {
  const bounds = maskBounds(mask);
  return bounds === undefined ? 1 : bounds.right - bounds.left;
}

function spriteOf(object: SeenObject, fine: number): Sprite | undefined {
  const known = sprites.get(object);
  if (known !== undefined && known.fine >= fine) return known.sprite;
  const sprite = makeSprite(object, fine);
  sprites.set(object, { sprite, fine });
  return sprite;
}

function makeSprite({ mask, track }: SeenObject, fine: number): Sprite | undefined {
  const bounds = maskBounds(mask);
  if (bounds === undefined) return undefined;
  const [columns, rows] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const { width, height, kinds } = smoothMask(maskCells(mask, bounds), columns, rows, fine);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  const pixels = context.createImageData(width, height);
  const [r, g, b] = trackColour(track);
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] === 0) continue;
    pixels.data.set([r, g, b, kinds[i] === 2 ? 255 : 190], i * 4);
  }
  context.putImageData(pixels, 0, 0);
  return { canvas, columns, rows };
}

function drawArrow(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  object: SeenObject,
  { aheadMs }: OverlayLook,
): void {
  const { box, velocity, track } = object;
  const corner = cornerOf(object, aheadMs);
  const from = [(corner.x + box.width / 2) * width, (corner.y + box.height / 2) * height] as const;
  const [dx, dy] = [velocity.x * width, velocity.y * height];
  const length = Math.hypot(dx, dy);
  if (length < 8) return;
  const [r, g, b] = trackColour(track);
  const tip = [from[0] + dx, from[1] + dy] as const;
  const [ux, uy] = [dx / length, dy / length];
  const path = new Path2D();
  path.moveTo(from[0], from[1]);
  path.lineTo(tip[0] - ux * 6, tip[1] - uy * 6);
  const head = new Path2D();
  head.moveTo(tip[0], tip[1]);
  head.lineTo(tip[0] - ux * 9 - uy * 5, tip[1] - uy * 9 + ux * 5);
  head.lineTo(tip[0] - ux * 9 + uy * 5, tip[1] - uy * 9 - ux * 5);
  head.closePath();
  context.lineCap = 'round';
  context.strokeStyle = 'rgb(0 0 0 / 0.65)';
  context.lineWidth = 4.5;
  context.stroke(path);
  context.lineWidth = 2;
  context.stroke(head);
  context.strokeStyle = `rgb(${r} ${g} ${b})`;
  context.fillStyle = context.strokeStyle;
  context.lineWidth = 2.5;
  context.stroke(path);
  context.fill(head);
}

function drawLabel(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  object: SeenObject,
  { aheadMs }: OverlayLook,
  placed: Rectangle[],
): void {
  const { x, y } = cornerOf(object, aheadMs);
  const [r, g, b] = trackColour(object.track);
  const size = width > 500 ? 13 : 11;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const text = `${object.class} ${percent(object.classProbability)}`;
  const wide = context.measureText(text).width + 8;
  const tall = size + 4;
  const left = Math.min(Math.max(0, x * width), width - wide);
  const [upper, lower] = [y * height, (y + object.box.height) * height];
  const place = [upper - tall - 1, lower + 1, upper + 1, upper - 2 * tall - 2]
    .map((top) => ({ left, top: Math.min(Math.max(0, top), height - tall), wide, tall }))
    .find((candidate) => !placed.some((other) => overlaps(candidate, other)));
  if (place === undefined) return;
  placed.push(place);
  context.fillStyle = 'rgb(8 12 16 / 0.78)';
  context.beginPath();
  context.roundRect(left, place.top, wide, tall, 3);
  context.fill();
  context.fillStyle = `rgb(${r} ${g} ${b})`;
  context.fillText(text, left + 4, place.top + tall / 2 + 0.5);
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly wide: number;
  readonly tall: number;
}

function overlaps(a: Rectangle, b: Rectangle): boolean {
  return (
    a.left < b.left + b.wide &&
    b.left < a.left + a.wide &&
    a.top < b.top + b.tall &&
    b.top < a.top + a.tall
  );
}
