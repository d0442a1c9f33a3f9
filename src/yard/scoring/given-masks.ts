import { boxOf, type Mask } from '../../models/automatic-masks.js';
import type { RecordedTruth } from '../data/read-recording.js';
import { trueMasks, type GridSize } from './mask-overlap.js';
import { idsOf } from './recorded-truth.js';

/**
 * The true masks of a clip's key frame in the form of the segmenter's: a cell belongs to a thing when at least half of its pixels do,
 * as training has it. What covers no cell has no mask; whether a mask shows a thing is left to the object head.
 */
export function givenMasks(truth: RecordedTruth, clip: number, [rows, columns]: GridSize): Mask[] {
  const count = truth.clips[clip]?.objects.length ?? 0;
  return trueMasks(idsOf(truth, clip), count, [rows, columns]).flatMap((cells) => {
    const box = boxOf(cells, rows, columns);
    return box ? [{ cells, box, predictedIou: 1, stability: 1 }] : [];
  });
}
