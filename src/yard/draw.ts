/** From the state of a world to a picture, and to a map of which pixel shows which thing. */
import { createCanvas } from '@napi-rs/canvas';
import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { drawBackdrop } from './backdrop.js';
import {
  paintBall,
  paintDog,
  paintDoor,
  paintGate,
  paintPerson,
  paintShadow,
  paintVanRear,
  paintVanSide,
} from './figures.js';
import type { YardClass } from './labels.js';
import { heightPx, widthPx } from './place.js';
import type { Place } from './place.js';
import { randomBits, RandomStream, uniform } from './random.js';
import { doorId, drivingInTicks, gateId, goingInTicks, sizes, turningTicks } from './world.js';
import type { Person, Van, World } from './world.js';

export const idsWidth = 160;
export const idsHeight = 90;

/** Things with fewer pixels than this in the 160 x 90 map are left out of it. */
const pixelsMin = 6;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One layer of the picture, painted in order of depth. */
interface Shape {
  /** 0: an occluder that is no thing of the yard. */
  readonly id: number;
  readonly class: YardClass | null;
  readonly colour: string | null;
  readonly depth: number;
  readonly paint: (ctx: SKRSContext2D) => void;
  readonly shadow?: { readonly x: number; readonly y: number; readonly width: number };
  /** What is behind the wall shows only through the gateway or the door. */
  readonly opening?: Rectangle;
}

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

function shapesOf(world: World): Shape[] {
  const { place } = world;
  const goingIn = world.persons.find((person) => person.state === 'going in');
  const shapes: Shape[] = [
    gateShape(world),
    doorShape(place, goingIn ? doorShare(goingIn) : 0),
    ...occluders(place),
  ];
  if (world.van) shapes.push(vanShape(world.van, place));
  for (const person of world.persons) shapes.push(personShape(person, place));
  const { dog, ball } = world;
  if (dog) {
    const hue = String(place.hues.dog);
    shapes.push({
      id: dog.id,
      class: 'dog',
      colour: null,
      depth: dog.y,
      shadow: { x: dog.x, y: dog.y, width: sizes.dog.width },
      paint: (ctx) => {
        paintDog(ctx, dog.x, dog.y, {
          fur: `hsl(${hue} 45% 38%)`,
          dark: `hsl(${hue} 45% 20%)`,
          facing: dog.direction,
          running: dog.state === 'chasing' || dog.state === 'carrying',
          sitting: dog.state === 'sitting',
          step: dog.age * 0.9,
        });
      },
    });
  }
  if (ball) {
    shapes.push({
      id: ball.id,
      class: 'ball',
      colour: null,
      depth: ball.carried ? ball.y + 6 : ball.y,
      shadow: { x: ball.x, y: ball.y, width: sizes.ball.width },
      paint: (ctx) => {
        paintBall(ctx, ball.x, ball.y, place.hues.ball, ball.y + ball.x, 1);
      },
    });
  }
  return shapes.sort((a, b) => a.depth - b.depth);
}

function gateShape(world: World): Shape {
  const { gateX, gateWidth, doorX, wallY, hues } = world.place;
  const slide = (doorX > gateX ? -1 : 1) * world.gate.share * gateWidth;
  return {
    id: gateId,
    class: 'gate',
    colour: null,
    depth: wallY,
    paint: (ctx) => {
      paintGate(ctx, gateX - gateWidth / 2 + slide, wallY, gateWidth, hues.gate);
    },
  };
}

function doorShape(place: Place, share: number): Shape {
  const { doorX, doorWidth, wallY, hues } = place;
  return {
    id: doorId,
    class: 'door',
    colour: null,
    depth: wallY,
    paint: (ctx) => {
      paintDoor(ctx, doorX - doorWidth / 2, wallY, doorWidth, hues.door, share);
    },
  };
}

