/** From the state of a world to the layers of its picture. */
import type { SKRSContext2D } from '@napi-rs/canvas';
import {
  paintBall,
  paintDog,
  paintDoor,
  paintGate,
  paintPerson,
  paintVanRear,
  paintVanSide,
} from './figures.js';
import type { YardClass } from './labels.js';
import { heightPx } from './place.js';
import type { Place } from './place.js';
import { uniform } from './random.js';
import { doorId, drivingInTicks, gateId, goingInTicks, sizes, turningTicks } from './things.js';
import type { Person, Van } from './things.js';
import type { World } from './world.js';

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One layer of the picture, painted in order of depth. */
export interface Shape {
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

/** Everything that moves or hides something, the farthest first. */
export function shapesOf(world: World): Shape[] {
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
