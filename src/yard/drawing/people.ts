/** Grown-ups, children and riders: limbs in metres, so that they turn and swing as they walk. */
import type { Child, Person } from '../world/things.js';
import { doorId } from '../world/things.js';
import type { Place } from '../world/place.js';
import { zones } from '../world/place.js';
import type { Colour } from './colour.js';
import { pickColour, scaled } from './colour.js';
import { Frame } from './pen.js';
import type { Pen } from './pen.js';
import type { Vector } from './lighting.js';

const coats = [0x2f6db3, 0x3d8a56, 0xe0dccb, 0x7a4fa0, 0x2aa6a6, 0x4b5563, 0xd98cb0] as const;
const trousers = [0x2b3140, 0x4a4038, 0x24303a, 0x5a5f68] as const;
const hairs = [0x2a1c12, 0x5b3a1e, 0xc99a4a, 0x8a3a1a] as const;
const skins = [0xe3b48f, 0xb9835c, 0x7d5235] as const;

interface Figure {
  readonly coat: Colour;
  readonly legs: Colour;
  readonly hair: Colour;
  readonly skin: Colour;
  /** 1: a grown-up of 1.95 m. */
  readonly scale: number;
  /** Radians of its stride; null: it stands. */
  readonly stride: number | null;
  /** Its arms: at its side, held out before it, or raised. */
  readonly arms: 'swing' | 'hold' | 'raise';
  readonly runs: boolean;
  /** Its coat reaches to the knees. */
  readonly longCoat?: boolean;
  readonly cap?: Colour;
  readonly vest?: boolean;
  readonly umbrella?: boolean;
}

/** Where a person faces: 0 to the right, a quarter turn away from the camera. */
export function personAngle(person: Person, place: Place): number {
  const along = person.direction === 1 ? 0 : Math.PI;
  const away = Math.PI / 2;
  switch (person.state) {
    case 'walking':
    case 'gone':
      return along;
    case 'to kerb':
    case 'waiting':
    case 'crossing':
    case 'at door':
    case 'going in':
    case 'handing over':
      return away;
    case 'on apron':
      return Math.atan2(zones.front - person.z, place.doorX - person.x);
    case 'back to van':
      return -away;
    case 'yielding':
      return person.resumes === 'on apron' ? away : -away;
    case 'leaving':
      return person.z > zones.apronFrom + 0.25 ? -away : along;
  }
}

const standing = new Set<Person['state']>(['waiting', 'at door', 'handing over', 'yielding']);

export function drawPerson(pen: Pen, person: Person, place: Place): void {
  const frame = new Frame(person.x, person.z, personAngle(person, place));
  drawFigure(pen, frame, {
    ...clothes(person),
    scale: 1,
    stride: standing.has(person.state) ? null : (person.x + person.z) * 4.2,
    arms: person.carrying ? 'hold' : 'swing',
    runs: false,
  });
}

function clothes({
  role,
  paint,
  special,
}: Person): Pick<Figure, 'coat' | 'legs' | 'hair' | 'skin'> & Partial<Figure> {
  const look = {
    legs: pickColour(trousers, (paint * 7.3) % 1),
    hair: pickColour(hairs, (paint * 5.1) % 1),
    skin: pickColour(skins, (paint * 3.7) % 1),
  };
  const extra = special && role === 'walker' ? { vest: true, umbrella: true } : {};
  if (role === 'owner') return { ...look, ...extra, coat: 0xe0202a, longCoat: true };
  if (role === 'driver')
    return { ...look, ...extra, coat: 0x744a26, legs: 0x4d3119, cap: 0x5a3718 };
  return { ...look, ...extra, coat: pickColour(coats, paint) };
}

/** Whoever opens the door from inside. */
export function drawResident(pen: Pen, place: Place, holdsParcel: boolean): void {
  drawFigure(pen, new Frame(place.doorX + 0.12, zones.front + 0.2, -Math.PI / 2), {
    ...{ coat: 0xd9c27a, legs: 0x3a4660, hair: 0x6a6a6a, skin: skins[doorId % 2] ?? skins[0] },
    ...{ scale: 0.96, stride: null, arms: holdsParcel ? 'hold' : 'raise', runs: false },
  });
}

export function drawChild(pen: Pen, child: Child, hasBall: boolean): void {
  const { state, direction } = child;
  const along = direction === 1 ? 0 : Math.PI;
  const runs = state === 'fetching' || state === 'returning';
  const angle =
    state === 'coming' || state === 'leaving'
      ? along
      : state === 'playing' || state === 'watching' || state === 'fetching'
        ? Math.PI / 2 - 0.35
        : -Math.PI / 2 + 0.35;
  drawFigure(pen, new Frame(child.x, child.z, angle), {
    coat: pickColour([0xff8a1e, 0xff4fa0, 0x37c0f0, 0x8ee03a], child.paint),
    legs: pickColour([0x2c4fc0, 0xc02c60, 0x5a2ca0], (child.paint * 3.3) % 1),
    hair: pickColour(hairs, (child.paint * 5.1) % 1),
    skin: skins[0],
    scale: 0.67,
    stride: state === 'playing' || state === 'watching' ? null : (child.x + child.z) * 6.5,
    arms: hasBall ? 'hold' : state === 'watching' ? 'raise' : 'swing',
    runs,
  });
}

