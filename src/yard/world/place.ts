/** What never changes at one camera: where things stand, how it looks, and how often things come. */
import { groundRange } from './camera.js';
import type { Camera } from './camera.js';
import { RandomStream } from './random.js';
import { rules } from './rules.js';
import type { Rules } from './rules.js';
import { modules, trainTemplates } from './templates.js';
import type { Module, Template } from './templates.js';

/** Ground lines, in metres from the camera: lawn, near pavement, road, apron, then the building. */
export const zones = {
  lawnFrom: 5,
  pavementFrom: 8,
  roadFrom: 9.2,
  bicycleLane: 9.85,
  vehicleLane: 11.1,
  apronFrom: 12.3,
  /** Where forklifts drive. */
  forkliftLane: 13.6,
  front: 15,
  wallHeight: 3.7,
} as const;

export type Light = 'day' | 'dusk' | 'night';

/** How a place looks; nothing here changes what happens, but for rain, on which bicycles slip. */
export interface Appearance {
  readonly light: Light;
  readonly rain: boolean;
  /** 0 (warm) to 1 (cold). */
  readonly tint: number;
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number;
  /** How far the camera shakes, in pixels. */
  readonly shakePx: number;
  /** Metres that a shadow falls to the right (negative: left) of what is 1 m high; none at night. */
  readonly shadow: number;
  readonly cloudiness: number;
  /** 0 to 360. */
  readonly hues: {
    readonly wall: number;
    readonly gate: number;
    readonly door: number;
    readonly dock: number;
    readonly grass: number;
    readonly ball: number;
    readonly road: number;
  };
  /** Lightness of the road in %. */
  readonly roadGrey: number;
  /** Which of the wall's textures: 0 bricks, 1 panels, 2 plaster; 3 (stripes) only in held-out appearances. */
  readonly wallTexture: number;
}

/** Arrivals a second, while there is room for one. 0: never. */
export interface Rates {
  readonly knownVan: number;
  readonly plainVan: number;
  readonly parcelVan: number;
  readonly car: number;
  readonly bicycle: number;
  readonly person: number;
  readonly owner: number;
  readonly child: number;
  readonly comesOut: number;
  readonly forklift: number;
}

export interface Place {
  readonly seed: number;
  readonly template: Template;
  /** Which of the rules are at work: those of the template. */
  readonly on: Readonly<Record<Module, boolean>>;
  readonly camera: Camera;
  readonly appearance: Appearance;
  /** Which way the road runs: 1 to the right of the picture, -1 to the left. Vehicles meet the crossing first, then the gate. */
  readonly direction: 1 | -1;
  readonly gateX: number;
  readonly gateWidth: number;
  readonly doorX: number;
  readonly dockX: number;
  readonly dockWidth: number;
  readonly stackX: number;
  /** Where people cross the road: a little to one side of the door. */
  readonly crossX: number;
  /** Where a van stops to deliver. */
  readonly kerbX: number;
  /** Where children play. */
  readonly playX: number;
  readonly rates: Rates;
  readonly rules: Rules;
  /** Rules that training knows from text alone are at work here (see special-rules.ts). */
  readonly special: boolean;
  /** Visible x at each depth that rules ask for. */
  readonly range: {
    readonly vehicle: readonly [number, number];
    readonly bicycle: readonly [number, number];
    readonly pavement: readonly [number, number];
    readonly lawn: readonly [number, number];
    readonly apron: readonly [number, number];
  };
}

export const pavementZ = (zones.pavementFrom + zones.roadFrom) / 2;
export const farPavementZ = 12.5;
export const lawnZ = 7.2;

export interface PlaceOptions {
  /** By default one of the training templates, drawn by seed. */
  readonly template?: Template;
  /** Poses, weather and colours that training never sees. */
  readonly newAppearance?: boolean;
  readonly special?: boolean;
}

