/**
 * What a perfect tracker would see, with nothing drawn: the data of the symbolic model (docs/yard-data.md, «Tracks»). Plain
 * little-endian arrays, one file each, so that numpy maps them. Each scene is written by itself and joined at the end.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { attributes, look } from '../truth/look.js';
import type { Seen } from '../truth/look.js';
import { horizonS, simulateFutures } from '../truth/futures.js';
import { yardClasses, yardLabels } from '../world/labels.js';
import { randomBits, stream } from '../world/random.js';
import { modules } from '../world/templates.js';
import { ticksPerSecond } from '../world/things.js';
import type { World } from '../world/world.js';
import { futuresCount } from './film-scene.js';
import type { SceneOptions } from './film-scene.js';
import { json } from './record-scene.js';
import type { Recording } from './schema.js';
import { drawnSplit, openScene, templatesOf } from './splits.js';
import { writeWhole } from './write-whole.js';

/** A clip of 8 frames at 8 frames a second is looked at this often: at frames 1, 3, 5 and 7. */
export const looksPerClip = 4;
const ticksPerLook = ticksPerSecond / looksPerClip;

const futuresStream = stream('futures of tracks');
const chancesStream = stream('chances of tracks');

export const trackFiles = {
  scene: 'scene.i32',
  template: 'template.u8',
  rain: 'rain.u8',
  objectsEnd: 'objects-end.i32',
  futures: 'futures.u8',
  bayes: 'bayes.f32',
  state: 'state.f32',
  class: 'class.u8',
  id: 'id.i32',
  seen: 'seen.u8',
  box: 'box.u16',
  attributes: 'attributes.i8',
} as const;

type ArrayName = keyof typeof trackFiles;
export const arrayNames = Object.keys(trackFiles) as ArrayName[];

export const tracksPart = (scene: number): string =>
  `tracks-${String(scene).padStart(5, '0')}.part`;

/** Grows array by array, in memory. */
export class Arrays {
  private readonly chunks = new Map<ArrayName, Uint8Array[]>(arrayNames.map((name) => [name, []]));

  put(name: ArrayName, array: ArrayBufferView): void {
    this.chunks.get(name)?.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }

  /** All that was put under that name. */
  of(name: ArrayName): Buffer {
    return Buffer.concat(this.chunks.get(name) ?? []);
  }

  /** The arrays' lengths in bytes, then the arrays. */
  bytes(): Buffer {
    const arrays = arrayNames.map((name) => this.of(name));
    const lengths = Uint32Array.from(arrays, (array) => array.length);
    return Buffer.concat([Buffer.from(lengths.buffer), ...arrays]);
  }
}

function arraysIn(part: Buffer): Map<ArrayName, Buffer> {
  let at = arrayNames.length * 4;
  return new Map(
    arrayNames.map((name, index) => {
      const from = at;
      at += part.readUInt32LE(index * 4);
      return [name, part.subarray(from, at)];
    }),
  );
}

/** Writes one scene's part; its `objectsEnd` count from the scene's beginning. */
export async function recordTracks(
  options: SceneOptions,
  index: number,
  outDir: string,
): Promise<void> {
  const out = new Arrays();
  const world = openScene(options.split, options.seed, index);
  const template = templatesOf(options.split).findIndex(
    ({ name }) => name === world.place.template.name,
  );
  let objects = 0;
  for (let clip = 0; clip < options.secondsPerScene; clip++) {
    const tracked = lookAtClip(world);
    for (const it of tracked) putObject(out, it);
    objects += tracked.length;
    out.put('scene', Int32Array.of(index));
    out.put('template', Uint8Array.of(template));
    out.put('rain', Uint8Array.of(Number(world.place.appearance.rain)));
    out.put('objectsEnd', Int32Array.of(objects));
    putTruth(out, world, options, clip);
  }
  await writeWhole(join(outDir, tracksPart(index)), out.bytes());
}

