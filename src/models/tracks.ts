/** Identity over clips: which thing on this key frame is which one of the last. Pure. */
import type { Box } from '../types.js';

/** One thing on a key frame, not yet named. */
export interface Detection {
  readonly box: Box;
  readonly class: string;
  /** The object token, D_v numbers. */
  readonly feature: Float32Array;
}

export interface Track {
  readonly id: number;
  readonly bornClip: number;
  readonly lastSeenMs: number;
  readonly detection: Detection;
  /** Of the box's centre, shares of the picture a second; 0 until seen twice. */
  readonly velocity: { readonly x: number; readonly y: number };
  readonly sightings: number;
}

export interface TrackerState {
  readonly nextId: number;
  /** Seen now, or not for so short a time that they may come back. */
  readonly tracks: readonly Track[];
}

/** Seen things in the order of the detections, each with its track. */
export interface Tracked {
  readonly state: TrackerState;
  readonly seen: readonly Track[];
}

export const noTracks: TrackerState = { nextId: 1, tracks: [] };

/**
 * A track last seen this many clips ago lives on, an older one is dead; its id is never given again. Training counts
 * whole clips, at most two; the half is for frames that arrive with jitter, so that no clip is missed by chance.
 */
export const unseenMaxClips = 2.5;

/** Pairs below this affinity are different things. */
const affinityMin = 0.25;
/** How far from its predicted place a thing may turn up, in picture heights a second. */
const reachPerSecond = { known: 0.25, fresh: 0.6 };

/**
 * Matches detections to tracks, greedily, best affinity first: overlap with the predicted box, nearness of the centre
 * to its predicted place, and likeness of the object tokens. Classes must agree, unless the boxes nearly coincide.
 *
 * @param aspect width / height of the picture, so that distances are alike in both directions
 * @param clipMs from the start of one clip to that of the next, at the bundle's rate
 */
export function track(
  state: TrackerState,
  detections: readonly Detection[],
  clip: number,
  atMs: number,
  aspect: number,
  clipMs: number,
): Tracked {
  const unseenMaxMs = unseenMaxClips * clipMs;
  const live = state.tracks.filter(({ lastSeenMs }) => atMs - lastSeenMs <= unseenMaxMs);
  const pairs = live
    .flatMap((candidate) =>
      detections.map((detection, index) => ({
        candidate,
        index,
        affinity: affinityOf(candidate, detection, atMs, aspect),
      })),
    )
    .filter(({ affinity }) => affinity >= affinityMin)
    .sort((a, b) => b.affinity - a.affinity);
  const matchOf = new Map<number, Track>();
  const taken = new Set<number>();
  for (const { candidate, index } of pairs) {
    if (matchOf.has(index) || taken.has(candidate.id)) continue;
    matchOf.set(index, candidate);
    taken.add(candidate.id);
  }
  let { nextId } = state;
  const seen = detections.map((detection, index): Track => {
    const before = matchOf.get(index);
    if (before === undefined) {
      const born = { id: nextId++, bornClip: clip, velocity: { x: 0, y: 0 }, sightings: 1 };
      return { ...born, lastSeenMs: atMs, detection };
    }
    return {
      id: before.id,
      bornClip: before.bornClip,
      lastSeenMs: atMs,
      detection,
      velocity: velocityOf(before, detection.box, atMs),
      sightings: before.sightings + 1,
    };
  });
  const unseen = live.filter(({ id }) => !taken.has(id));
  return { state: { nextId, tracks: [...seen, ...unseen] }, seen };
}

/** Where a track's box should be at that time, by its last velocity. */
export function predictBox({ detection, velocity, lastSeenMs }: Track, atMs: number): Box {
  const seconds = (atMs - lastSeenMs) / 1000;
  const { box } = detection;
  return { ...box, x: box.x + velocity.x * seconds, y: box.y + velocity.y * seconds };
}

function velocityOf(before: Track, box: Box, atMs: number): { x: number; y: number } {
  const seconds = (atMs - before.lastSeenMs) / 1000;
  if (seconds <= 0) return before.velocity;
  const from = centre(before.detection.box);
  const to = centre(box);
  return { x: (to.x - from.x) / seconds, y: (to.y - from.y) / seconds };
}

function affinityOf(candidate: Track, detection: Detection, atMs: number, aspect: number): number {
  const predicted = predictBox(candidate, atMs);
  const iou = iouOf(predicted, detection.box);
  if (candidate.detection.class !== detection.class && iou < 0.5) return 0;
  const seconds = Math.max(0.1, (atMs - candidate.lastSeenMs) / 1000);
  const reach = seconds * (candidate.sightings > 1 ? reachPerSecond.known : reachPerSecond.fresh);
  const from = centre(predicted);
  const to = centre(detection.box);
  const nearness = 1 - Math.hypot((to.x - from.x) * aspect, to.y - from.y) / reach;
  if (nearness <= 0 && iou === 0) return 0;
  const likeness = Math.max(0, cosine(candidate.detection.feature, detection.feature));
  return 0.4 * iou + 0.4 * Math.max(0, nearness) + 0.2 * likeness;
}

export function centre(box: Box): { x: number; y: number } {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

export function iouOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  a.forEach((value, index) => {
    const other = b[index] ?? 0;
    dot += value * other;
    aa += value * value;
    bb += other * other;
  });
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
