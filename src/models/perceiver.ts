import type { Scene, SceneObject } from '../types.js';
import { encodeClip, type ClipTokens } from './backbone.js';
import type { Bundle } from './bundle.js';
import type { Mask } from './automatic-masks.js';
import { familiarityOf } from './familiarity.js';
import { classifyObjects, recogniseEvents, scoreEvents } from './heads.js';
import { poolMasks } from './pool.js';
import {
  clipTensor,
  frameOf,
  keyFrameTensor,
  toPixels,
  toShares,
  type Rectangle,
} from './preprocess.js';
import { changePoints, gridPoints, type Point } from './prompt-points.js';
import { encodeRle } from './rle.js';
import { automaticMasks, encodeImage } from './segmenter.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { stopwatch, type ClockMs } from './stopwatch.js';
import { centre, noTracks, predictBox, track, type Track, type TrackerState } from './tracks.js';

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
}

/** What is kept of a camera's epoch between clips. */
interface Memory {
  readonly clip: number;
  readonly tokens: ClipTokens;
  readonly tracker: TrackerState;
  readonly lastOnsetMs: ReadonlyMap<number, number>;
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
/** Clips after which a track's age counts no further (the attribute `age` is a share of it). */
const ageClipsMax = 8;

/** Turns clips into scenes: backbone, masks, pooling, classes, tracks, events. One clip at a time. */
export class Perceiver {
  readonly #bundle: Bundle;
  readonly #sessions: Sessions;
  /** In order of last use. */
  readonly #memories = new Map<string, Memory>();

  readonly #clock: ClockMs | undefined;

