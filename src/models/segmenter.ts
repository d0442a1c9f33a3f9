import { filterMasks, selectMasks, type Mask } from './automatic-masks.js';
import type { Manifest } from './manifest.js';
import type { Point } from './prompt-points.js';
import type { Session } from './session.js';
import type { Stopwatch } from './stopwatch.js';
import {
  float32,
  floats,
  joinRows,
  splitRows,
  type Float32Tensor,
  type Uint8Tensor,
} from './tensor.js';

/** The image encoder's output for one picture, for any number of decoder runs. */
export interface ImageEmbeddings {
  readonly image_embeddings: Float32Tensor;
  readonly high_res: Float32Tensor;
}

/** Encodes pictures in one run. @param images uint8 [1, height, width, 3] each */
export async function encodeImages(
  session: Session,
  images: readonly Uint8Tensor[],
): Promise<ImageEmbeddings[]> {
  const outputs = await session.run({ image: joinRows(images) });
  const highRes = splitRows(outputs, 'high_res');
  return splitRows(outputs, 'image_embeddings').map((image_embeddings, row) => {
    const high_res = highRes[row];
    if (high_res === undefined) throw new Error(`Picture ${row} has no fine embeddings.`);
    return { image_embeddings, high_res };
  });
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
  watch: Stopwatch,
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
    watch.lap('segmenterDecoder');
    const logits = floats(outputs, 'masks');
    const ious = floats(outputs, 'iou_predictions');
    found.push(...filterMasks(logits, ious, maskRows, maskColumns, segmenter));
    watch.lap('maskSelection');
  }
  const masks = selectMasks(found, maskRows, maskColumns, segmenter);
  watch.lap('maskSelection');
  return masks;
}
