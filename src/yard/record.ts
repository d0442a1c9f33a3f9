/** Writes the data that training reads; the format is docs/yard-data.md. */
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LookaheadError } from '../errors.js';
import { Painter } from './draw.js';
import type { VisibleObject } from './draw.js';
import { encodeH264 } from './encode.js';
import { warmUpTicks } from './film.js';
import { firstEvent, futures } from './futures.js';
import { yardClasses, yardLabels } from './labels.js';
import { heightPx, widthPx } from './place.js';
import { randomBits, RandomStream, uniform } from './random.js';
import { describe, reason, texts } from './text.js';
import { ticksPerSecond } from './things.js';
import { World } from './world.js';

export const splits = ['train', 'validation', 'test'] as const;
export type Split = (typeof splits)[number];

export const framesPerSecond = 8;
export const framesPerClip = 8;
export const horizonMs = 4000;
const ticksPerFrame = ticksPerSecond / framesPerSecond;
const clipsPerWindow = 8;
const futuresCount = 8;
const bayesCount = 256;
/** Scenes of one split never share a seed with another split's, whatever the seeds. */
const scenesMax = 100_000;

export interface RecordOptions {
  readonly split: Split;
  readonly scenes: number;
  readonly seconds: number;
  readonly seed: number;
  readonly outDir: string;
  readonly ffmpegPath: string;
  /** Lines of texts.jsonl, by default 20,000. */
  readonly texts?: number;
  readonly onProgress?: (done: number, scenes: number) => void;
}

export interface ObjectTruth extends VisibleObject {
  readonly firstBox: VisibleObject['box'] | null;
}

export interface ClipTruth {
  readonly index: number;
  readonly objects: readonly ObjectTruth[];
  readonly description: string;
  readonly stateBits: Readonly<Record<string, boolean>>;
}

export interface WindowTruth {
  readonly clip: number;
  readonly endS: number;
  readonly next: number;
  readonly nextOnsetS: number | null;
  readonly futures: readonly number[];
  readonly bayes?: readonly number[];
  readonly reasons: readonly { readonly label: number; readonly text: string }[];
}

export interface SceneTruth {
  readonly seed: number;
  readonly frames: number;
  readonly events: readonly {
    readonly label: number;
    readonly onsetS: number;
    readonly actors: readonly number[];
    readonly target: number | null;
  }[];
  readonly clips: readonly ClipTruth[];
  readonly windows: readonly WindowTruth[];
}

/** The world's seed of one scene. */
export function sceneSeed(split: Split, seed: number, scene: number): number {
  return (seed * splits.length + splits.indexOf(split)) * scenesMax + scene;
}

/**
 * Writes `scenes` scenes of `seconds` whole seconds; scenes that are already there are kept, so an interrupted run is
 * taken up where it ended.
 * @throws LookaheadError ffmpeg_missing, ffmpeg_failed, usage
 */