  private constructor(bundle: Bundle, sessions: Sessions, clock: ClockMs | undefined) {
    this.#clock = clock;
    this.#bundle = bundle;
    this.#sessions = sessions;
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

  /** What this clip adds. A clip that fails leaves the camera's memory as it was. */
  async perceive(input: PerceiverInput): Promise<Scene> {
    const { manifest, calibration } = this.#bundle;
    const { geometry } = manifest;
    const watch = stopwatch(this.#clock);
    const key = `${input.camera}/${input.epoch}`;
    const remembered = this.#memories.get(key);
    // Within an epoch clips count up; one that does not begins the epoch anew, as a replay does.
    const memory = remembered && remembered.clip < input.clip ? remembered : undefined;
    const { picture } = input;

    const tokens = await encodeClip(this.#sessions.backbone, clipTensor(input.pixels, manifest));
    watch.lap('backbone');

    const tracker = resume(memory, input);
    const points = this.#points(input, tracker);
    const masks = await this.#segment(input, points, watch);
    const features = poolMasks(
      masks.map(({ cells }) => cells),
      tokens.patches,
      geometry.visionDim,
      geometry,
    );
    const boxes = masks.map((mask) => this.#boxOf(mask, picture));
    const flatBoxes = boxes.flatMap((box) => [box.x, box.y, box.width, box.height]);
    const classes = await classifyObjects(
      this.#sessions.objectHead,
      features,
      Float32Array.from(flatBoxes),
      manifest,
    );
    // The masks come best predicted IoU first, so the first that are no background are the best.
    const chosen = classes
      .flatMap(({ index }, row) => (index === 0 ? [] : [row]))
      .slice(0, geometry.objectsPerClipMax);
    const detections = chosen.map((row) => ({
      box: boxes[row] ?? { x: 0, y: 0, width: 0, height: 0 },
      class: manifest.classes[classes[row]?.index ?? 0] ?? '',
      feature: features.slice(row * geometry.visionDim, (row + 1) * geometry.visionDim),
    }));
    const aspect = picture.width / picture.height;
    const clipMs = (geometry.framesPerClip / geometry.framesPerSecond) * 1000;
    const { state, seen } = track(tracker, detections, input.clip, input.toMs, aspect, clipMs);
    watch.lap('objects');

    const previous = memory?.clip === input.clip - 1 ? memory.tokens : tokens;
    const scores = await scoreEvents(this.#sessions.eventHead, previous, tokens, manifest);
    const before = memory?.lastOnsetMs ?? new Map<number, number>();
    const events = recogniseEvents(scores, manifest, input, state.tracks, before);
    watch.lap('events');
    const familiarity = familiarityOf(tokens, calibration.familiarity);
    watch.lap('familiarity');

    const onsets = events.map(({ label, onsetMs }) => [label, onsetMs] as const);
    this.#remember(key, {
      clip: input.clip,
      tokens,
      tracker: state,
      lastOnsetMs: new Map([...before, ...onsets]),
    });
    const objects = seen.map((one, index): SceneObject => {
      const row = chosen[index] ?? 0;
      const cells = masks[row]?.cells ?? new Uint8Array(0);
      return {
        track: one.id,
        class: one.detection.class,
        classProbability: classes[row]?.probability ?? 0,
        box: one.detection.box,
        velocity: one.velocity,
        ageClips: input.clip - one.bornClip,
        mask: encodeRle(cells, geometry.maskRows, geometry.maskColumns),
      };
    });
    return {
      camera: input.camera,
      clip: input.clip,
      fromMs: input.fromMs,
      toMs: input.toMs,
      objects,
      events,
      familiarity,
      tokens: {
        global: tokens.cls,
        objects: concat(seen.map(({ detection }) => detection.feature)),
        attributes: Float32Array.from(objects.flatMap(attributesOf)),
      },
      stagesMs: watch.laps,
    };
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#sessions) as Session[]) await session.dispose();
  }

  async #segment(
    { pixels, picture }: PerceiverInput,
    points: readonly Point[],
    watch: ReturnType<typeof stopwatch>,
  ): Promise<Mask[]> {
    const { manifest } = this.#bundle;
    const image = keyFrameTensor(pixels, manifest);
    const encoder = this.#sessions.segmenterEncoder;
    const embeddings = await encodeImage(encoder, image, picture, manifest);
    watch.lap('segmenterEncoder');
    const decoder = this.#sessions.segmenterDecoder;
    const masks = await automaticMasks(decoder, embeddings, points, manifest);
    watch.lap('segmenterDecoder');
    return masks;
  }

  /** SAM's grid, then at most one more batch: where tracks should be now, and where the clip changed most. */
  #points(input: PerceiverInput, tracker: TrackerState): Point[] {
    const { manifest } = this.#bundle;
    const { picture } = input;
    const { widthPx, heightPx } = manifest.preprocessing;
    const { pointsPerBatch } = manifest.segmenter;
    const inside = ([x, y]: Point): boolean => x >= 0 && y >= 0 && x < widthPx && y < heightPx;
    const expected = tracker.tracks
      .map((one) => pointOf(one, input.toMs, picture))
      .filter(inside)
      .slice(0, pointsPerBatch);
    const changed = changePoints(
      frameOf(input.pixels, 0, manifest),
      frameOf(input.pixels, manifest.geometry.framesPerClip - 1, manifest),
      manifest.preprocessing,
      widthPx / manifest.geometry.patchColumns,
      pointsPerBatch - expected.length,
    );
    return [...gridPoints(picture, manifest.segmenter), ...expected, ...changed];
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

/** The tracker to go on with, which gives no id that was given before. */
function resume(memory: Memory | undefined, input: PerceiverInput): TrackerState {
  const before = memory?.tracker ?? noTracks;
  return { ...before, nextId: Math.max(before.nextId, input.trackFloor) };
}

function pointOf(one: Track, atMs: number, picture: Rectangle): Point {
  const { x, y } = centre(toPixels(predictBox(one, atMs), picture));
  return [x, y];
}

/** In the order of the manifest's `attributes`. */
function attributesOf({ box, velocity, ageClips }: SceneObject): number[] {
  const age = Math.min(1, ageClips / ageClipsMax);
  return [box.x, box.y, box.width, box.height, velocity.x, velocity.y, age];
}

function concat(rows: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