/** Joins the parts of all scenes; tracks.json comes last, so that a folder that has it is whole. */
export async function joinTracks(recording: Recording, outDir: string): Promise<void> {
  const { split, seed, scenes, secondsPerScene, bayesCount } = recording;
  const out = new Map(
    arrayNames.map((name) => [name, openSync(join(outDir, trackFiles[name]), 'w')]),
  );
  let objects = 0;
  for (let scene = 0; scene < scenes; scene++) {
    const arrays = arraysIn(readFileSync(join(outDir, tracksPart(scene))));
    const ends = arrays.get('objectsEnd') ?? Buffer.alloc(0);
    const before = objects;
    for (let at = 0; at < ends.length; at += 4) {
      objects = before + ends.readInt32LE(at);
      ends.writeInt32LE(objects, at);
    }
    for (const [name, array] of arrays) writeSync(out.get(name)!, array);
  }
  for (const file of out.values()) closeSync(file);
  const about = {
    schema: 'lookahead.yard.tracks.v1',
    ...{ split, seed, scenes, secondsPerScene, looksPerClip, horizonS },
    ...{ futures: futuresCount, bayesFutures: bayesCount },
    ...{ clips: scenes * secondsPerScene, objects },
    ...{
      templates: templatesOf(drawnSplit(split)).map(({ name }) => name),
      modules,
      files: trackFiles,
    },
    classes: yardClasses,
    labels: yardLabels,
    attributes,
  };
  await writeWhole(join(outDir, 'tracks.json'), json(about));
}

export async function removeParts(scenes: number, outDir: string): Promise<void> {
  for (let scene = 0; scene < scenes; scene++)
    await rm(join(outDir, tracksPart(scene)), { force: true });
}

/** A thing at the looks of one clip; null where it was not seen. */
export interface Tracked {
  readonly first: Seen;
  readonly looks: (Seen | null)[];
}

/** The world's next second, as a perfect tracker would see it: steps the world. */
export function lookAtClip(world: World): Tracked[] {
  const tracked = new Map<number, Tracked>();
  for (let i = 0; i < looksPerClip; i++) {
    for (let tick = 0; tick < ticksPerLook; tick++) world.step();
    for (const seen of look(world)) {
      const known = tracked.get(seen.id) ?? {
        first: seen,
        looks: Array.from({ length: looksPerClip }, () => null),
      };
      known.looks[i] = seen;
      tracked.set(seen.id, known);
    }
  }
  return [...tracked.values()];
}

function putObject(out: Arrays, { first, looks }: Tracked): void {
  let mask = 0;
  const box = new Uint16Array(looksPerClip * 4);
  const shown = new Int8Array(looksPerClip * attributes.length);
  looks.forEach((seen, i) => {
    if (!seen) return;
    mask |= 1 << i;
    seen.box.forEach((share, j) => (box[i * 4 + j] = Math.round(share * 65535)));
    attributes.forEach((name, j) => {
      shown[i * attributes.length + j] = Math.round((seen.attributes[name] ?? 0) * 100);
    });
  });
  out.put('class', Uint8Array.of(yardClasses.indexOf(first.class)));
  out.put('id', Int32Array.of(first.id));
  out.put('seen', Uint8Array.of(mask));
  out.put('box', box);
  out.put('attributes', shown);
}

function putTruth(out: Arrays, world: World, { bayes }: SceneOptions, clip: number): void {
  const seedOf = (of: typeof futuresStream): number => randomBits(world.seed, of, world.tick);
  const simulate = (count: number, seed: number, knows: 'seen' | 'state'): Float64Array =>
    simulateFutures(world, { count, seed, knows, target: 'next' }).next;
  out.put('futures', Uint8Array.from(simulate(futuresCount, seedOf(futuresStream), 'seen')));
  for (const knows of ['seen', 'state'] as const) {
    const isAsked = bayes !== 'none' && clip % bayes.every === bayes.every - 1;
    const shares = isAsked
      ? Float32Array.from(
          simulate(bayes.count, seedOf(chancesStream), knows),
          (n) => n / bayes.count,
        )
      : new Float32Array(yardLabels.length).fill(NaN);
    out.put(knows === 'seen' ? 'bayes' : 'state', shares);
  }
}
