/** Whether a window shows anything that the last reasoned forecast could not know. Pure. */
import type { Box, ForecastReason, Scene, SceneObject, Window } from '../types.js';

export interface GateLimits {
  /** Total variation between the cheap head's answers, now and at the last reasoned forecast, from which on they differ. */
  readonly distanceMax: number;
  /** Longest time between two reasoned forecasts. */
  readonly reasonEveryMaxMs: number;
  /** Shares of the picture a second: from this on a thing that rested has begun to move. */
  readonly movingMinPerS: number;
  /** Below this a thing that moved has come to rest. */
  readonly restingMaxPerS: number;
  /** From this on an attribute that was off is on; -1 to 1 where the attribute has a direction. */
  readonly attributeOnMin: number;
  /** Below this an attribute that was on is off. */
  readonly attributeOffMax: number;
  /** A thing that was not seen for so many clips is gone. */
  readonly goneClips: number;
}

type Change = Exclude<ForecastReason, 'rhythm' | 'quiet'>;

/** -1 and 1: on, in one direction or the other. */
type Flag = -1 | 0 | 1;
type Flags = Readonly<Record<string, Flag>>;

interface Thing {
  readonly class: string;
  readonly box: Box;
  readonly isMoving: boolean;
  readonly attributes: Flags;
  /** In the newest clip. */
  readonly isSeen: boolean;
}

/** What a reasoned forecast knew. */
export interface Known {
  readonly clip: number;
  readonly toMs: number;
  readonly things: ReadonlyMap<number, Thing>;
  readonly place: Flags;
  /** The cheap head's answer to the same window; null: there was none. */
  readonly cheap: readonly number[] | null;
}

/**
 * @param before what was known so far: whatever lies between on and off stays as it was
 * @param window at least one scene
 */
export function know(
  before: Known | null,
  window: Window,
  cheap: readonly number[] | null,
  limits: GateLimits,
): Known {
  const newest = newestOf(window);
  const things = new Map<number, Thing>();
  for (const [track, object] of sightings(window, limits.goneClips)) {
    const old = before?.things.get(track);
    things.set(track, {
      class: object.class,
      box: object.box,
      isMoving: isMoving(object, old?.isMoving, limits),
      attributes: flags(object.attributes, old?.attributes, limits),
      isSeen: newest.objects.includes(object),
    });
  }
  const place = flags(newest.place, before?.place, limits);
  return { clip: newest.clip, toMs: newest.toMs, things, place, cheap };
}

/** The first change that is found, or null: nothing has changed since `before`. */
export function changeSince(
  before: Known | null,
  now: Known,
  window: Window,
  limits: GateLimits,
): Change | null {
  if (before === null) return 'first';
  if (window.some(({ clip, events }) => clip > before.clip && events.length > 0)) return 'event';
  const of = differenceOfThings(before.things, now.things);
  if (of !== null) return of;
  if (!areEqual(before.place, now.place)) return 'place';
  if (distance(before.cheap, now.cheap) > limits.distanceMax) return 'distance';
  return now.toMs - before.toMs >= limits.reasonEveryMaxMs ? 'time' : null;
}

/** Half the sum of the differences: 0 where both are alike, 1 where they have nothing in common. */
export function totalVariation(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, chance, index) => sum + Math.abs(chance - (other[index] ?? 0)), 0) / 2;
}

function distance(one: readonly number[] | null, other: readonly number[] | null): number {
  return one === null || other === null ? 0 : totalVariation(one, other);
}

function differenceOfThings(
  before: ReadonlyMap<number, Thing>,
  now: ReadonlyMap<number, Thing>,
): Change | null {
  // A thing that was lost and found at the same place under a new id is no news.
  const unseen = new Map([...before].filter(([track]) => now.get(track)?.isSeen !== true));
  for (const [track, thing] of now) {
    let old = before.get(track);
    if (!old) {
      const renamed = [...unseen].find(([, gone]) => isSame(gone, thing));
      if (!renamed) return 'born';
      old = renamed[1];
      unseen.delete(renamed[0]);
    }
    if (old.class !== thing.class) return 'class';
    if (old.isMoving !== thing.isMoving) return 'motion';
    if (!areEqual(old.attributes, thing.attributes)) return 'attribute';
  }
  return [...unseen.keys()].some((track) => !now.has(track)) ? 'lost' : null;
}

function isSame(one: Thing, other: Thing): boolean {
  return one.class === other.class && overlap(one.box, other.box) >= 0.5;
}

/** Each track as it was last seen in the newest clips. */
function sightings(window: Window, clips: number): Map<number, SceneObject> {
  const newest = newestOf(window);
  const recent = window.filter(({ clip }) => newest.clip - clip < clips);
  return new Map(recent.flatMap(({ objects }) => objects.map((one) => [one.track, one] as const)));
}

function isMoving(
  { velocity }: SceneObject,
  before: boolean | undefined,
  { movingMinPerS, restingMaxPerS }: GateLimits,
): boolean {
  const perS = Math.hypot(velocity.x, velocity.y);
  if (perS >= movingMinPerS) return true;
  if (perS <= restingMaxPerS) return false;
  return before ?? perS * 2 >= movingMinPerS + restingMaxPerS;
}

function flags(
  values: Readonly<Record<string, number>>,
  before: Flags | undefined,
  { attributeOnMin, attributeOffMax }: GateLimits,
): Flags {
  const flagOf = ([name, value]: [string, number]): [string, Flag] => {
    const size = Math.abs(value);
    const sign = value > 0 ? 1 : -1;
    if (size >= attributeOnMin) return [name, sign];
    if (size <= attributeOffMax) return [name, 0];
    return [name, before?.[name] ?? (size * 2 >= attributeOnMin + attributeOffMax ? sign : 0)];
  };
  return Object.fromEntries(Object.entries(values).map(flagOf));
}

/** What one of them does not tell is off. */
function areEqual(one: Flags, other: Flags): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (name) => (one[name] ?? 0) === (other[name] ?? 0),
  );
}

/** Intersection over union. */
function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (one.width * one.height + other.width * other.height - shared);
}

function newestOf(window: Window): Scene {
  const newest = window.at(-1);
  if (!newest) throw new TypeError('A window without scenes shows nothing.');
  return newest;
}
