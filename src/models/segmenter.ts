import { filterMasks, selectMasks, type Mask } from './automatic-masks.js';
import type { Manifest } from './manifest.js';
import type { Point } from './prompt-points.js';
import type { Session } from './session.js';
import { float32, floats, type Tensor } from './tensor.js';

/** The image encoder's output, for any number of decoder runs. */
export interface ImageEmbeddings {
  readonly image_embeddings: Tensor;
  readonly high_res: Tensor;
}

/** @param image uint8 [1, height, width, 3] */
export async function encodeImage(session: Session, image: Tensor): Promise<ImageEmbeddings> {
  const { image_embeddings, high_res } = await session.run({ image });
  if (image_embeddings === undefined || high_res === undefined) {
    throw new Error('The segmenter encoder gave no embeddings.');
  }
  return { image_embeddings, high_res };
}

/**
 * Asks the decoder at every point, `pointsPerBatch` at a time, three masks a point, and keeps what SAM's
 * automatic mask generator would keep; best predicted IoU first.
 */
export async function automaticMasks(
  decoder: Session,
  embeddings: ImageEmbeddings,
  points: readonly Point[],
  manifest: Manifest,
): Promise<Mask[]> {
  const { segmenter, geometry } = manifest;
  const { maskRows, maskColumns } = geometry;
  const found: Mask[] = [];
  for (let from = 0; from < points.length; from += segmenter.pointsPerBatch) {
    const batch = points.slice(from, from + segmenter.pointsPerBatch);
    const outputs = await decoder.run({
      ...embeddings,
      point_coords: float32([batch.length, 2], Float32Array.from(batch.flat())),
    });
    const logits = floats(outputs, 'masks');
    const ious = floats(outputs, 'iou_predictions');
    found.push(...filterMasks(logits, ious, maskRows, maskColumns, segmenter));
  }
  return selectMasks(found, maskRows, maskColumns, segmenter);
}
