/** Whether tracks stay with their things over a scene, by boxes. */
import { iouOf } from '../../models/tracks.js';
import type { Box } from '../../types.js';
import { assign } from '../../models/assign.js';
import { matchIouMin } from './recorded-truth.js';

/** What counts of one clip. */
export interface ClipOfTracks {
  readonly things: readonly { readonly id: number; readonly box: Box }[];
  readonly found: readonly { readonly track: number; readonly box: Box }[];
}

export interface Identities {
  /** IDTP: sightings in which a track is with the one thing that it was given for the whole scene. */
  readonly kept: number;
  /** Sightings of things, IDTP + IDFN; those of tracks, IDTP + IDFP. IDF1 = 2 kept / (things + found). */
  readonly things: number;
  readonly found: number;
  /** How often a thing goes on under another track than before (CLEAR MOT). */
  readonly switches: number;
}

/** Things and tracks are given to each other one to one, so that as many sightings as can be agree: box IoU at least 0.5. */
export function matchIdentities(clips: readonly ClipOfTracks[]): Identities {
  const ids = [...new Set(clips.flatMap(({ things }) => things.map(({ id }) => id)))];
  const tracks = [...new Set(clips.flatMap(({ found }) => found.map(({ track }) => track)))];
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  const columnOf = new Map(tracks.map((track, column) => [track, column]));
  const together = ids.map(() => new Array<number>(tracks.length).fill(0));
  for (const { things, found } of clips)
    for (const { id, box } of things)
      for (const one of found)
        if (iouOf(box, one.box) >= matchIouMin)
          together[rowOf.get(id)!]![columnOf.get(one.track)!]!++;
  const kept = mostGained(together).reduce<number>(
    (sum, column, row) => sum + (column === null ? 0 : together[row]![column]!),
    0,
  );
  return {
    kept,
    things: clips.reduce((sum, { things }) => sum + things.length, 0),
    found: clips.reduce((sum, { found }) => sum + found.length, 0),
    switches: countSwitches(clips),
  };
}

/** In each clip a thing keeps its track while their boxes agree; those left over are paired by the most IoU. */
function countSwitches(clips: readonly ClipOfTracks[]): number {
  const trackOf = new Map<number, number>();
  let switches = 0;
  for (const { things, found } of clips) {
    const agree = (a: Box, b: Box): boolean => iouOf(a, b) >= matchIouMin;
    const kept = new Set<number>();
    const left = things.filter(({ id, box }) => {
      const known = found.find(({ track }) => track === trackOf.get(id));
      if (!known || !agree(box, known.box)) return true;
      kept.add(known.track);
      return false;
    });
    const free = found.filter(({ track }) => !kept.has(track));
    const gains = left.map(({ box }) =>
      free.map((one) => (agree(box, one.box) ? iouOf(box, one.box) : 0)),
    );
    mostGained(gains).forEach((column, row) => {
      const [thing, one] = [left[row], free[column ?? -1]];
      if (!thing || !one) return;
      if (trackOf.has(thing.id)) switches++;
      trackOf.set(thing.id, one.track);
    });
  }
  return switches;
}

/** @param gains [rows][columns], 0 or more; 0: these two do not go together. @returns for each row its column, or null */
function mostGained(gains: readonly (readonly number[])[]): readonly (number | null)[] {
  return assign(
    gains.map((row) => row.map((gain) => (gain > 0 ? -gain : Infinity))),
    0,
  );
}
