import type { Scene, SceneObject } from '../types.js';
import { encodeClips, type ClipTokens } from './backbone.js';
import type { Bundle } from './bundle.js';
import type { Mask } from './automatic-masks.js';
import { familiarityOf } from './familiarity.js';
import { ageClipsMax, readObjects, scoreEvents, tracksInPlay } from './heads.js';
import {
  KeyFrameMasks,
  planKeyFrame,
  type KeyFrame,
  type KeyFrameMemory,
  type Plan,
} from './key-frame-masks.js';
import { poolMasks } from './pool.js';
import { clipTensor, frameOf, toShares, type Rectangle } from './preprocess.js';
import { faintEvents, recogniseEvents } from './recognise-events.js';
import { chooseThings, sceneObject } from './scene-objects.js';
import { encodeImages, type ImageEmbeddings } from './segmenter.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { stopwatch, type ClockMs } from './stopwatch.js';
import { concatFloats } from './tensor.js';
import { areAtRest, expectedPoints } from './track-prompts.js';
import { noTracks, track, type Moment, type TrackerState } from './tracks.js';

/** One clip to be perceived; the pixels of its frames one after the other. */
export interface PerceiverInput {
  readonly camera: string;
  readonly epoch: number;
  readonly clip: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** The camera's picture inside the letterbox, in pixels of the frame. */
  readonly picture: Rectangle;
  /** Track ids below this were already given in this epoch, by a process before this one. */
  readonly trackFloor: number;
  /** F x height x width x 3, rgb24. */
  readonly pixels: Uint8Array;
  /** Of the key frame, in place of the segmenter's. */
  readonly masks?: readonly Mask[];
}

/** What is kept of a camera's epoch between clips. */
interface Memory {
  readonly clip: number;
  readonly toMs: number;
  readonly tokens: ClipTokens;
  readonly keyFrame: KeyFrameMemory;
  readonly tracker: TrackerState;
  readonly lastOnsetMs: ReadonlyMap<number, number>;
}

/** A clip with what its camera's past says of it. */
interface Prepared {
  readonly input: PerceiverInput;
  readonly memory: Memory | undefined;
  readonly tracker: TrackerState;
  readonly keyFrame: KeyFrame;
  readonly plan: Plan;
}

/** What is computed of several clips in one run. */
interface Encoded extends Prepared {
  readonly tokens: ClipTokens;
  /** Of the pictures that the plan asks for; none where nothing moved. */
  readonly embeddings: readonly ImageEmbeddings[];
  /** The clip's share of the run. */
  readonly stagesMs: Readonly<Record<string, number>>;
}

interface Sessions {
  readonly backbone: Session;
  readonly segmenterEncoder: Session;
  readonly segmenterDecoder: Session;
  readonly objectHead: Session;
  readonly eventHead: Session;
}

/** Cameras (with epoch) that are remembered; of more, the one not seen for longest is forgotten. */
const memoriesMax = 256;

/** Turns clips into scenes: backbone, masks, pooling, classes, tracks, events. One batch at a time. */
export class Perceiver {
  readonly #bundle: Bundle;
  readonly #sessions: Sessions;
  readonly #keyFrameMasks: KeyFrameMasks;
  /** In order of last use. */
  readonly #memories = new Map<string, Memory>();

  readonly #clock: ClockMs | undefined;

  private constructor(bundle: Bundle, sessions: Sessions, clock: ClockMs | undefined) {
    this.#clock = clock;
    this.#bundle = bundle;
    this.#sessions = sessions;
    this.#keyFrameMasks = new KeyFrameMasks(sessions.segmenterDecoder, bundle.manifest);
  }

  /** @throws LookaheadError `bundle_invalid` where a graph does not load or fit the manifest. */
  static async open(bundle: Bundle, options: SessionOptions): Promise<Perceiver> {
    const open = (key: keyof Sessions): Promise<Session> =>
      openSession(bundle.path(key), bundle.manifest.files[key], options);
    const sessions = {
      backbone: await open('backbone'),
      segmenterEncoder: await open('segmenterEncoder'),
      segmenterDecoder: await open('segmenterDecoder'),
      objectHead: await open('objectHead'),
      eventHead: await open('eventHead'),
    };
    return new Perceiver(bundle, sessions, options.clock);
  }

