/** From the event head's chances to events with who did it. Pure. */
import type { FaintEvent, RecognisedEvent } from '../types.js';
import type { EventScores } from './heads.js';
import type { Label, Manifest } from './manifest.js';
import { classOf, type Track } from './tracks.js';

/** The same label does not begin twice within so short a time. */
export const refractoryMs = 1000;
/** A track of the label's own class is preferred when it is at least so likely as a share of the likeliest. */
const nearlyAsLikely = 0.5;

/**
 * Events that began in a clip: those whose chance reaches the label's threshold, without those that already began less
 * than `refractoryMs` before.
 *
 * @param clip times of its first and last frame, between which training places onsets
 * @param tracks those that the head was given, in its order
 * @param lastOnsetMs the last onset by label
 */
export function recogniseEvents(
  { probabilities, onsets, pointers }: EventScores,
  manifest: Pick<Manifest, 'labels' | 'eventThresholds' | 'classes'>,
  clip: { readonly fromMs: number; readonly toMs: number },
  tracks: readonly Track[],
  lastOnsetMs: ReadonlyMap<number, number>,
): RecognisedEvent[] {
  return manifest.labels.flatMap((label, index): RecognisedEvent[] => {
    const probability = probabilities[index] ?? 0;
    if (index === 0 || probability < (manifest.eventThresholds[index] ?? 1)) return [];
    const onsetMs = onsetIn(clip, onsets[index]);
    if (onsetMs - (lastOnsetMs.get(index) ?? -Infinity) < refractoryMs) return [];
    const { actor, target } = pointedPair(
      label,
      pointers.actors[index] ?? [],
      pointers.targets[index] ?? [],
      tracks,
      manifest.classes,
    );
    return [
      {
        label: index,
        onsetMs,
        probability,
        actors: actor === null ? [] : [actor.id],
        target: target?.id ?? null,
      },
    ];
  });
}

/** What is less likely is taken for nothing at all. */
const faintMin = 0.1;

/** What stayed below its label's threshold, but not by so much that one could be sure; echoes of what had just begun left out. */
export function faintEvents(
  { probabilities, onsets }: EventScores,
  { eventThresholds }: Pick<Manifest, 'eventThresholds'>,
  clip: { readonly fromMs: number; readonly toMs: number },
  lastOnsetMs: ReadonlyMap<number, number>,
): FaintEvent[] {
  return eventThresholds.flatMap((threshold, label) => {
    const probability = probabilities[label] ?? 0;
    if (label === 0 || probability >= threshold || probability < faintMin) return [];
    const onsetMs = onsetIn(clip, onsets[label]);
    if (onsetMs - (lastOnsetMs.get(label) ?? -Infinity) < refractoryMs) return [];
    return [{ label, onsetMs, probability }];
  });
}

/** Not rounded: that could move an onset on the first frame before it, out of the clip. */
function onsetIn(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  onset = 1,
): number {
  return fromMs + Math.min(1, Math.max(0, onset)) * (toMs - fromMs);
}

interface Pair {
  readonly actor: Track | null;
  readonly target: Track | null;
}

function pointedPair(
  label: Label,
  actors: readonly number[],
  targets: readonly number[],
  tracks: readonly Track[],
  classes: readonly string[],
): Pair {
  const actor = pointed(label.actor, actors, tracks, classes, null);
  return { actor, target: pointed(label.target, targets, tracks, classes, actor) };
}

/** @param not who has a part already: nobody does something to himself */
function pointed(
  className: string | null,
  chances: readonly number[],
  tracks: readonly Track[],
  classes: readonly string[],
  not: Track | null,
): Track | null {
  if (className === null) return null;
  const open = tracks
    .map((one, index) => ({ one, chance: chances[index] ?? 0 }))
    .filter(({ one }) => one.id !== not?.id)
    .sort((a, b) => b.chance - a.chance);
  const [best] = open;
  const nobody = chances[tracks.length] ?? 0;
  if (best === undefined || best.chance <= nobody) return null;
  const own = open.find(({ one }) => classes[classOf(one)] === className);
  return own && own.chance >= nearlyAsLikely * best.chance ? own.one : best.one;
}
