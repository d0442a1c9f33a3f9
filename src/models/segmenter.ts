import type { Manifest } from './manifest.js';
import type { Rectangle } from './preprocess.js';
import type { Point } from './prompt-points.js';
import { onFrameGrid, placeInSquare, squareInput, toSquare } from './sam-input.js';
import type { SquarePlacement } from './sam-input.js';
import { layoutOf, type SegmenterLayout } from './segmenter-layouts.js';
import type { Session } from './session.js';
import { joinRows, splitRows, type Tensors, type Uint8Tensor } from './tensor.js';

/** A picture to be segmented. */
export interface SegmenterPicture {
  /** uint8 [1, height, width, 3], letterboxed. */
  readonly image: Uint8Tensor;
  /** What the bars leave of it, in pixels. */
  readonly picture: Rectangle;
}

/** The image encoder's output for one picture, for any number of decoder runs. */
export interface ImageEmbeddings {
  readonly layout: SegmenterLayout;
  readonly tensors: Tensors;
  /** Null where the encoder takes the frame as it is. */
  readonly placement: SquarePlacement | null;
}

/** Encodes pictures: in one run where the encoder takes frames as they are, else each by itself. */
export async function encodeImages(
  session: Session,
  pictures: readonly SegmenterPicture[],
  { files, preprocessing }: Pick<Manifest, 'files' | 'preprocessing'>,
): Promise<ImageEmbeddings[]> {
  const layout = layoutOf(files);
  if (layout.sidePx === null) {
    const all = await layout.encode(session, joinRows(pictures.map(({ image }) => image)));
    const rows = Object.keys(all).map((name) => splitRows(all, name).map((row) => [name, row]));
    return pictures.map((_, index) => ({
      layout,
      tensors: Object.fromEntries(rows.map((ofName) => ofName[index] ?? [])) as Tensors,
      placement: null,
    }));
  }
  const each: ImageEmbeddings[] = [];
  for (const { image, picture } of pictures) {
    const placement = placeInSquare(picture, layout.sidePx);
    const input = squareInput(image.data, preprocessing, placement);
    each.push({ layout, tensors: await layout.encode(session, input), placement });
  }
  return each;
}

/** The embeddings of a single picture. */
export async function encodeImage(
  session: Session,
  picture: SegmenterPicture,
  manifest: Pick<Manifest, 'files' | 'preprocessing'>,
): Promise<ImageEmbeddings> {
  const [own] = await encodeImages(session, [picture], manifest);
  if (own === undefined) throw new Error('The segmenter encoder gave no embeddings.');
  return own;
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
 * Asks the decoder at every point, `pointsPerBatch` at a time, all of them with the one embedding of the picture. Each
 * batch is handed on at once, so that no more than one batch's logits are held.
 *
 * @param onBatch gets logits [points x 3, maskRows, maskColumns] and predicted IoU [points x 3]
 */
export async function askPoints(
  decoder: Session,
  embeddings: ImageEmbeddings,
  points: readonly Point[],
  manifest: Pick<Manifest, 'segmenter' | 'preprocessing' | 'geometry'>,
  onBatch: (logits: Float32Array, predictedIous: Float32Array) => void,
): Promise<void> {
  const { pointsPerBatch } = manifest.segmenter;
  for (let from = 0; from < points.length; from += pointsPerBatch) {
    const batch = points.slice(from, from + pointsPerBatch);
    const { logits, predictedIous } = await decodePoints(decoder, embeddings, batch, manifest);
    onBatch(logits, predictedIous);
  }
}
