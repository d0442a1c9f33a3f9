/** One scene in the order of its making: pictures, a map of ids for each clip, at last all that is true of it. */
import { Painter } from '../drawing/painter.js';
import type { IdMap, VisibleObject } from '../drawing/painter.js';
import { agreement, effectsOf, isCause } from '../truth/causes.js';
import type { Effect } from '../truth/causes.js';
import { chancesAt } from '../truth/chances.js';
import { isNearEven, isNothingLikeliest } from '../truth/doubt.js';
import { firstEvent, horizonS, horizonTicks, simulateFutures } from '../truth/futures.js';
import { standingById } from '../truth/look.js';
import { yardLabels } from '../world/labels.js';
import { randomBits, stream, uniform } from '../world/random.js';
import { ticksPerSecond } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';
import { zoneAt, zonePolygons } from './ground-zones.js';
import type { ClipLine, EventLine, SceneFile, Totals, WindowLine } from './schema.js';
import { openScene } from './splits.js';
import type { Split } from './splits.js';
import { stateBits } from './state-bits.js';
import { Teller } from './teller.js';

export const framesPerSecond = 8;
export const framesPerClip = 8;
export const horizonMs = horizonS * 1000;
const ticksPerFrame = ticksPerSecond / framesPerSecond;
/** Re-simulated futures of every window, as soft targets. */
export const futuresCount = 8;

const futuresStream = stream('futures of a window');
const chancesStream = stream('chances of a window');
const causesStream = stream('causes of a scene');
const tieStream = stream('what came first');

export interface SceneOptions {
  readonly split: Split;
  readonly seed: number;
  readonly secondsPerScene: number;
  /** How often pBayes is worked out, and from how many futures. */
  readonly bayes: 'none' | { readonly every: number; readonly count: number };
  /** From how many pairs of re-simulations causes are worked out. */
  readonly causes: 'none' | { readonly pairs: number };
}

export interface SceneTruth {
  readonly scene: SceneFile;
  readonly clips: readonly ClipLine[];
  readonly events: readonly EventLine[];
  readonly windows: readonly WindowLine[];
}

export type FilmItem =
  | { readonly kind: 'picture'; readonly pixels: Buffer }
  | { readonly kind: 'ids'; readonly ids: Uint8Array }
  | { readonly kind: 'truth'; readonly truth: SceneTruth };

/** An event between the worlds just before and after it. */
interface Turn {
  readonly event: YardEvent;
  readonly before: World;
  readonly after: World;
}

/** A window before it is known what came next. */
type OpenWindow = Omit<WindowLine, 'next' | 'nextOnsetS' | 'within'>;

export function* filmScene(options: SceneOptions, index: number): Generator<FilmItem> {
  const world = openScene(options.split, options.seed, index);
  const startTick = world.tick;
  const seconds = (tick: number): number => (tick - startTick) / ticksPerSecond;
  const painter = new Painter(world.place);
  const teller = new Teller(world);
  const turns: Turn[] = [];
  const clips: ClipLine[] = [];
  const open: OpenWindow[] = [];

  const step = (): void => {
    const before = options.causes === 'none' ? null : world.clone(world.seed);
    const known = world.events.length;
    world.step();
    teller.note(world);
    if (before === null || world.events.length === known) return;
    const after = world.clone(world.seed);
    for (const event of world.events.slice(known)) turns.push({ event, before, after });
  };

  for (let clip = 0; clip < options.secondsPerScene; clip++) {
    let firstMap: IdMap | undefined;
    for (let frame = 0; frame < framesPerClip; frame++) {
      for (let tick = 0; tick < ticksPerFrame; tick++) step();
      yield { kind: 'picture', pixels: painter.frame(world) };
      firstMap ??= painter.drawIds(world);
    }
    const map = painter.drawIds(world);
    yield { kind: 'ids', ids: map.ids };
    const endS = seconds(world.tick);
    clips.push({ clip, endS, ...clipTruth(world, map, firstMap), ...teller.tellClip(world) });
    open.push({ clip, endS, ...windowTruth(world, options, clip, teller) });
  }

  const endTick = world.tick;
  for (let tick = 0; tick < horizonTicks; tick++) world.step();
  const recorded = world.events.filter((event) => event.tick <= endTick);
  const effects = effectsIn(turns, recorded, options, world.seed);
  const whatIfs = teller.tellCauses(effects ?? []);
  const windows = open.map(({ tasks, ...window }) => {
    const ofClip = recorded.filter((event) => clipOf(seconds(event.tick)) === window.clip);
    return {
      ...window,
      ...whatCame(world, startTick + window.endS * ticksPerSecond, seconds),
      tasks: [...tasks, ...ofClip.flatMap(({ id }) => whatIfs.get(id) ?? [])],
    };
  });
  const events = recorded.map((event) => ({
    id: event.id,
    onsetS: seconds(event.tick),
    label: event.label,
    actor: event.actor,
    target: event.target,
    because: event.because,
    ...(effects && { causes: causesOf(event, effects) }),
  }));
  const { place } = world;
  const scene: SceneFile = {
    scene: index,
    seed: world.seed,
    template: place.template.name,
    light: place.appearance.light,
    rain: place.appearance.rain,
    special: place.special,
    zones: zonePolygons(place),
    totals: totalsOf(clips, recorded, windows, effects),
  };
  yield { kind: 'truth', truth: { scene, clips, events, windows } };
}

