/** Identity over clips: which thing on this key frame is which one of the last. Pure. */
import type { Box } from '../types.js';
import { assign } from './assign.js';

/** Where a thing was within the clip, before its key frame. */
export interface Look {
  /** Before the key frame, milliseconds, above 0. */
  readonly beforeMs: number;
  /** Of the box's centre, minus where it is on the key frame; shares of the picture. */
  readonly x: number;
  readonly y: number;
}

/** One thing on a key frame, not yet named. */
export interface Detection {
  readonly box: Box;
  /** Chances by index of the manifest's classes; 0 is background. */
  readonly classes: Float32Array;
  /** The object token, D_v numbers. */
  readonly feature: Float32Array;
  /** Oldest first; empty where the bundle does not tell. */
  readonly looks: readonly Look[];
}

export interface Track {
  readonly id: number;
  readonly bornClip: number;
  readonly lastSeenMs: number;
  /** As last seen. */
  readonly detection: Detection;
  /** Of the box's centre, shares of the picture a second; 0 until it is known. */
  readonly velocity: { readonly x: number; readonly y: number };
  readonly sightings: number;
  /** A running vote: the class chances of all sightings, the later ones weighing a little more. */
  readonly classes: Float32Array;
  /** A running mean of the object tokens. */
  readonly feature: Float32Array;
  /** The place that it has hardly left since. */
  readonly rest: { readonly box: Box; readonly sinceMs: number };
}

export interface TrackerState {
  readonly nextId: number;
  /** Seen now, or not for so short a time that they may come back; the longest unseen last. */
  readonly tracks: readonly Track[];
}

/** Seen things in the order of the detections, each with its track. */
export interface Tracked {
  readonly state: TrackerState;
  readonly seen: readonly Track[];
}

/** When and on what detections were made. */
export interface Moment {
  readonly clip: number;
  readonly atMs: number;
  /** Width / height of the picture, so that distances are alike in both directions. */
  readonly aspect: number;
  /** From the start of one clip to that of the next, at the bundle's rate. */
  readonly clipMs: number;
}

export const noTracks: TrackerState = { nextId: 1, tracks: [] };

/** A thing that is hidden for so long comes back under its id. */
const hiddenMaxMs = 2000;
/** So long for what has not moved for `restMs`: a gate behind a parked van is still that gate. */
const fixedHiddenMaxMs = 30_000;
const restMs = 3000;
/** Bounds what is remembered of a camera, whatever it shows. */
const tracksMax = 64;

/**
 * How doubtful it is that a track and a detection are one thing: minus the log odds, by a logistic regression over pairs of
 * recorded yard scenes with true identities; `unseen` is for each clip that a moving thing was not seen.
 */
const doubt = {
  bias: -2.3,
  overlap: -2.1,
  distance: 1.2,
  unlikeness: 0.6,
  agreement: -2,
  unseen: 0.8,
};
/** Above even odds: what finds no better partner mostly is the same thing after all. */
const doubtMax = 1.5;
/** A class agreement of 0 is an error of the class head as often as another thing. */
const agreementFloor = 0.02;
/** How far from its predicted place a thing is usually found: picture heights, and picture heights a second. */
const reach = { always: 0.1, perSecond: 0.15 };
/** Where a thing goes that was seen once is known less well. */
const freshReach = 1.5;
const reachesMax = 4;

/** Of the newest sighting in the running means; the first few count alike. */
const newestShare = { classes: 0.15, feature: 0.4 };

/**
 * Matches detections to tracks so that all matches together are the likeliest. Every match is weighed by overlap with the
 * predicted box, distance from the predicted place, likeness of the object tokens and agreement of the class chances.
 * No class is a must: a class that flips does not end a track.
 */
export function track(state: TrackerState, detections: readonly Detection[], at: Moment): Tracked {
  const live = state.tracks.filter((one) => mayComeBack(one, at, 1));
  const doubts = detections.map((detection) => live.map((one) => doubtOf(one, detection, at)));
  const matches = assign(doubts, doubtMax);
  let { nextId } = state;
  const seen = detections.map((detection, row): Track => {
    const match = matches[row];
    const before = typeof match === 'number' ? live[match] : undefined;
    return before ? continued(before, detection, at) : born(nextId++, detection, at);
  });
  const taken = new Set(seen.map(({ id }) => id));
  const unseen = live
    .filter((one) => !taken.has(one.id) && mayComeBack(one, at, 0))
    .sort((a, b) => b.lastSeenMs - a.lastSeenMs);
  return { state: { nextId, tracks: [...seen, ...unseen].slice(0, tracksMax) }, seen };
}

/** Clips since a track was last seen; 0: seen now. Frames that arrive with jitter change nothing. */
export function unseenClips({ lastSeenMs }: Track, { atMs, clipMs }: Moment): number {
  return Math.round((atMs - lastSeenMs) / clipMs);
}

/** The likeliest class by the vote: an index of the manifest's classes, never background. */
export function classOf({ classes }: Pick<Track, 'classes'>): number {
  let best = 1;
  for (let index = 2; index < classes.length; index++)
    if ((classes[index] ?? 0) > (classes[best] ?? 0)) best = index;
  return best;
}