export async function recordYard(options: RecordOptions): Promise<void> {
  const { scenes, seconds, outDir, split, seed } = options;
  if (!Number.isInteger(seconds) || seconds < 2 || !(scenes > 0) || scenes > scenesMax)
    throw new LookaheadError(
      'usage',
      `Cannot record ${String(scenes)} scenes of ${String(seconds)} seconds.`,
      `Ask for 1 to ${String(scenesMax)} scenes of at least 2 whole seconds.`,
    );
  await mkdir(outDir, { recursive: true });
  const totals = yardLabels.map(() => 0);
  for (let scene = 0; scene < scenes; scene++) {
    const folder = join(outDir, `scene-${String(scene).padStart(5, '0')}`);
    const truth = (await exists(folder))
      ? (JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')) as SceneTruth)
      : await recordScene(options, scene, folder);
    if (truth.seed !== sceneSeed(split, seed, scene) || truth.frames !== seconds * framesPerSecond)
      throw new LookaheadError(
        'usage',
        `${folder} holds a scene of another recording.`,
        'Record into an empty folder, or with the same split, seed and seconds as before.',
      );
    for (const window of truth.windows)
      window.futures.forEach((count, label) => (totals[label] = (totals[label] ?? 0) + count));
    options.onProgress?.(scene + 1, scenes);
  }
  const makeWorld = (index: number): World =>
    new World(sceneSeed(split, seed, scenesMax - 1 - index));
  const lines = [...texts(makeWorld, options.texts ?? 20_000)].map((text) =>
    JSON.stringify({ text }),
  );
  await writeFile(join(outDir, 'texts.jsonl'), lines.join('\n') + '\n');
  const sum = totals.reduce((a, b) => a + b, 0);
  const dataset = {
    schema: 'lookahead.yard.v1',
    split,
    seed,
    scenes,
    secondsPerScene: seconds,
    framesPerSecond,
    framesPerClip,
    widthPx,
    heightPx,
    horizonMs,
    classes: yardClasses,
    labels: yardLabels.map((label, index) => ({
      ...label,
      baseRate: (totals[index] ?? 0) / Math.max(1, sum),
    })),
  };
  // Last, so that a folder with dataset.json is a whole data set.
  await writeFile(join(outDir, 'dataset.json'), JSON.stringify(dataset, null, 1) + '\n');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function recordScene(
  options: RecordOptions,
  scene: number,
  folder: string,
): Promise<SceneTruth> {
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const encoder = encodeH264(options.ffmpegPath, join(partial, 'video.h264'), framesPerSecond);
  const film = filmScene(sceneSeed(options.split, options.seed, scene), options);
  const ids: Uint8Array[] = [];
  let truth: SceneTruth | undefined;
  try {
    for (const item of film) {
      if (item.kind === 'picture') await encoder.write(item.pixels);
      else if (item.kind === 'ids') ids.push(item.ids);
      else truth = item.truth;
    }
  } finally {
    await encoder.end();
  }
  if (!truth) throw new Error('filmScene ends with the truth.');
  await writeFile(join(partial, 'ids.u8.gz'), gzipSync(Buffer.concat(ids)));
  await writeFile(join(partial, 'truth.json'), JSON.stringify(truth));
  await rename(partial, folder);
  return truth;
}

type FilmItem =
  | { readonly kind: 'picture'; readonly pixels: Buffer }
  | { readonly kind: 'ids'; readonly ids: Uint8Array }
  | { readonly kind: 'truth'; readonly truth: SceneTruth };

/** Everything about one scene in the order of its making: pictures, an id map a clip, at last the truth. */
export function* filmScene(
  seed: number,
  options: { readonly split: Split; readonly seconds: number },
): Generator<FilmItem> {
  const world = new World(seed);
  const painter = new Painter(world.place);
  const colours = new Map<number, string>();
  const step = (): void => {
    world.step();
    if (world.van) colours.set(world.van.id, world.van.colour);
  };
  for (let i = 0; i < warmUpTicks; i++) step();
  const startTick = world.tick;
  const seconds = (tick: number): number => (tick - startTick) / ticksPerSecond;
  const random = new RandomStream(seed, 'words');
  const frames = options.seconds * framesPerSecond;
  const clips: ClipTruth[] = [];
  const windows: Omit<WindowTruth, 'next' | 'nextOnsetS'>[] = [];
  let firstBoxes = new Map<number, VisibleObject['box']>();

  for (let frame = 0; frame < frames; frame++) {
    if (frame > 0) for (let i = 0; i < ticksPerFrame; i++) step();
    yield { kind: 'picture', pixels: painter.frame(world) };
    if (frame % framesPerClip === 0)
      firstBoxes = new Map(painter.drawIds(world).objects.map(({ id, box }) => [id, box]));
    if (frame % framesPerClip !== framesPerClip - 1) continue;
    const index = (frame + 1) / framesPerClip - 1;
    const map = painter.drawIds(world);
    yield { kind: 'ids', ids: map.ids };
    const windowTicks = (clipsPerWindow * framesPerClip - 1) * ticksPerFrame;
    const oldest = Math.max(startTick, world.tick - windowTicks);
    const recent = world.events.filter((event) => event.tick > oldest);
    clips.push({
      index,
      objects: map.objects.map((object) => ({
        ...object,
        firstBox: firstBoxes.get(object.id) ?? null,
      })),
      description: describe(world, recent, (id) => colours.get(id), random),
      stateBits: stateBits(world),
    });
    if (index >= 1) windows.push(windowTruth(world, options.split, index, seconds, random));
  }
  const endTick = world.tick;
  const after = (horizonMs * ticksPerSecond) / 1000;
  for (let i = 0; i < after; i++) step();
  const truth: SceneTruth = {
    seed,
    frames,
    events: world.events
      .filter((event) => event.tick >= startTick && event.tick <= endTick)
      .map((event) => ({
        label: event.label,
        onsetS: seconds(event.tick),
        actors: event.actors,
        target: event.target,
      })),
    clips,
    windows: windows.map((window) => {
      const endTickOfWindow = startTick + Math.round(window.endS * ticksPerSecond);
      const draw = uniform(seed, 'tie', endTickOfWindow);
      const next = firstEvent(world.events, endTickOfWindow, horizonMs, draw);
      return {
        ...window,
        next: next?.label ?? 0,
        nextOnsetS: next ? seconds(next.tick) : null,
      };
    }),
  };
  yield { kind: 'truth', truth };
}

function windowTruth(
  world: World,
  split: Split,
  clip: number,
  seconds: (tick: number) => number,
  random: RandomStream,
): Omit<WindowTruth, 'next' | 'nextOnsetS'> {
  const seed = randomBits(world.place.seed, 'window', world.tick);
  const counts = futures(world, horizonMs, futuresCount, seed);
  const bayes =
    split === 'test'
      ? futures(world, horizonMs, bayesCount, seed + 1).map((count) => count / bayesCount)
      : undefined;
  const reasons = counts.flatMap((count, label) =>
    count > 0 ? [{ label, text: reason(world, label, random) }] : [],
  );
  return { clip, endS: seconds(world.tick), futures: counts, ...(bayes && { bayes }), reasons };
}

/** Facts about the state that help to train perception and to find windows. */
function stateBits(world: World): Record<string, boolean> {
  const { van, gate, dog, ball, persons } = world;
  return {
    vanHere: van?.entered ?? false,
    vanBlue: van?.colour === 'blue',
    vanRed: van?.colour === 'red',
    vanAtGate: van?.state === 'stopped',
    vanBraking: van?.braking ?? false,
    gateOpen: gate.state === 'open' || gate.state === 'opening',
    personWaiting: persons.some((person) => person.state === 'waiting'),
    personAtDoor: persons.some((person) => person.state === 'at door'),
    personHadToWait: persons.some((person) => person.waited),
    ballOnRoad: ball?.onRoad ?? false,
    dogSitting: dog?.state === 'sitting',
  };
}
