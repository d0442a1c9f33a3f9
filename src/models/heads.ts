/** What is what, and what began: the two heads behind the backbone. */
import type { ClipTokens } from './backbone.js';
import { sigmoid, softmax } from './confidence.js';
import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats, type Tensors } from './tensor.js';
import { predictBox, unseenClips, type Moment, type Look, type Track } from './tracks.js';

/** What the object head tells of one thing. */
export interface ObjectReading {
  /** Chances by index of the manifest's classes; 0 is background. */
  readonly classes: Float32Array;
  /** By the manifest's `objectAttributes`. */
  readonly attributes: Readonly<Record<string, number>>;
  /** By the manifest's `lookFrames`, without the key frame. */
  readonly looks: readonly Look[];
}

/**
 * @param tokens [n, D_v]
 * @param boxes [n, 4]: x, y, width, height as shares of the camera's picture
 */
export async function readObjects(
  session: Session,
  tokens: Float32Array,
  boxes: Float32Array,
  manifest: Manifest,
): Promise<ObjectReading[]> {
  const count = boxes.length / 4;
  if (count === 0) return [];
  const { visionDim, objectAttributes } = manifest.geometry;
  const outputs = await session.run({
    objects: float32([count, visionDim], tokens),
    boxes: float32([count, 4], boxes),
  });
  const logits = floats(outputs, 'class_logits');
  const attributes = floats(outputs, 'attributes');
  const looks = floats(outputs, 'looks');
  const rowOf = (values: Float32Array, row: number): Float32Array => {
    const width = values.length / count;
    return values.subarray(row * width, (row + 1) * width);
  };
  return Array.from({ length: count }, (_, row) => ({
    classes: Float32Array.from(softmax(rowOf(logits, row))),
    attributes: named(objectAttributes, rowOf(attributes, row)),
    looks: looksOf(rowOf(looks, row), manifest),
  }));
}

/** @param offsets [lookFrames - 1, 2] */
function looksOf(
  offsets: Float32Array,
  { geometry: { lookFrames, keyFrame, framesPerSecond } }: Manifest,
): Look[] {
  return lookFrames.slice(0, -1).map((frame, index) => ({
    beforeMs: ((keyFrame - frame) * 1000) / framesPerSecond,
    x: offsets[2 * index] ?? 0,
    y: offsets[2 * index + 1] ?? 0,
  }));
}

function named(names: readonly string[], values: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? 0]));
}

/** For each label: the chance that it began in this clip, and when: 0 at the clip's first frame, 1 at its last. */
export interface EventScores {
  readonly probabilities: readonly number[];
  readonly onsets: readonly number[];
  /** Who and whom. */
  readonly pointers: EventPointers;
  /** By the manifest's `place`. */
  readonly place: Readonly<Record<string, number>>;
}

/** For each label the chances of the tracks that the head was given, in their order, and last that of none of them. */
export interface EventPointers {
  readonly actors: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
}

/** Tracks that the event head gets. */
const tracksMax = 32;
const unseenMax = 2;
/** Clips after which a track's age counts no further. */
export const ageClipsMax = 8;

/** Who can take part in what began: those seen on the key frame, in their order, then those that were lost just before. */
export function tracksInPlay(
  seen: readonly Track[],
  all: readonly Track[],
  at: Moment,
): readonly Track[] {
  const lost = all.filter((one) => {
    const unseen = unseenClips(one, at);
    return unseen > 0 && unseen <= unseenMax;
  });
  return [...seen, ...lost].slice(0, tracksMax);
}

/**
 * @param previous the clip before, or the same clip where there is none
 * @param tracks as `tracksInPlay` gives them
 */
export async function scoreEvents(
  session: Session,
  previous: ClipTokens,
  current: ClipTokens,
  tracks: readonly Track[],
  at: Moment,
  manifest: Manifest,
): Promise<EventScores> {
  const { visionDim, patchRows, patchColumns, place } = manifest.geometry;
  const cls = (tokens: ClipTokens) => float32([1, visionDim], tokens.cls);
  const patches = (tokens: ClipTokens) =>
    float32([1, patchRows * patchColumns, visionDim], tokens.patches);
  const outputs = await session.run({
    previous_cls: cls(previous),
    previous_patches: patches(previous),
    cls: cls(current),
    patches: patches(current),
    ...trackFeeds(tracks, at, manifest),
  });
  const logits = floats(outputs, 'event_logits');
  const labels = logits.length;
  const pointersOf = (name: string): number[][] =>
    chancesByLabel(floats(outputs, name), labels, tracks.length);
  return {
    probabilities: Array.from(logits, sigmoid),
    onsets: Array.from(floats(outputs, 'onset')),
    pointers: { actors: pointersOf('actor_logits'), targets: pointersOf('target_logits') },
    place: named(place, Array.from(floats(outputs, 'place_logits'), sigmoid)),
  };
}

/** Without a track one row of zeros: a graph has no empty axis. */
export function trackFeeds(
  tracks: readonly Track[],
  at: Moment,
  { classes, geometry: { visionDim, trackAttributes } }: Manifest,
): Tensors {
  const rows = Math.max(1, tracks.length);
  const columns = trackAttributes.length;
  const tokens = new Float32Array(rows * visionDim);
  const attributes = new Float32Array(rows * columns);
  const chances = new Float32Array(rows * classes.length);
  tracks.forEach((one, row) => {
    tokens.set(one.detection.feature, row * visionDim);
    attributes.set(trackAttributesOf(one, at), row * columns);
    chances.set(one.detection.classes, row * classes.length);
  });
  return {
    tracks: float32([1, rows, visionDim], tokens),
    track_attributes: float32([1, rows, columns], attributes),
    track_classes: float32([1, rows, classes.length], chances),
  };
}

/** In the order of `trackAttributeNames`. */
function trackAttributesOf(one: Track, at: Moment): number[] {
  const box = predictBox(one, at.atMs);
  const unseenNow = unseenClips(one, at);
  const age = Math.min(1, (at.clip - unseenNow - one.bornClip) / ageClipsMax); // as last seen
  const unseen = Math.min(1, unseenNow / unseenMax);
  return [box.x, box.y, box.width, box.height, one.velocity.x, one.velocity.y, age, unseen];
}

/**
 * @param logits [labels, M + 1], where M is 1 without a track
 * @returns for each label `count` + 1 chances, the last for none
 */
function chancesByLabel(logits: Float32Array, labels: number, count: number): number[][] {
  const width = logits.length / labels;
  return Array.from({ length: labels }, (_, label) => {
    if (count === 0) return [1];
    return softmax(logits.subarray(label * width, (label + 1) * width));
  });
}