/** The clip in whose time an onset lies: a clip's time ends with its last picture. */
function clipOf(onsetS: number): number {
  return Math.ceil(onsetS) - 1;
}

function clipTruth(
  world: World,
  map: IdMap,
  firstMap: IdMap | undefined,
): Pick<ClipLine, 'objects' | 'stateBits'> {
  const firstBoxes = new Map(firstMap?.objects.map(({ id, box }) => [id, box]));
  const standing = standingById(world);
  const objects = map.objects.map((object) => {
    const firstBox = firstBoxes.get(object.id);
    const at = standing.get(object.id);
    const shown = Object.entries(at?.attributes ?? {}).filter(([, value]) => value !== 0);
    return {
      id: object.id,
      class: object.class,
      box: roundedBox(object.box),
      firstBox: firstBox ? roundedBox(firstBox) : null,
      visible: rounded(object.visible, 3),
      attributes: Object.fromEntries(shown.map(([name, value]) => [name, rounded(value, 3)])),
      zone: at ? zoneAt(world.place, at.x, at.z) : null,
    };
  });
  const classes = new Set(map.objects.map((object) => object.class));
  return { objects, stateBits: stateBits(world, classes) };
}

function windowTruth(
  world: World,
  options: SceneOptions,
  clip: number,
  teller: Teller,
): Omit<OpenWindow, 'clip' | 'endS'> {
  const { next, within } = simulateFutures(world, {
    count: futuresCount,
    seed: randomBits(world.seed, futuresStream, world.tick),
    knows: 'seen',
    target: 'both',
  });
  const futures = [...next];
  const chances = chancesOf(world, options, clip);
  const known = chances.bayes ?? futures.map((count) => count / futuresCount);
  return {
    last: world.events.at(-1)?.label ?? 0,
    futures,
    futuresWithin: [...within],
    ...chances,
    ...teller.tellWindow(world, futures, known),
  };
}

function chancesOf(
  world: World,
  { bayes: asked }: SceneOptions,
  clip: number,
): Pick<WindowLine, 'bayes' | 'state' | 'bayesWithin'> {
  if (asked === 'none' || clip % asked.every !== asked.every - 1) return {};
  const seed = randomBits(world.seed, chancesStream, world.tick);
  const { bayes, state, bayesWithin } = chancesAt(world, { count: asked.count, seed });
  const short = (chances: readonly number[]): number[] => chances.map((it) => rounded(it, 6));
  return { bayes: short(bayes), state: short(state), bayesWithin: short(bayesWithin) };
}

/** @param world at least the horizon after `fromTick` */
function whatCame(
  world: World,
  fromTick: number,
  seconds: (tick: number) => number,
): Pick<WindowLine, 'next' | 'nextOnsetS' | 'within'> {
  const first = firstEvent(world.events, fromTick, uniform(world.seed, tieStream, fromTick));
  const later = world.events.filter(
    ({ tick }) => tick > fromTick && tick <= fromTick + horizonTicks,
  );
  return {
    next: first?.label ?? 0,
    nextOnsetS: first ? seconds(first.tick) : null,
    within: [...new Set(later.map((event) => event.label))].sort((a, b) => a - b),
  };
}

/** Null when they are not asked for. */
function effectsIn(
  turns: readonly Turn[],
  events: readonly YardEvent[],
  { causes }: SceneOptions,
  seed: number,
): Effect[] | null {
  if (causes === 'none') return null;
  return turns.flatMap(({ event, before, after }) =>
    effectsOf(before, after, event, events, {
      pairs: causes.pairs,
      seed: randomBits(seed, causesStream, event.id),
    }),
  );
}

function causesOf(event: YardEvent, effects: readonly Effect[]): NonNullable<EventLine['causes']> {
  return effects
    .filter((effect) => effect.effect === event.id && isCause(effect))
    .map(({ cause, difference, stderr }) => ({
      event: cause,
      difference: rounded(difference, 4),
      stderr: rounded(stderr, 4),
    }));
}

function totalsOf(
  clips: readonly ClipLine[],
  events: readonly YardEvent[],
  windows: readonly WindowLine[],
  effects: readonly Effect[] | null,
): Totals {
  const sum = (of: (window: WindowLine, label: number) => number): number[] =>
    yardLabels.map((_, label) => windows.reduce((total, window) => total + of(window, label), 0));
  const judged = windows.flatMap(({ bayes }) => (bayes ? [bayes] : []));
  const { links, causes, both } = agreement(events, effects ?? []);
  return {
    clips: clips.length,
    events: events.length,
    windows: windows.length,
    futures: sum((window, label) => window.futures[label] ?? 0),
    futuresWithin: sum((window, label) => window.futuresWithin[label] ?? 0),
    next: sum((window, label) => Number(window.next === label)),
    judged: judged.length,
    nothingLikeliest: judged.filter(isNothingLikeliest).length,
    nearEven: judged.filter(isNearEven).length,
    links,
    linksThatCause: both,
    causes,
  };
}

function roundedBox(box: VisibleObject['box']): VisibleObject['box'] {
  const [x, y, width, height] = box;
  return [rounded(x, 5), rounded(y, 5), rounded(width, 5), rounded(height, 5)];
}

function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