/** Draws a place; equal seeds and options give equal places. */
export function makePlace(seed: number, options: PlaceOptions = {}): Place {
  const random = new RandomStream(seed, 'place');
  const template = options.template ?? random.pick([...trainTemplates]);
  const direction = random.chance(0.5) ? 1 : -1;
  // Written for a road that runs to the left, and mirrored where it runs to the right.
  const at = (low: number, high: number): number => -direction * random.between(low, high);
  const gateX = at(-4.9, -4.5);
  const doorX = at(1.5, 1.9);
  const dockX = at(5.2, 5.6);
  const stackX = at(-1.8, -1.4);
  const camera = drawCamera(random, options.newAppearance === true);
  const range = {
    vehicle: groundRange(camera, zones.vehicleLane),
    bicycle: groundRange(camera, zones.bicycleLane),
    pavement: groundRange(camera, pavementZ),
    lawn: groundRange(camera, lawnZ),
    apron: groundRange(camera, farPavementZ),
  };
  return {
    seed,
    template,
    on: Object.fromEntries(modules.map((it) => [it, template.modules.includes(it)])) as Place['on'],
    camera,
    appearance: drawAppearance(
      new RandomStream(seed, 'appearance'),
      options.newAppearance === true,
    ),
    direction,
    gateX,
    gateWidth: random.between(3.3, 3.7),
    doorX,
    dockX,
    dockWidth: random.between(2.9, 3.2),
    stackX,
    crossX: doorX + direction * 0.6,
    kerbX: doorX + direction * 3.9,
    playX: random.between(-2.2, 2.2),
    rates: ratesOf(template),
    rules,
    special: options.special === true,
    range,
  };
}

/** Poses of training keep within a band; new ones lie outside it in height or pan. */
function drawCamera(random: RandomStream, isNew: boolean): Camera {
  const side = random.chance(0.5) ? 1 : -1;
  const heightM = isNew ? random.between(5.6, 6.2) : random.between(4.2, 5.2);
  const pan = side * (isNew ? random.between(0.13, 0.18) : random.between(0, 0.09));
  // From higher up it looks down more steeply, so that the same ground is in the picture.
  const tilt = 0.385 + (heightM - 4.6) * 0.062 + random.between(-0.012, 0.012);
  return {
    // Turned to one side it stands on the other.
    xM: -pan * 11.5 + random.between(-0.35, 0.35),
    heightM,
    pan,
    tilt,
    focalPx: random.between(226, 240) + (heightM - 4.6) * 9,
  };
}

function drawAppearance(random: RandomStream, isNew: boolean): Appearance {
  const lights: Light[] = ['day', 'day', 'day', 'dusk', 'night'];
  const light = random.pick(lights as [Light, ...Light[]]);
  const hue = (low: number, high: number): number => random.between(low, high);
  return {
    light,
    rain: random.chance(isNew ? 0.5 : 0.2),
    tint: random.uniform(),
    noise: isNew ? random.between(5, 7) : random.between(1.5, 5),
    shakePx: random.chance(0.3) ? random.between(0.3, isNew ? 1.6 : 1) : 0,
    shadow: random.between(-0.8, 0.8),
    cloudiness: random.between(0, 0.3),
    hues: {
      wall: isNew ? hue(180, 260) : hue(15, 60),
      gate: isNew ? random.pick([0, 55, 300]) : random.pick([100, 150, 205]),
      door: isNew ? random.pick([60, 320]) : random.pick([120, 20, 275]),
      dock: isNew ? random.pick([90, 340]) : random.pick([210, 40, 160]),
      grass: isNew ? hue(50, 65) : hue(78, 115),
      ball: isNew ? random.pick([190, 285]) : random.pick([20, 50, 325]),
      road: hue(200, 240),
    },
    roadGrey: isNew ? random.between(54, 62) : random.between(36, 50),
    wallTexture: isNew ? 3 : Math.floor(random.uniform() * 3),
  };
}

/**
 * Equal in all places of one template, and the template can be seen (its fixed things and signs are drawn), so that nobody who
 * sees the picture lacks what pBayes knows.
 */
function ratesOf(template: Template): Rates {
  const has = (...some: readonly Module[]): boolean =>
    some.some((name) => template.modules.includes(name));
  const rate = (perSecond: number, on: boolean): number => (on ? perSecond : 0);
  return {
    knownVan: rate(0.035, has('gate')),
    plainVan: rate(0.04, has('gate')),
    parcelVan: rate(0.055, has('parcel')),
    car: rate(0.045, has('light', 'lawn', 'bicycle')),
    bicycle: rate(0.08, has('bicycle')),
    person: rate(has('light') ? 0.06 : 0.03, true),
    owner: rate(0.035, has('lawn')),
    child: rate(0.1, has('lawn')),
    comesOut: rate(has('parcel', 'dock') ? 0.04 : 0.025, true),
    forklift: rate(0.14, has('dock')),
  };
}
