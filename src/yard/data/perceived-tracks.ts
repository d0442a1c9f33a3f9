/**
 * Track files (docs/yard-data.md, «Tracks») of what a bundle's perception saw of a recording, instead of the truth: on them a forecaster
 * learns to live with the errors that this perception makes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookaheadError } from '../../errors.js';
import { boxesOf, placeOf, type HistoryShape } from '../../models/track-history.js';
import type { Scene, SceneObject } from '../../types.js';
import { futuresCount } from './film-scene.js';
import type { RecordedTruth } from './read-recording.js';
import { json } from './record-scene.js';
import type { Dataset } from './schema.js';
import { modules } from '../world/templates.js';
import { Arrays, arrayNames, looksPerClip, trackFiles } from './tracks.js';
import { writeWhole } from './write-whole.js';

/** What perception says of the place over the window's clips; true track files have the truth in `template` and `rain`. */
const placeFile = 'place.f32';
/** The tokens of perception, which true tracks have not: a clip's CLS token [clips, D], each object's pooled token [objects, D]. */
const tokenFiles = { global: 'global.f32', pooled: 'pooled.f32' } as const;

export class PerceivedTracks {
  readonly #arrays = new Arrays();
  readonly #places: Float32Array[] = [];
  readonly #tokens: Record<keyof typeof tokenFiles, Float32Array[]> = { global: [], pooled: [] };
  #objects = 0;
  #clips = 0;
  #scenes = 0;
  #isJudged = false;

  readonly #dataset: Dataset;
  readonly #shape: HistoryShape;
  readonly #visionDim: number;

  constructor(dataset: Dataset, shape: HistoryShape, visionDim: number) {
    if (shape.lookFrames.length !== looksPerClip)
      throw new LookaheadError(
        'bundle_invalid',
        `The bundle looks ${String(shape.lookFrames.length)} times a clip, track files ${String(looksPerClip)} times.`,
        'Give a bundle of the yard.',
      );
    this.#dataset = dataset;
    this.#shape = shape;
    this.#visionDim = visionDim;
  }

  /** @param scenes what was seen of the recorded scene; a clip that is missing among them was not perceived and shows nothing */
  add(truth: RecordedTruth, scenes: readonly Scene[]): void {
    const dataset = this.#dataset;
    const template = dataset.templates.findIndex(({ name }) => name === truth.scene.template);
    const seenAt = new Map(scenes.map((scene) => [scene.clip, scene]));
    const unseen = new Float32Array(this.#visionDim);
    truth.windows.forEach(({ futures, bayes, state }, clip) => {
      const seen = seenAt.get(clip);
      for (const object of seen?.objects ?? []) this.#put(object);
      this.#tokens.global.push(seen?.tokens.global ?? unseen);
      if (seen) this.#tokens.pooled.push(seen.tokens.objects);
      this.#arrays.put('scene', Int32Array.of(this.#scenes));
      this.#arrays.put('template', Uint8Array.of(template));
      this.#arrays.put('rain', Uint8Array.of(Number(truth.scene.rain)));
      this.#arrays.put('objectsEnd', Int32Array.of(this.#objects));
      this.#arrays.put('futures', Uint8Array.from(futures));
      for (const [name, chances] of [
        ['bayes', bayes],
        ['state', state],
      ] as const)
        this.#arrays.put(
          name,
          Float32Array.from(dataset.labels, (_, label) => chances?.[label] ?? NaN),
        );
      this.#isJudged ||= bayes !== undefined;
      const window = scenes.filter(
        (scene) => scene.clip <= clip && scene.clip > clip - this.#shape.clipsPerWindow,
      );
      this.#places.push(placeOf(window, this.#shape.place));
      this.#clips++;
    });
    this.#scenes++;
  }

  #put(object: SceneObject): void {
    const box = new Uint16Array(looksPerClip * 4);
    let seen = 0;
    boxesOf(object, looksPerClip).forEach((at, look) => {
      if (!at) return;
      seen |= 1 << look;
      box.set(
        [at.x, at.y, at.width, at.height].map((share) => Math.round(share * 65535)),
        look * 4,
      );
    });
    const shown = this.#dataset.attributes.map((name) =>
      Math.round((object.attributes[name] ?? 0) * 100),
    );
    this.#arrays.put('class', Uint8Array.of(this.#dataset.classes.indexOf(object.class)));
    this.#arrays.put('id', Int32Array.of(object.track));
    this.#arrays.put('seen', Uint8Array.of(seen));
    this.#arrays.put('box', box);
    this.#arrays.put(
      'attributes',
      Int8Array.from(Array.from({ length: looksPerClip }, () => shown).flat()),
    );
    this.#objects++;
  }

  /** tracks.json comes last, so that a folder that has it is whole. */
  async write(outDir: string): Promise<void> {
    await mkdir(outDir, { recursive: true });
    for (const name of arrayNames)
      await writeFile(join(outDir, trackFiles[name]), this.#arrays.of(name));
    await writeFile(join(outDir, placeFile), bytesOf(this.#places));
    for (const name of ['global', 'pooled'] as const)
      await writeFile(join(outDir, tokenFiles[name]), bytesOf(this.#tokens[name]));
    const { split, seed, secondsPerScene, classes, labels, attributes } = this.#dataset;
    const about = {
      schema: 'lookahead.yard.tracks.v1',
      ...{ split, seed, scenes: this.#scenes, secondsPerScene, looksPerClip },
      ...{
        horizonS: this.#dataset.horizonMs / 1000,
        futures: futuresCount,
        bayesFutures: +this.#isJudged,
      },
      ...{ clips: this.#clips, objects: this.#objects },
      templates: this.#dataset.templates.map(({ name }) => name),
      ...{ modules, files: { ...trackFiles, place: placeFile, ...tokenFiles } },
      visionDim: this.#visionDim,
      ...{ classes, labels, attributes },
    };
    await writeWhole(join(outDir, 'tracks.json'), json(about));
  }
}

function bytesOf(arrays: readonly Float32Array[]): Buffer {
  return Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
}
