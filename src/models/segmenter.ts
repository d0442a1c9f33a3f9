import type { Manifest } from './manifest.js';
import type { Point } from './prompt-points.js';
import type { Session } from './session.js';
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
 * Asks the decoder at every point, `pointsPerBatch` at a time, all of them with the one embedding of the picture. Each
 * batch is handed on at once, so that no more than one batch's logits are held.
 *
 * @param onBatch gets logits [points x 3, maskRows, maskColumns] and predicted IoU [points x 3]
 */
export async function askPoints(
  decoder: Session,
  embeddings: ImageEmbeddings,
  points: readonly Point[],
  { pointsPerBatch }: Pick<Manifest['segmenter'], 'pointsPerBatch'>,
  onBatch: (logits: Float32Array, predictedIous: Float32Array) => void,
): Promise<void> {
  for (let from = 0; from < points.length; from += pointsPerBatch) {
    const batch = points.slice(from, from + pointsPerBatch);
    const outputs = await decoder.run({
      ...embeddings,
      point_coords: float32([batch.length, 2], Float32Array.from(batch.flat())),
    });
    onBatch(floats(outputs, 'masks'), floats(outputs, 'iou_predictions'));
  }
}