function occluders(place: Place): Shape[] {
  const { postX, bushX, roadBottom, hues } = place;
  return [
    {
      id: 0,
      class: null,
      colour: null,
      depth: roadBottom + 14,
      paint: (ctx) => {
        ctx.fillStyle = '#3c4248';
        ctx.fillRect(postX - 2, 20, 4, roadBottom - 6);
        ctx.fillRect(postX - 4, 16, 8, 6);
      },
    },
    {
      id: 0,
      class: null,
      colour: null,
      depth: heightPx + 30,
      paint: (ctx) => {
        ctx.fillStyle = `hsl(${String(hues.grass)} 35% 22%)`;
        for (const [dx, r] of [
          [-12, 9],
          [0, 13],
          [12, 10],
        ] as const) {
          ctx.beginPath();
          ctx.arc(bushX + dx, heightPx + 2, r, 0, 2 * Math.PI);
          ctx.fill();
        }
      },
    },
  ];
}

function vanShape(van: Van, place: Place): Shape {
  const base = { id: van.id, class: 'van', colour: van.colour } as const;
  const share = van.state === 'driving in' ? van.age / drivingInTicks : 0;
  if (share < 0.12) {
    const turn = van.state === 'turning' ? Math.cos((Math.PI * van.age) / turningTicks) : 1;
    const facing = van.direction * (1 - 3 * share) * turn;
    return {
      ...base,
      depth: van.y,
      shadow: { x: van.x, y: van.y, width: sizes.van.width + 6 },
      paint: (ctx) => {
        paintVanSide(ctx, van.x, van.y, {
          colour: van.colour,
          braking: van.braking || van.state === 'stopped',
          driven: van.x,
          facing,
        });
      },
    };
  }
  // Up through the gateway, then to the side behind the wall.
  const up = Math.min(1, (share - 0.12) / 0.5);
  const aside = Math.max(0, (share - 0.62) / 0.38);
  const x = van.x + van.direction * aside * (place.gateWidth / 2 + 24);
  const y = van.y + (place.wallY - 3 - van.y) * up;
  const left = place.gateX - place.gateWidth / 2;
  return {
    ...base,
    depth: y < place.wallY ? place.wallY - 1 : y,
    shadow: { x, y, width: aside > 0 ? 0 : 48 },
    paint: (ctx) => {
      paintVanRear(ctx, x, y, van.colour, 1 - 0.14 * up);
    },
    ...(aside > 0 && {
      opening: { x: left, y: 0, width: place.gateWidth, height: place.wallY },
    }),
  };
}

/** 0 closed to 1 open, from how far the person is in. */
function doorShare(person: Person): number {
  return Math.min(1, person.age / 6, Math.max(0, (goingInTicks - person.age) / 6));
}

function personShape(person: Person, place: Place): Shape {
  const tone = (name: string): number => uniform(place.seed, name, person.id);
  const inside = person.state === 'going in' ? Math.min(1, Math.max(0, (person.age - 5) / 8)) : 0;
  const x = person.x + (place.doorX - person.x) * inside;
  const y = person.y + (place.wallY - 2 - person.y) * inside;
  const behind = y < place.wallY;
  const away = ['crossing', 'waiting', 'at door', 'going in'].includes(person.state);
  const moving =
    person.state === 'walking' ||
    person.state === 'leaving' ||
    person.state === 'crossing' ||
    (inside > 0 && inside < 1);
  return {
    id: person.id,
    class: 'person',
    colour: null,
    depth: behind ? place.wallY - 1 : y,
    ...(!behind && { shadow: { x, y, width: sizes.person.width } }),
    paint: (ctx) => {
      paintPerson(ctx, x, y, {
        shirt: `hsl(${String(360 * tone('shirt'))} 65% ${String(38 + 20 * tone('shade'))}%)`,
        trousers: `hsl(${String(200 + 60 * tone('trousers'))} 25% ${String(16 + 16 * tone('dark'))}%)`,
        hair: `hsl(30 40% ${String(10 + 25 * tone('hair'))}%)`,
        walked: x + y,
        moving,
        facing: away ? 0 : person.direction,
        scale: 1 - 0.08 * inside,
      });
    },
    ...(behind && {
      opening: {
        x: place.doorX - place.doorWidth / 2,
        y: place.wallY - 50,
        width: place.doorWidth,
        height: 50,
      },
    }),
  };
}
