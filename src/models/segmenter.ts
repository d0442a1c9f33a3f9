import { filterMasks, selectMasks, type Mask } from './automatic-masks.js';
import type { Manifest } from './manifest.js';
import type { Rectangle } from './preprocess.js';
import type { Point } from './prompt-points.js';
import { onFrameGrid, placeInSquare, squareInput, toSquare } from './sam-input.js';
import type { SquarePlacement } from './sam-input.js';
import { layoutOf, type SegmenterLayout } from './segmenter-layouts.js';
import type { Session } from './session.js';
import type { Tensor, Tensors } from './tensor.js';

/** The image encoder's output, for any number of decoder runs. */
export interface ImageEmbeddings {
  readonly layout: SegmenterLayout;
  readonly tensors: Tensors;
  /** Null where the encoder takes the frame as it is. */
  readonly placement: SquarePlacement | null;
}

/**
 * @param image uint8 [1, height, width, 3], letterboxed
 * @param picture what the bars leave of it, in pixels
 */
export async function encodeImage(
  session: Session,
  image: Tensor,
  picture: Rectangle,
  { files, preprocessing }: Pick<Manifest, 'files' | 'preprocessing'>,
): Promise<ImageEmbeddings> {
  const layout = layoutOf(files);
  if (layout.sidePx === null) {
    return { layout, tensors: await layout.encode(session, image), placement: null };
  }
  if (image.type !== 'uint8') throw new Error(`The segmenter was given ${image.type}, not bytes.`);
  const placement = placeInSquare(picture, layout.sidePx);
  const input = squareInput(image.data, preprocessing, placement);
  return { layout, tensors: await layout.encode(session, input), placement };
}

/**
 * What the decoder finds at some points, all of them with the one embedding of the picture.
 *
 * @param points in pixels of the frame
 * @returns logits [points x masks a point, maskRows, maskColumns] over the frame, predicted IoU [points x masks a point]
 */
export async function decodePoints(
  decoder: Session,
  { layout, tensors, placement }: ImageEmbeddings,
  points: readonly Point[],
  { preprocessing, geometry }: Pick<Manifest, 'preprocessing' | 'geometry'>,
): Promise<{ readonly logits: Float32Array; readonly predictedIous: Float32Array }> {
  if (placement === null) return layout.decode(decoder, tensors, points);
  const own = points.map((point) => toSquare(point, placement));
  const found = await layout.decode(decoder, tensors, own);
  const logits = onFrameGrid(found.logits, found, placement, preprocessing, geometry);
  return { logits, predictedIous: found.predictedIous };
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
    const { logits, predictedIous } = await decodePoints(decoder, embeddings, batch, manifest);
    found.push(...filterMasks(logits, predictedIous, maskRows, maskColumns, segmenter));
  }
  return selectMasks(found, maskRows, maskColumns, segmenter);
}