  /**
   * What each clip adds, in the order of the clips, each as soon as it is known. Backbone and image encoder run once for
   * all of them. A clip that fails fails alone and leaves its camera's memory as it was.
   *
   * @param inputs of each camera one, so that no clip is older than what its camera has seen
   */
  async *perceive(inputs: readonly PerceiverInput[]): AsyncGenerator<PromiseSettledResult<Scene>> {
    const encoded = await this.#encode(inputs);
    for (const own of encoded) {
      if (own.status === 'fulfilled')
        yield* await Promise.allSettled([this.#perceiveOne(own.value)]);
      else yield own;
    }
  }

  /** `perceive` for those who want all scenes or none: throws where a clip fails. */
  async scenes(inputs: readonly PerceiverInput[]): Promise<Scene[]> {
    const scenes: Scene[] = [];
    for await (const result of this.perceive(inputs)) {
      if (result.status === 'rejected') throw result.reason;
      scenes.push(result.value);
    }
    return scenes;
  }

  /** Where all together fail, each is tried alone, so that only the bad one fails. */
  async #encode(inputs: readonly PerceiverInput[]): Promise<PromiseSettledResult<Encoded>[]> {
    try {
      const all = await this.#encodeTogether(inputs);
      return all.map((value) => ({ status: 'fulfilled', value }));
    } catch (reason) {
      if (inputs.length === 1) return [{ status: 'rejected', reason }];
      const each: PromiseSettledResult<Encoded>[] = [];
      for (const input of inputs) each.push(...(await this.#encode([input])));
      return each;
    }
  }

  async #encodeTogether(inputs: readonly PerceiverInput[]): Promise<Encoded[]> {
    const { manifest } = this.#bundle;
    const watch = stopwatch(this.#clock);
    const clips = inputs.map(({ pixels }) => clipTensor(pixels, manifest));
    const tokens = await encodeClips(this.#sessions.backbone, clips);
    watch.lap('backbone');
    const prepared = inputs.map((input) => this.#prepare(input));
    const pictures = prepared.map((one) => this.#keyFrameMasks.pictures(one.keyFrame, one.plan));
    watch.lap('segmenterPlan');
    const all = pictures.flat();
    const embeddings =
      all.length === 0 ? [] : await encodeImages(this.#sessions.segmenterEncoder, all, manifest);
    watch.lap('segmenterEncoder');
    const share = ([stage, ms]: [string, number]): [string, number] => [stage, ms / inputs.length];
    const stagesMs = Object.fromEntries(Object.entries(watch.laps).map(share));
    let at = 0;
    return prepared.map((one, index) => {
      const own = tokens[index];
      if (own === undefined) throw new Error(`Clip ${index} of a batch has no tokens.`);
      const from = at;
      at += pictures[index]?.length ?? 0;
      return { ...one, tokens: own, embeddings: embeddings.slice(from, at), stagesMs };
    });
  }

  #prepare(input: PerceiverInput): Prepared {
    const remembered = this.#memories.get(keyOf(input));
    // Within an epoch clips count up; one that does not begins the epoch anew, as a replay does.
    const memory = remembered && remembered.clip < input.clip ? remembered : undefined;
    const tracker = resume(memory, input);
    const keyFrame = this.#keyFrame(input, tracker, memory?.toMs ?? input.toMs);
    const plan: Plan = input.masks
      ? { how: 'given', masks: input.masks }
      : planKeyFrame(keyFrame, memory?.keyFrame, this.#bundle.manifest);
    return { input, memory, tracker, keyFrame, plan };
  }

  async #perceiveOne(encoded: Encoded): Promise<Scene> {
    const { manifest, calibration } = this.#bundle;
    const { geometry } = manifest;
    const watch = stopwatch(this.#clock);
    const { input, memory, tracker, keyFrame, plan, tokens, embeddings } = encoded;
    const { picture } = input;

    const found = await this.#keyFrameMasks.find(
      ...([keyFrame, plan, embeddings] as const),
      ...([memory?.keyFrame, watch] as const),
    );
    const { masks } = found;
    const features = poolMasks(
      masks.map(({ cells }) => cells),
      tokens.patches,
      geometry.visionDim,
      geometry,
    );
    const boxes = masks.map((mask) => this.#boxOf(mask, picture));
    const flatBoxes = boxes.flatMap((box) => [box.x, box.y, box.width, box.height]);
    const readings = await readObjects(
      this.#sessions.objectHead,
      features,
      Float32Array.from(flatBoxes),
      manifest,
    );
    watch.lap('objects');
    const chosen = chooseThings(masks, readings, geometry.objectsPerClipMax);
    const detections = chosen.map(({ row, reading }) => ({
      box: boxes[row] ?? { x: 0, y: 0, width: 0, height: 0 },
      classes: reading.classes,
      feature: features.slice(row * geometry.visionDim, (row + 1) * geometry.visionDim),
      looks: reading.looks,
    }));
    const at: Moment = {
      clip: input.clip,
      atMs: input.toMs,
      aspect: picture.width / picture.height,
      clipMs: (geometry.framesPerClip / geometry.framesPerSecond) * 1000,
    };
    const { state, seen } = track(tracker, detections, at);
    watch.lap('tracks');

    const previous = memory?.clip === input.clip - 1 ? memory.tokens : tokens;
    const { eventHead } = this.#sessions;
    const inPlay = tracksInPlay(seen, state.tracks, at);
    const scores = await scoreEvents(eventHead, previous, tokens, inPlay, at, manifest);
    const before = memory?.lastOnsetMs ?? new Map<number, number>();
    const events = recogniseEvents(scores, manifest, input, inPlay, before);
    watch.lap('events');
    const familiarity = familiarityOf(tokens, calibration.familiarity);
    watch.lap('familiarity');

    const onsets = events.map(({ label, onsetMs }) => [label, onsetMs] as const);
    this.#remember(keyOf(input), {
      clip: input.clip,
      toMs: input.toMs,
      tokens,
      keyFrame: found.memory,
      tracker: state,
      lastOnsetMs: new Map([...before, ...onsets]),
    });
    const objects = seen.flatMap((one, index): SceneObject[] => {
      const thing = chosen[index];
      return thing ? [sceneObject(one, thing, input.clip, manifest)] : [];
    });
    return {
      camera: input.camera,
      clip: input.clip,
      fromMs: input.fromMs,
      toMs: input.toMs,
      objects,
      events,
      faintEvents: faintEvents(scores, manifest, input, before),
      place: scores.place,
      familiarity,
      tokens: {
        global: tokens.cls,
        objects: concatFloats(seen.map(({ detection }) => detection.feature)),
        attributes: Float32Array.from(objects.flatMap(attributesOf)),
      },
      stagesMs: { ...encoded.stagesMs, ...watch.laps },
    };
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions) as Session[]) await session.dispose();
  }

  #keyFrame(
    { pixels, picture, toMs }: PerceiverInput,
    { tracks }: TrackerState,
    lastMs: number,
  ): KeyFrame {
    const { manifest } = this.#bundle;
    return {
      frame: frameOf(pixels, manifest.geometry.keyFrame, manifest),
      before: frameOf(pixels, 0, manifest),
      picture,
      expected: expectedPoints(tracks, toMs, picture, manifest.preprocessing),
      tracksAtRest: areAtRest(tracks, lastMs),
    };
  }

  #boxOf({ box }: Mask, picture: Rectangle): SceneObject['box'] {
    const { preprocessing, geometry } = this.#bundle.manifest;
    const cellWidth = preprocessing.widthPx / geometry.maskColumns;
    const cellHeight = preprocessing.heightPx / geometry.maskRows;
    const rectangle = {
      x: box.left * cellWidth,
      y: box.top * cellHeight,
      width: (box.right - box.left) * cellWidth,
      height: (box.bottom - box.top) * cellHeight,
    };
    return toShares(rectangle, picture);
  }

  #remember(key: string, memory: Memory): void {
    this.#memories.delete(key);
    this.#memories.set(key, memory);
    for (const oldest of this.#memories.keys()) {
      if (this.#memories.size <= memoriesMax) return;
      this.#memories.delete(oldest);
    }
  }
}

function keyOf({ camera, epoch }: PerceiverInput): string {
  return `${camera}/${epoch}`;
}

/** The tracker to go on with, which gives no id that was given before. */
function resume(memory: Memory | undefined, input: PerceiverInput): TrackerState {
  const before = memory?.tracker ?? noTracks;
  return { ...before, nextId: Math.max(before.nextId, input.trackFloor) };
}

/** In the order of the manifest's `attributes`. */
function attributesOf({ box, velocity, ageClips }: SceneObject): number[] {
  const age = Math.min(1, ageClips / ageClipsMax);
  return [box.x, box.y, box.width, box.height, velocity.x, velocity.y, age];
}
