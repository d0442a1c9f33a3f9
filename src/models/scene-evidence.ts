/** What a window shows of its tracks, and whether that bears out what is said of them. Pure. */
import type { RecognisedEvent } from '../types.js';
import type { Label } from './manifest.js';
import type { SeenObject, SeenWindow } from './seen-window.js';

/** What a verb says about the thing that does it. */
export type Sign =
  | 'moves'
  | 'stands'
  /** Was not there before, or moves. */
  | 'appears'
  /** Is not there afterwards, or moves. */
  | 'vanishes'
  | 'opens'
  | 'closes'
  | 'turnsRed'
  | 'turnsGreen'
  | 'falls'
  /** Is there: a picture shows no more of it. */
  | 'is';

/** By the label's type. A type that is not here cannot be checked, so it is never called verified. */
const signs: Readonly<Record<string, Sign>> = {
  enters: 'appears',
  'comes out': 'appears',
  'gets out': 'appears',
  leaves: 'vanishes',
  'gets in': 'vanishes',
  'goes in': 'vanishes',
  'drives in': 'vanishes',
  follows: 'moves',
  'turns away': 'moves',
  'turns back': 'moves',
  crosses: 'moves',
  rolls: 'moves',
  'runs after': 'moves',
  stops: 'stands',
  yields: 'stands',
  opens: 'opens',
  closes: 'closes',
  'turns red': 'turnsRed',
  'turns green': 'turnsGreen',
  falls: 'falls',
  'hands over': 'is',
  'puts down': 'is',
  'picks up': 'is',
  collides: 'is',
};

/** Shares of the picture a second: whoever walks is faster than 0.048, boxes shake by less than 0.02. */
const movesMin = 0.02;
const standsMax = 0.04;
/** An event is recognised up to a clip late, and shows for a while. */
const beforeMs = 1500;
const afterMs = 2000;
/** How much of a door, a light or a stack must have changed. */
const changeMin = 0.2;
/**
 * From this chance on the perceiver itself is the witness of a verb: it reads the pixels of the clip, of which tracks keep boxes
 * and a few attributes. Without it two in ten true causes are called unverified, and precision is none the better for it.
 */
const seenMin = 0.8;

/** A track at one clip. */
interface Sighting {
  readonly fromMs: number;
  readonly toMs: number;
  readonly object: SeenObject;
}

export interface Checked {
  readonly verified: boolean;
  /** Tracks that bear it out, or that it speaks of. */
  readonly tracks: readonly number[];
}

/** A window by its tracks. */
export class SceneEvidence {
  readonly fromMs: number;
  readonly toMs: number;
  readonly #tracks = new Map<number, Sighting[]>();

  constructor(window: SeenWindow) {
    this.fromMs = window.at(0)?.fromMs ?? 0;
    this.toMs = window.at(-1)?.toMs ?? 0;
    for (const { fromMs, toMs, objects } of window)
      for (const object of objects) {
        const sightings = this.#tracks.get(object.track) ?? [];
        sightings.push({ fromMs, toMs, object });
        this.#tracks.set(object.track, sightings);
      }
  }

  /** Tracks of a class, which is a running vote: the last one counts. */
  tracksOf(className: string): number[] {
    return [...this.#tracks].flatMap(([track, sightings]) =>
      sightings.at(-1)?.object.class === className ? [track] : [],
    );
  }

  /**
   * Whether the tracks of a recognised event were there, are of its label's classes, and did what its verb says: their own
   * motion and looks show it, or the perceiver is sure of it.
   */
  check(event: RecognisedEvent, label: Label): Checked {
    const named = [...event.actors, ...(event.target === null ? [] : [event.target])];
    const actors = this.#cast(label.actor, event.actors);
    const target = event.target === null ? [] : [event.target];
    const targets = this.#cast(label.target, target);
    const sign = signs[label.type];
    const [fromMs, toMs] = [event.onsetMs - beforeMs, event.onsetMs + afterMs];
    const isSeen = event.probability >= seenMin;
    const doers = actors.filter(
      (track) => sign && (isSeen || this.shows(track, sign, fromMs, toMs)),
    );
    const verified =
      doers.length > 0 &&
      (label.target === null || targets.some((track) => !doers.every((one) => one === track)));
    const tracks = verified ? [...doers, ...targets] : named.filter((one) => this.#tracks.has(one));
    return { verified, tracks: [...new Set(tracks)].sort((a, b) => a - b) };
  }

  /** Whether a track shows a sign in a time. */
  shows(track: number, sign: Sign, fromMs = this.fromMs, toMs = this.toMs): boolean {
    const all = this.#tracks.get(track) ?? [];
    const then = all.filter((one) => one.toMs >= fromMs && one.fromMs <= toMs);
    if (then.length === 0) return false;
    const fastest = Math.max(...then.map(({ object }) => speedOf(object)));
    const slowest = Math.min(...then.map(({ object }) => speedOf(object)));
    switch (sign) {
      case 'is':
        return true;
      case 'moves':
        return fastest >= movesMin;
      case 'stands':
        return slowest <= standsMax;
      case 'appears': {
        const first = all[0]?.fromMs ?? 0;
        return fastest >= movesMin || (first >= fromMs && first > this.fromMs);
      }
      case 'vanishes': {
        const last = all.at(-1)?.toMs ?? 0;
        return fastest >= movesMin || (last <= toMs && last < this.toMs);
      }
      case 'opens':
        return change(then, 'open') >= changeMin;
      case 'closes':
        return change(then, 'open') <= -changeMin;
      case 'turnsRed':
        return change(then, 'red') >= changeMin;
      case 'turnsGreen':
        return change(then, 'red') <= -changeMin;
      case 'falls':
        return change(then, 'fallen') >= changeMin;
    }
  }

  /** An attribute of a track as last seen; 0 where it tells none. */
  attribute(track: number, name: string): number {
    return this.#tracks.get(track)?.at(-1)?.object.attributes[name] ?? 0;
  }

  /** Those named, of the class; where nobody is named, all of the class. */
  #cast(className: string | null, named: readonly number[]): readonly number[] {
    if (className === null) return named.filter((track) => this.#tracks.has(track));
    const known = this.tracksOf(className);
    return named.length === 0 ? known : named.filter((track) => known.includes(track));
  }
}

function speedOf({ velocity }: SeenObject): number {
  return Math.hypot(velocity.x, velocity.y);
}

/**
 * How much an attribute rose, or fell where it is negative: from before the event, or where that was not seen from the
 * other end of the scale, to its end.
 */
function change(sightings: readonly Sighting[], name: string): number {
  const values = sightings.map(({ object }) => object.attributes[name] ?? 0);
  const [first = 0] = values;
  const last = values.at(-1) ?? 0;
  return last - first;
}
