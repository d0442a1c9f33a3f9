import type { RecognisedEvent } from '../types.js';
import type { ClipTokens } from './backbone.js';
import { argmax, sigmoid, softmax } from './confidence.js';
import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats } from './tensor.js';
import { centre, type Track } from './tracks.js';

export interface ObjectClass {
  /** Index into the manifest's `classes`; 0 is background. */
  readonly index: number;
  readonly probability: number;
}

/**
 * @param tokens [n, D_v]
 * @param boxes [n, 4]: x, y, width, height as shares of the camera's picture
 */
export async function classifyObjects(
  session: Session,
  tokens: Float32Array,
  boxes: Float32Array,
  manifest: Manifest,
): Promise<ObjectClass[]> {
  const count = boxes.length / 4;
  if (count === 0) return [];
  const outputs = await session.run({
    objects: float32([count, manifest.geometry.visionDim], tokens),
    boxes: float32([count, 4], boxes),
  });
  const logits = floats(outputs, 'class_logits');
  const classes = manifest.classes.length;
  return Array.from({ length: count }, (_, row) => {
    const probabilities = softmax(logits.subarray(row * classes, (row + 1) * classes));
    const index = argmax(probabilities);
    return { index, probability: probabilities[index] ?? 0 };
  });
}

/** For each label: the chance that it began in this clip, and when: 0 at the clip's first frame, 1 at its last. */
export interface EventScores {
  readonly probabilities: readonly number[];
  readonly onsets: readonly number[];
}

/** @param previous the clip before, or the same clip where there is none */
export async function scoreEvents(
  session: Session,
  previous: ClipTokens,
  current: ClipTokens,
  manifest: Manifest,
): Promise<EventScores> {
  const { visionDim, patchRows, patchColumns } = manifest.geometry;
  const cls = (tokens: ClipTokens) => float32([1, visionDim], tokens.cls);
  const patches = (tokens: ClipTokens) =>
    float32([1, patchRows * patchColumns, visionDim], tokens.patches);
  const outputs = await session.run({
    previous_cls: cls(previous),
    previous_patches: patches(previous),
    cls: cls(current),
    patches: patches(current),
  });
  return {
    probabilities: Array.from(floats(outputs, 'event_logits'), sigmoid),
    onsets: Array.from(floats(outputs, 'onset')),
  };
}

/** The same label does not begin twice within so short a time. */
export const refractoryMs = 1000;

/**
 * Events that began in a clip: those whose chance reaches the label's threshold, without those that already began less
 * than `refractoryMs` before. The head says what began, not who: the actor is guessed from live tracks.
 *
 * @param clip times of its first and last frame, between which training places onsets
 * @param lastOnsetMs the last onset by label
 */
export function recogniseEvents(
  { probabilities, onsets }: EventScores,
  manifest: Manifest,
  clip: { readonly fromMs: number; readonly toMs: number },
  tracks: readonly Track[],
  lastOnsetMs: ReadonlyMap<number, number>,
): RecognisedEvent[] {
  const { fromMs, toMs } = clip;
  return manifest.labels.flatMap((label, index): RecognisedEvent[] => {
    const probability = probabilities[index] ?? 0;
    if (index === 0 || probability < (manifest.eventThresholds[index] ?? 1)) return [];
    const share = Math.min(1, Math.max(0, onsets[index] ?? 1));
    // Not rounded: that could move an onset on the first frame before it, out of the clip.
    const onsetMs = fromMs + share * (toMs - fromMs);
    if (onsetMs - (lastOnsetMs.get(index) ?? -Infinity) < refractoryMs) return [];
    const { actor, target } = takePart(label.actor, label.target, tracks);
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

/**
 * Who most likely takes part: the nearest pair of an actor and a target of the named classes; without a visible
 * target the fastest actor.
 */
function takePart(
  actorClass: string | null,
  targetClass: string | null,
  tracks: readonly Track[],
): { readonly actor: Track | null; readonly target: Track | null } {
  const ofClass = (name: string | null): Track[] =>
    tracks.filter(({ detection }) => detection.class === name);
  const speed = ({ velocity }: Track): number => Math.hypot(velocity.x, velocity.y);
  const actors = ofClass(actorClass).sort((a, b) => speed(b) - speed(a));
  const targets = ofClass(targetClass);
  const nearest = actors
    .flatMap((actor) => targets.map((target) => ({ actor, target })))
    .filter(({ actor, target }) => actor.id !== target.id)
    .sort((a, b) => distance(a.actor, a.target) - distance(b.actor, b.target))[0];
  return nearest ?? { actor: actors[0] ?? null, target: targets[0] ?? null };
}

function distance(a: Track, b: Track): number {
  const from = centre(a.detection.box);
  const to = centre(b.detection.box);
  return Math.hypot(to.x - from.x, to.y - from.y);
}
