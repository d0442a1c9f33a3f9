/** From the state of a world to a picture, and to a map of which pixel shows which thing. */
import { createCanvas } from '@napi-rs/canvas';
import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { drawBackdrop } from './backdrop.js';
import { paintShadow } from './figures.js';
import type { YardClass } from './labels.js';
import { heightPx, widthPx } from './place.js';
import type { Place } from './place.js';
import { randomBits, RandomStream, uniform } from './random.js';
import { shapesOf } from './shapes.js';
import type { Rectangle, Shape } from './shapes.js';
import type { World } from './world.js';

export const idsWidth = 160;
export const idsHeight = 90;

/** Things with fewer pixels than this in the 160 x 90 map are left out of it. */
const pixelsMin = 6;

export interface VisibleObject {
  readonly id: number;
  readonly class: YardClass;
  /** What a van is painted; null for all others. */
  readonly colour: string | null;
  /** Of its visible pixels: x, y, width, height as shares of the picture. */
  readonly box: readonly [number, number, number, number];
  /** Share of its pixels that is neither hidden nor out of the picture. */
  readonly visible: number;
}

export interface IdMap {
  /** 90 rows of 160: index into `objects` + 1, 0 for background. */
  readonly ids: Uint8Array;
  readonly objects: readonly VisibleObject[];
}

const noiseLength = 1 << 18;
let noiseTable: Int8Array | undefined;

/** Roughly normal, standard deviation 16. */
function noise(): Int8Array {
  if (noiseTable) return noiseTable;
  const random = new RandomStream(1, 'noise');
  noiseTable = new Int8Array(noiseLength);
  for (let i = 0; i < noiseLength; i++)
    noiseTable[i] = Math.round(
      (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * 27.7,
    );
  return noiseTable;
}

export class Painter {
  private readonly place: Place;
  private readonly backdrop: Canvas;
  private readonly canvas = createCanvas(widthPx, heightPx);
  private readonly padX = 44;
  private readonly padY = 12;
  private readonly scratch: Canvas;
  private readonly noise: Int8Array;

  constructor(place: Place) {
    this.place = place;
    this.backdrop = drawBackdrop(place);
    this.scratch = createCanvas(idsWidth + 2 * this.padX, idsHeight + 2 * this.padY);
    this.noise = noise().map((value) => Math.round((value * place.noise) / 16));
  }

  /** The picture at this tick: rgba, 320 x 180. */
  frame(world: World): Buffer {
    const { place } = this;
    const ctx = this.canvas.getContext('2d');
    ctx.drawImage(this.backdrop, 0, 0);
    const shapes = shapesOf(world);
    for (const { shadow } of shapes)
      if (shadow) paintShadow(ctx, shadow.x, shadow.y, shadow.width, place.shadowPx);
    for (const shape of shapes) {
      if (!shape.opening) {
        shape.paint(ctx);
        continue;
      }
      const { x, y, width, height } = shape.opening;
      ctx.save();
      ctx.beginPath();
      ctx.rect(x, y, width, height);
      ctx.clip();
      shape.paint(ctx);
      ctx.restore();
    }
    this.addLight(ctx, world.tick);
    const pixels = Buffer.from(this.canvas.data());
    this.addNoise(pixels, world.tick);
    return pixels;
  }

  private addLight(ctx: SKRSContext2D, tick: number): void {
    const { light, tint, cloudiness, seed } = this.place;
    const phase = uniform(seed, 'cloud', 0) * 100;
    const cloud = Math.max(0, Math.sin(tick / 90 + phase)) * cloudiness;
    const level = Math.min(1, light) * (1 - cloud);
    const channel = (share: number): string => String(Math.round(255 * Math.min(1, level * share)));
    ctx.globalCompositeOperation = 'multiply';
    ctx.fillStyle = `rgb(${channel(1.04 - 0.12 * tint)}, ${channel(1)}, ${channel(0.9 + 0.14 * tint)})`;
    ctx.fillRect(0, 0, widthPx, heightPx);
    ctx.globalCompositeOperation = 'source-over';
  }

  private addNoise(pixels: Buffer, tick: number): void {
    const table = this.noise;
    const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
    let at = randomBits(this.place.seed, 'noise', tick) & (noiseLength - 1);
    // Every frame passes here, so three plain additions are written out.
    for (let i = 0; i < bytes.length; i += 4) {
      const grey = table[at] ?? 0;
      at = (at + 1) & (noiseLength - 1);
      bytes[i] = (bytes[i] ?? 0) + grey;
      bytes[i + 1] = (bytes[i + 1] ?? 0) + grey;
      bytes[i + 2] = (bytes[i + 2] ?? 0) + grey;
    }
  }

  /** Which pixel shows which thing, at half size, from the same shapes as the picture. */
  drawIds(world: World): IdMap {
    const shapes = shapesOf(world);
    const owner = new Int16Array(idsWidth * idsHeight).fill(-1);
    const full = shapes.map((shape, index) => this.fillOwner(owner, shape, index));
    const objects: VisibleObject[] = [];
    const indexOf = new Map<number, number>();
    shapes.forEach((shape, index) => {
      if (!shape.class) return;
      const seen = boxOf(owner, index);
      if (seen.count < pixelsMin) return;
      objects.push({
        id: shape.id,
        class: shape.class,
        colour: shape.colour,
        box: seen.box,
        visible: Math.min(1, seen.count / Math.max(1, full[index] ?? 1)),
      });
      indexOf.set(index, objects.length);
    });
    return { ids: Uint8Array.from(owner, (index) => indexOf.get(index) ?? 0), objects };
  }

  /** Marks the pixels of a shape as its own; returns how many it would have if nothing hid it. */
  private fillOwner(owner: Int16Array, shape: Shape, index: number): number {
    const { padX, padY } = this;
    const { width, height } = this.scratch;
    const ctx = this.scratch.getContext('2d');
    ctx.clearRect(0, 0, width, height);
    ctx.save();
    ctx.translate(padX, padY);
    ctx.scale(idsWidth / widthPx, idsHeight / heightPx);
    shape.paint(ctx);
    ctx.restore();
    const pixels = this.scratch.data();
    const opening = shape.opening;
    let count = 0;
    for (let alpha = 3; alpha < pixels.length; alpha += 4) {
      if ((pixels[alpha] ?? 0) < 128) continue;
      count++;
      const x = ((alpha >> 2) % width) - padX;
      const y = Math.floor((alpha >> 2) / width) - padY;
      if (x < 0 || y < 0 || x >= idsWidth || y >= idsHeight) continue;
      if (opening && !contains(opening, 2 * x + 1, 2 * y + 1)) continue;
      owner[y * idsWidth + x] = index;
    }
    return count;
  }
}

function contains(area: Rectangle, x: number, y: number): boolean {
  return x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height;
}

function boxOf(owner: Int16Array, index: number): { count: number; box: VisibleObject['box'] } {
  let left = idsWidth;
  let top = idsHeight;
  let right = -1;
  let bottom = -1;
  let count = 0;
  for (let at = 0; at < owner.length; at++) {
    if (owner[at] !== index) continue;
    count++;
    const x = at % idsWidth;
    const y = (at - x) / idsWidth;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return {
    count,
    box: [
      left / idsWidth,
      top / idsHeight,
      (right - left + 1) / idsWidth,
      (bottom - top + 1) / idsHeight,
    ],
  };
}