function drawFigure(pen: Pen, frame: Frame, figure: Figure): void {
  const { scale, coat, legs, skin, hair } = figure;
  const at = (ahead: number, up: number, left: number): Vector =>
    frame.at(ahead * scale, up * scale, left * scale);
  const limb = (from: Vector, to: Vector, radius: number, colour: Colour, end = radius): void => {
    pen.limb(from, to, radius * scale, colour, end * scale);
    pen.raise(0.4);
  };
  const swing = figure.stride === null ? 0 : Math.sin(figure.stride);
  const step = (figure.runs ? 0.46 : 0.34) * swing;
  const bob = figure.stride === null ? 0 : 0.03 * Math.cos(2 * figure.stride);
  // The farther leg and arm first, darker, so that a stride can be read.
  for (const side of [1, -1] as const) {
    const ahead = side * step;
    const tone = side === 1 ? scaled(legs, 0.72) : legs;
    const lift = figure.runs ? Math.max(0, -ahead) * 0.5 : Math.max(0, -ahead) * 0.15;
    limb(
      at(0, 0.92 + bob, side * 0.11),
      at(ahead * 0.62 + 0.05, 0.5 + lift * 0.5, side * 0.11),
      0.125,
      tone,
      0.105,
    );
    limb(
      at(ahead * 0.62 + 0.05, 0.5 + lift * 0.5, side * 0.11),
      at(ahead, 0.1 + lift, side * 0.11),
      0.1,
      tone,
      0.085,
    );
    limb(
      at(ahead, 0.07 + lift, side * 0.11),
      at(ahead + 0.14, 0.06 + lift, side * 0.11),
      0.07,
      0x1c1a1a,
    );
  }
  const hem = figure.longCoat === true ? 0.66 : 0.9;
  drawArm(1, 0.74);
  limb(
    at(0, hem + 0.12 + bob, 0),
    at(0.02, 1.36 + bob, 0),
    figure.longCoat === true ? 0.25 : 0.2,
    coat,
    0.235,
  );
  if (figure.vest === true) {
    limb(at(0.01, 1.02 + bob, -0.02), at(0.02, 1.34 + bob, -0.02), 0.23, 0xeaff1e, 0.25);
    limb(at(-0.24, 1.14 + bob, -0.2), at(0.24, 1.14 + bob, -0.2), 0.045, 0xf4f6f6);
  } else {
    // Light from one side.
    limb(at(-0.04, 0.96 + bob, -0.1), at(-0.02, 1.34 + bob, -0.1), 0.1, scaled(coat, 1.15), 0.12);
  }
  drawArm(-1, 1);
  limb(at(0.01, 1.5 + bob, 0), at(0.03, 1.58 + bob, 0), 0.09, scaled(skin, 0.85));
  drawHead();
  if (figure.umbrella === true) drawUmbrella(pen, frame, scale);

  function drawArm(side: 1 | -1, shade: number): void {
    const tone = scaled(coat, shade * 0.88);
    const shoulder = at(0.02, 1.42 + bob, side * 0.24);
    const swung = -side * step * 0.8;
    const [elbow, hand] =
      figure.arms === 'hold'
        ? [at(0.12, 1.14 + bob, side * 0.27), at(0.38, 1.12 + bob, side * 0.2)]
        : figure.arms === 'raise'
          ? [at(0.2, 1.3 + bob, side * 0.32), at(0.36, 1.56 + bob, side * 0.3)]
          : [at(swung * 0.45, 1.14 + bob, side * 0.28), at(swung + 0.08, 0.9 + bob, side * 0.27)];
    limb(shoulder, elbow, 0.085, tone, 0.075);
    limb(elbow, hand, 0.072, tone, 0.06);
    pen.ball(hand, 0.07 * scale, skin);
    pen.raise(0.4);
  }

  function drawHead(): void {
    const top = figure.cap ?? hair;
    pen.ball(at(-0.02, 1.76 + bob, 0), 0.195 * scale, top);
    pen.raise(0.4);
    // The face lies ahead of the hair: from behind one sees it not at all.
    pen.ball(at(0.085, 1.71 + bob, 0), 0.15 * scale, skin);
    pen.raise(0.4);
    if (figure.cap === undefined) limb(at(-0.06, 1.86 + bob, 0), at(0.07, 1.87 + bob, 0), 0.1, top);
    else limb(at(-0.1, 1.87 + bob, 0), at(0.26, 1.84 + bob, 0), 0.085, top, 0.04);
  }
}

function drawUmbrella(pen: Pen, frame: Frame, scale: number): void {
  const at = (ahead: number, up: number, left: number): Vector =>
    frame.at(ahead * scale, up * scale, left * scale);
  pen.limb(at(0.3, 1.1, -0.2), at(0.2, 2.35, -0.1), 0.025, 0x222222);
  const count = 8;
  for (let i = 0; i < count; i++) {
    const rim = (k: number): Vector => {
      const turn = (k / count) * 2 * Math.PI;
      return at(0.2 + 0.72 * Math.cos(turn), 2.1, -0.1 + 0.72 * Math.sin(turn));
    };
    pen.sheet([at(0.2, 2.42, -0.1), rim(i), rim(i + 1)], i % 2 ? 0xf2f2f2 : 0x8a1fd0);
  }
}
