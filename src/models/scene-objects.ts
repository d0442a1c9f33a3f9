/** From masks and what the object head tells of them to the things of a scene. Pure. */
import type { SceneObject } from '../types.js';
import type { Mask } from './automatic-masks.js';
import { argmax } from './confidence.js';
import { dropDuplicates } from './drop-duplicates.js';
import type { ObjectReading } from './heads.js';
import type { Manifest } from './manifest.js';
import { encodeRle } from './rle.js';
import { centre, classOf, type Track } from './tracks.js';

/** A mask that shows a thing. */
export interface Thing {
  /** Index of the mask. */
  readonly row: number;
  readonly mask: Mask;
  readonly reading: ObjectReading;
}

/**
 * The masks that show something and not what another shows already; the first `countMax`.
 *
 * @param masks best predicted IoU first
 * @param readings one for each mask
 */
export function chooseThings(
  masks: readonly Mask[],
  readings: readonly ObjectReading[],
  countMax: number,
): Thing[] {
  const things = masks.flatMap((mask, row) => {
    const reading = readings[row];
    const best = reading ? argmax(reading.classes) : 0;
    return reading && best > 0 ? [{ ...mask, class: best, thing: { row, mask, reading } }] : [];
  });
  return dropDuplicates(things)
    .flatMap((index) => things[index]?.thing ?? [])
    .slice(0, countMax);
}

export function sceneObject(
  one: Track,
  { mask, reading }: Thing,
  clip: number,
  { classes, geometry: { maskRows, maskColumns } }: Manifest,
): SceneObject {
  const best = classOf(one);
  const { x, y } = centre(one.detection.box);
  const looks = reading.looks.map((look) => ({ x: x + look.x, y: y + look.y }));
  return {
    track: one.id,
    class: classes[best] ?? '',
    classProbability: one.classes[best] ?? 0,
    box: one.detection.box,
    velocity: one.velocity,
    ageClips: clip - one.bornClip,
    mask: encodeRle(mask.cells, maskRows, maskColumns),
    predictedIou: Math.min(1, Math.max(0, mask.predictedIou)),
    attributes: reading.attributes,
    // The last of the manifest's look frames is the key frame.
    looks: [...looks, { x, y }],
  };
}