/** Where a track's box should be at that time: what rests stays, what moves goes on. */
export function predictBox({ detection, velocity, lastSeenMs, rest }: Track, atMs: number): Box {
  const { box } = detection;
  if (isFixed({ lastSeenMs, rest })) return box;
  const seconds = (atMs - lastSeenMs) / 1000;
  return { ...box, x: box.x + velocity.x * seconds, y: box.y + velocity.y * seconds };
}

export function centre(box: Box): { x: number; y: number } {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** @param further clips to come, in which it may still turn up */
function mayComeBack(one: Track, at: Moment, further: 0 | 1): boolean {
  const hiddenMs = isFixed(one) ? fixedHiddenMaxMs : hiddenMaxMs;
  return unseenClips(one, at) <= Math.max(1, Math.floor(hiddenMs / at.clipMs)) + further;
}

function isFixed({ lastSeenMs, rest }: Pick<Track, 'lastSeenMs' | 'rest'>): boolean {
  return lastSeenMs - rest.sinceMs >= restMs;
}

function doubtOf(one: Track, detection: Detection, at: Moment): number {
  const { atMs, aspect } = at;
  const predicted = predictBox(one, atMs);
  const overlap = iouOf(predicted, detection.box);
  const reaches = reachesOf(one, detection, atMs, aspect);
  if (overlap === 0 && reaches > reachesMax) return Infinity;
  const agreement = dot(one.classes, detection.classes);
  return (
    doubt.bias +
    doubt.overlap * overlap +
    doubt.distance * Math.min(reachesMax, reaches) +
    doubt.unlikeness * (1 - cosine(one.feature, detection.feature)) +
    doubt.agreement * Math.log(agreement + agreementFloor) +
    doubt.unseen * (isFixed(one) ? 0 : Math.max(0, unseenClips(one, at) - 1))
  );
}

/** Distance from the predicted place as a multiple of the usual one; with looks also that at the first look, halves each. */
function reachesOf(one: Track, detection: Detection, atMs: number, aspect: number): number {
  const isFresh = one.sightings === 1 && detection.looks.length === 0;
  const at = (timeMs: number, box: Box): number => {
    const seconds = Math.max(0, timeMs - one.lastSeenMs) / 1000;
    const usual = (reach.always + reach.perSecond * seconds) * (isFresh ? freshReach : 1);
    return distance(predictBox(one, timeMs), box, aspect) / usual;
  };
  const now = at(atMs, detection.box);
  const [first] = detection.looks;
  if (first === undefined || atMs - first.beforeMs < one.lastSeenMs) return now;
  const { x, y } = detection.box;
  const then = { ...detection.box, x: x + first.x, y: y + first.y };
  return (now + at(atMs - first.beforeMs, then)) / 2;
}

function born(id: number, detection: Detection, { clip, atMs }: Moment): Track {
  return {
    id,
    bornClip: clip,
    lastSeenMs: atMs,
    detection,
    velocity: velocityByLooks(detection) ?? { x: 0, y: 0 },
    sightings: 1,
    classes: detection.classes,
    feature: detection.feature,
    rest: { box: detection.box, sinceMs: atMs },
  };
}

function continued(before: Track, detection: Detection, { atMs, aspect }: Moment): Track {
  const sightings = before.sightings + 1;
  const isResting =
    iouOf(before.rest.box, detection.box) >= 0.5 &&
    distance(before.rest.box, detection.box, aspect) < 0.03;
  const share = (least: number): number => Math.max(least, 1 / sightings);
  return {
    id: before.id,
    bornClip: before.bornClip,
    lastSeenMs: atMs,
    detection,
    velocity: velocityByLooks(detection) ?? velocityOf(before, detection.box, atMs),
    sightings,
    classes: mix(before.classes, detection.classes, share(newestShare.classes)),
    feature: mix(before.feature, detection.feature, share(newestShare.feature)),
    rest: isResting ? before.rest : { box: detection.box, sinceMs: atMs },
  };
}

/** Since the first look, as the reasoner and the event head have learned it; undefined without looks. */
function velocityByLooks({ looks: [first] }: Detection): { x: number; y: number } | undefined {
  if (first === undefined) return undefined;
  return { x: (-first.x * 1000) / first.beforeMs, y: (-first.y * 1000) / first.beforeMs };
}

function velocityOf(before: Track, box: Box, atMs: number): { x: number; y: number } {
  const seconds = (atMs - before.lastSeenMs) / 1000;
  if (seconds <= 0) return before.velocity;
  const from = centre(before.detection.box);
  const to = centre(box);
  return { x: (to.x - from.x) / seconds, y: (to.y - from.y) / seconds };
}

function distance(a: Box, b: Box, aspect: number): number {
  const from = centre(a);
  const to = centre(b);
  return Math.hypot((to.x - from.x) * aspect, to.y - from.y);
}

export function iouOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** @param share of `b` */
function mix(a: Float32Array, b: Float32Array, share: number): Float32Array {
  return a.map((value, index) => value * (1 - share) + (b[index] ?? 0) * share);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
