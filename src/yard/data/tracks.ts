/**
 * Writes what a perfect tracker would see, with nothing drawn: the data of the symbolic model (docs/yard-data.md, «Tracks»).
 * Plain little-endian arrays, one file each, so that numpy maps them.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { attributes, look } from '../truth/look.js';
import type { Seen } from '../truth/look.js';
import { horizonS, simulateFutures } from '../truth/futures.js';
import { yardClasses, yardLabels } from '../world/labels.js';
import { ticksPerSecond } from '../world/things.js';
import { modules } from '../world/templates.js';
import type { World } from '../world/world.js';
import { openScene } from './splits.js';
import type { Split } from './splits.js';

/** A clip of 8 frames at 8 frames a second is looked at this often: at frames 1, 3, 5 and 7. */
export const looksPerClip = 4;
const ticksPerLook = ticksPerSecond / looksPerClip;

export interface TracksOptions {
  readonly split: Split;
  readonly seed: number;
  readonly scenes: number;
  readonly secondsPerScene: number;
  readonly outDir: string;
  /** Re-simulated futures of every window, as soft targets. */
  readonly futures: number;
  /** Re-simulated futures for pBayes and pState; 0: none. */
  readonly bayesFutures: number;
  /** Every how many clips pBayes is worked out. */
  readonly bayesEvery: number;
  readonly onProgress: (scenesDone: number) => void;
}

const files = {
  scene: 'scene.i32',
  template: 'template.u8',
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

type ArrayName = keyof typeof files;

/** Appends to many files; what is put is written at the next flush. */
class ArrayFiles {
  private readonly open: ReadonlyMap<ArrayName, number>;
  private readonly pending = new Map<ArrayName, Uint8Array[]>();

  constructor(folder: string) {
    this.open = new Map(
      (Object.keys(files) as ArrayName[]).map((name) => [
        name,
        openSync(join(folder, files[name]), 'w'),
      ]),
    );
  }

  put(name: ArrayName, array: ArrayBufferView): void {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const pending = this.pending.get(name);
    if (pending) pending.push(bytes);
    else this.pending.set(name, [bytes]);
  }

  flush(): void {
    for (const [name, chunks] of this.pending)
      writeSync(this.open.get(name)!, Buffer.concat(chunks));
    this.pending.clear();
  }

  close(): void {
    for (const file of this.open.values()) closeSync(file);
  }
}

export function writeTracks(options: TracksOptions): void {
  mkdirSync(options.outDir, { recursive: true });
  const out = new ArrayFiles(options.outDir);
  const templates: string[] = [];
  let objects = 0;
  for (let index = 0; index < options.scenes; index++) {
    const world = openScene(options.split, options.seed, index);
    const { name } = world.place.template;
    if (!templates.includes(name)) templates.push(name);
    for (let clip = 0; clip < options.secondsPerScene; clip++) {
      const tracked = lookAtClip(world);
      for (const it of tracked) writeObject(out, it);
      objects += tracked.length;
      out.put('scene', new Int32Array([index]));
      out.put('template', new Uint8Array([templates.indexOf(name)]));
      out.put('objectsEnd', new Int32Array([objects]));
      writeTruth(out, world, options, clip);
    }
    out.flush();
    options.onProgress(index + 1);
  }
  out.close();
  const { split, seed, scenes, secondsPerScene, futures, bayesFutures } = options;
  writeFileSync(
    join(options.outDir, 'tracks.json'),
    `${JSON.stringify(
      {
        schema: 'lookahead.yard.tracks.v1',
        ...{ split, seed, scenes, secondsPerScene, looksPerClip, horizonS, futures, bayesFutures },
        ...{ clips: scenes * secondsPerScene, objects, templates, modules, files },
        classes: yardClasses,
        labels: yardLabels,
        attributes,
      },
      null,
      2,
    )}\n`,
  );
}

/** A thing at the looks of one clip; null where it was not seen. */
interface Tracked {
  readonly first: Seen;
  readonly looks: (Seen | null)[];
}

function lookAtClip(world: World): Tracked[] {
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

function writeObject(out: ArrayFiles, { first, looks }: Tracked): void {
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
  out.put('class', new Uint8Array([yardClasses.indexOf(first.class)]));
  out.put('id', new Int32Array([first.id]));
  out.put('seen', new Uint8Array([mask]));
  out.put('box', box);
  out.put('attributes', shown);
}

function writeTruth(out: ArrayFiles, world: World, options: TracksOptions, clip: number): void {
  const simulate = (count: number, knows: 'seen' | 'state'): Float64Array =>
    simulateFutures(world, { count, seed: clip, knows, target: 'next' }).next;
  out.put('futures', Uint8Array.from(simulate(options.futures, 'seen')));
  const asked = options.bayesFutures > 0 && clip % options.bayesEvery === options.bayesEvery - 1;
  for (const knows of ['seen', 'state'] as const) {
    const count = options.bayesFutures;
    const shares = asked
      ? Float32Array.from(simulate(count, knows), (n) => n / count)
      : new Float32Array(yardLabels.length).fill(NaN);
    out.put(knows === 'seen' ? 'bayes' : 'state', shares);
  }
}
