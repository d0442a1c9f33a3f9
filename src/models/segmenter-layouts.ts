/**
 * The ways in which SAM is written into two graphs, an image encoder and a point decoder. Which one a pair of graphs is, its inputs
 * and outputs tell; behind each stands the same interface. The picture's embedding is one tensor that every run is given as it is.
 *
 * - `lookahead`: what training/ exports. The frame goes in as bytes; every point is a prompt of its own.
 * - `official`: the decoder of segment-anything's own export (also of MobileSAM): one prompt a run, so one run a point.
 * - `hf`: Hugging Face's and transformers.js': as many prompts a run as one likes.
 * - `edge`: EdgeSAM's: as `official`, with fewer inputs.
 */
import { LookaheadError } from '../errors.js';
import type { Graph } from './manifest.js';
import type { Point } from './prompt-points.js';
import type { Session } from './session.js';
import {
  concatFloats,
  float32,
  floats,
  int64,
  type Tensor,
  type Tensors,
  type TensorType,
} from './tensor.js';

export type LayoutName = 'lookahead' | 'official' | 'hf' | 'edge';

export interface SegmenterGraphs {
  readonly segmenterEncoder: Pick<Graph, 'path' | 'inputs' | 'outputs'>;
  readonly segmenterDecoder: Pick<Graph, 'path' | 'inputs' | 'outputs'>;
}

/** What a decoder says of some points. */
export interface PointMasks {
  /** [points x masks a point, rows, columns], over the encoder's input. */
  readonly logits: Float32Array;
  /** [points x masks a point] */
  readonly predictedIous: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export interface SegmenterLayout {
  readonly name: LayoutName;
  /** Side of the square that the encoder takes (sam-input.ts); null: it takes the frame, uint8 [1, height, width, 3]. */
  readonly sidePx: number | null;
  /** Whether one run of the decoder answers many points. */
  readonly isBatched: boolean;
  /** What the decoder needs of the picture. */
  encode(encoder: Session, image: Tensor): Promise<Tensors>;
  /** @param points in pixels of the encoder's input */
  decode(decoder: Session, embeddings: Tensors, points: readonly Point[]): Promise<PointMasks>;
}

type Described = Graph['inputs'];
type Wanted = Readonly<Record<string, TensorType>>;

interface Pattern {
  readonly name: LayoutName;
  readonly encoderInputs: readonly string[];
  /** Of each list one name must be there. */
  readonly encoderOutputs: readonly (readonly string[])[];
  readonly decoderInputs: Wanted;
  readonly decoderOutputs: readonly string[];
  build(names: Names): SegmenterLayout;
}

/** What differs from export to export within one layout. */
interface Names {
  readonly sidePx: number;
  readonly image: string;
  /** The name that the encoder gives the embedding. */
  readonly embedding: string;
}

const pictureInputs = ['image', 'images', 'input_image'] as const;
const pictureOutputs = [['image_embeddings', 'embeddings']] as const;

const patterns: readonly Pattern[] = [
  {
    name: 'lookahead',
    encoderInputs: ['image'],
    encoderOutputs: [['image_embeddings'], ['high_res']],
    decoderInputs: { image_embeddings: 'float32', high_res: 'float32', point_coords: 'float32' },
    decoderOutputs: ['masks', 'iou_predictions'],
    build: () => lookahead,
  },
  {
    name: 'official',
    encoderInputs: pictureInputs,
    encoderOutputs: pictureOutputs,
    decoderInputs: {
      image_embeddings: 'float32',
      point_coords: 'float32',
      point_labels: 'float32',
      mask_input: 'float32',
      has_mask_input: 'float32',
      orig_im_size: 'float32',
    },
    decoderOutputs: ['iou_predictions', 'low_res_masks'],
    build: official,
  },
  {
    name: 'hf',
    encoderInputs: ['pixel_values'],
    encoderOutputs: [['image_embeddings'], ['image_positional_embeddings']],
    decoderInputs: {
      input_points: 'float32',
      input_labels: 'int64',
      image_embeddings: 'float32',
      image_positional_embeddings: 'float32',
    },
    decoderOutputs: ['iou_scores', 'pred_masks'],
    build: hf,
  },
  {
    name: 'edge',
    encoderInputs: pictureInputs,
    encoderOutputs: pictureOutputs,
    decoderInputs: {
      image_embeddings: 'float32',
      point_coords: 'float32',
      point_labels: 'float32',
    },
    decoderOutputs: ['scores', 'masks'],
    build: edge,
  },
];

/** SAM's own, where a graph leaves its picture's size free. */
const usualSidePx = 1024;

/** @throws LookaheadError bundle_invalid, which names what was found and what is known */
export function layoutOf({
  segmenterEncoder: encoder,
  segmenterDecoder: decoder,
}: SegmenterGraphs): SegmenterLayout {
  const pattern = patterns.find((one) => isDecoderOf(one, decoder) && isEncoderOf(one, encoder));
  if (pattern === undefined) throw unknown(encoder, decoder);
  const [image] = encoder.inputs;
  const embedding = embeddingOf(pattern, encoder);
  const theirs = decoder.inputs.find(({ name }) => name === 'image_embeddings');
  if (image === undefined || embedding === undefined || theirs === undefined)
    throw unknown(encoder, decoder);
  checkTypes(pattern, decoder);
  checkEmbeddings(encoder, decoder, embedding, theirs);
  const sidePx = pattern.name === 'lookahead' ? 0 : sideOf(encoder.path, image);
  return pattern.build({ sidePx, image: image.name, embedding: embedding.name });
}

const lookahead: SegmenterLayout = {
  name: 'lookahead',
  sidePx: null,
  isBatched: true,
  encode: async (encoder, image) => {
    const outputs = await encoder.run({ image });
    return {
      image_embeddings: tensorOf(outputs, 'image_embeddings'),
      high_res: tensorOf(outputs, 'high_res'),
    };
  },
  decode: async (decoder, embeddings, points) => {
    const outputs = await decoder.run({ ...embeddings, point_coords: coords([], points) });
    return pointMasks(tensorOf(outputs, 'masks'), floats(outputs, 'iou_predictions'));
  },
};

function official(names: Names): SegmenterLayout {
  return {
    name: 'official',
    sidePx: names.sidePx,
    isBatched: false,
    encode: encodeWith(names),
    decode: (decoder, embeddings, points) => {
      const [rows = 0, columns = 0] = tensorOf(embeddings, 'image_embeddings').dims.slice(-2);
      const size = [4 * rows, 4 * columns];
      const feeds = {
        ...embeddings,
        mask_input: float32([1, 1, ...size], new Float32Array(16 * rows * columns)),
        has_mask_input: float32([1], new Float32Array(1)),
        // The masks at the picture's size are not used: they may as well be small.
        orig_im_size: float32([2], Float32Array.from(size)),
      };
      return onePointARun(decoder, feeds, points, 'low_res_masks', 'iou_predictions');
    },
  };
}

function edge(names: Names): SegmenterLayout {
  return {
    name: 'edge',
    sidePx: names.sidePx,
    isBatched: false,
    encode: encodeWith(names),
    decode: (decoder, embeddings, points) =>
      onePointARun(decoder, embeddings, points, 'masks', 'scores'),
  };
}

function hf({ sidePx, image }: Names): SegmenterLayout {
  return {
    name: 'hf',
    sidePx,
    isBatched: true,
    encode: async (encoder, input) => {
      const outputs = await encoder.run({ [image]: input });
      return {
        image_embeddings: tensorOf(outputs, 'image_embeddings'),
        image_positional_embeddings: tensorOf(outputs, 'image_positional_embeddings'),
      };
    },
    decode: async (decoder, embeddings, points) => {
      const outputs = await decoder.run({
        ...embeddings,
        input_points: coords([1], points, [1]),
        input_labels: int64([1, points.length, 1], new Array<number>(points.length).fill(1)),
      });
      return pointMasks(tensorOf(outputs, 'pred_masks'), floats(outputs, 'iou_scores'));
    },
  };
}

function encodeWith({ image, embedding }: Names): SegmenterLayout['encode'] {
  return async (encoder, input) => ({
    image_embeddings: tensorOf(await encoder.run({ [image]: input }), embedding),
  });
}

/**
 * The point, and a padding point with label -1, as SAM was trained for prompts without a box. Of four masks the first is for
 * prompts that leave no doubt; a single point leaves some, so SAM takes the other three.
 */
async function onePointARun(
  decoder: Session,
  feeds: Tensors,
  points: readonly Point[],
  masksName: string,
  iousName: string,
): Promise<PointMasks> {
  const point_labels = float32([1, 2], Float32Array.of(1, -1));
  const found: PointMasks[] = [];
  for (const point of points) {
    const point_coords = coords([1], [point, [0, 0]]);
    const outputs = await decoder.run({ ...feeds, point_coords, point_labels });
    found.push(withoutFirstOfFour(tensorOf(outputs, masksName), floats(outputs, iousName)));
  }
  const { rows = 0, columns = 0 } = found[0] ?? {};
  return {
    logits: concatFloats(found.map(({ logits }) => logits)),
    predictedIous: concatFloats(found.map(({ predictedIous }) => predictedIous)),
    rows,
    columns,
  };
}

function withoutFirstOfFour(masks: Tensor, ious: Float32Array): PointMasks {
  const all = pointMasks(masks, ious);
  const first = ious.length === 4 ? 1 : 0;
  return {
    ...all,
    logits: all.logits.subarray(first * all.rows * all.columns),
    predictedIous: ious.subarray(first),
  };
}

function pointMasks(masks: Tensor, predictedIous: Float32Array): PointMasks {
  const [rows = 0, columns = 0] = masks.dims.slice(-2);
  if (masks.type !== 'float32' || masks.data.length !== predictedIous.length * rows * columns) {
    throw new LookaheadError(
      'model_failed',
      `The segmenter decoder gave masks ${masks.type} [${masks.dims.join(', ')}] and ${predictedIous.length} predicted IoUs.`,
      'Export the decoder again: every mask needs its own predicted IoU.',
    );
  }
  return { logits: masks.data, predictedIous, rows, columns };
}

function coords(before: number[], points: readonly Point[], between: number[] = []): Tensor {
  const dims = [...before, points.length, ...between, 2];
  return float32(dims, Float32Array.from(points.flat()));
}

function tensorOf(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`The segmenter gave no "${name}".`);
  return tensor;
}

function isDecoderOf(pattern: Pattern, { inputs, outputs }: Pick<Graph, 'inputs' | 'outputs'>) {
  return (
    sameNames(
      inputs.map(({ name }) => name),
      Object.keys(pattern.decoderInputs),
    ) && pattern.decoderOutputs.every((name) => has(outputs, name))
  );
}

function isEncoderOf(pattern: Pattern, { inputs, outputs }: Pick<Graph, 'inputs' | 'outputs'>) {
  return (
    inputs.length === 1 &&
    pattern.encoderInputs.includes(inputs[0]?.name ?? '') &&
    pattern.encoderOutputs.every((names) => names.some((name) => has(outputs, name)))
  );
}

function embeddingOf(
  pattern: Pattern,
  { outputs }: Pick<Graph, 'outputs'>,
): Described[number] | undefined {
  return outputs.find(({ name }) => pattern.encoderOutputs[0]?.includes(name) === true);
}

function has(tensors: Described, name: string): boolean {
  return tensors.some((tensor) => tensor.name === name);
}

function sameNames(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length === wanted.length && wanted.every((name) => found.includes(name));
}

function checkTypes(pattern: Pattern, { path, inputs }: Pick<Graph, 'path' | 'inputs'>): void {
  for (const { name, type } of inputs) {
    const wanted = pattern.decoderInputs[name];
    if (wanted !== undefined && type !== wanted)
      throw invalid(`${path}: input "${name}" is ${type} and should be ${wanted}.`);
  }
}

/** A graph of one size and one of another have the same names. */
function checkEmbeddings(
  encoder: Pick<Graph, 'path'>,
  decoder: Pick<Graph, 'path'>,
  given: Described[number],
  taken: Described[number],
): void {
  const differs = given.shape.some((dim, axis) => {
    const other = taken.shape[axis];
    return typeof dim === 'number' && typeof other === 'number' && dim !== other;
  });
  if (differs || given.shape.length !== taken.shape.length) {
    throw invalid(
      `${encoder.path} gives "${given.name}" [${given.shape.join(', ')}],` +
        ` ${decoder.path} takes "${taken.name}" [${taken.shape.join(', ')}].`,
    );
  }
}

function sideOf(path: string, image: Described[number]): number {
  const [batch, channels, height, width] = image.shape;
  const fixed = [height, width].filter((dim) => typeof dim === 'number');
  const isSquare = new Set(fixed).size <= 1;
  if (
    image.type !== 'float32' ||
    image.shape.length !== 4 ||
    (typeof batch === 'number' && batch !== 1) ||
    (typeof channels === 'number' && channels !== 3) ||
    !isSquare
  ) {
    throw invalid(
      `${path}: input "${image.name}" is ${image.type} [${image.shape.join(', ')}] and should be float32 [1, 3, side, side].`,
      'Export the encoder for square pictures, and without the normalisation in the graph.',
    );
  }
  return fixed[0] ?? usualSidePx;
}

function unknown(
  encoder: Pick<Graph, 'path' | 'inputs' | 'outputs'>,
  decoder: Pick<Graph, 'path' | 'inputs' | 'outputs'>,
): LookaheadError {
  const shown = ({ path, inputs, outputs }: Pick<Graph, 'path' | 'inputs' | 'outputs'>): string =>
    `${path} has ${list(inputs)} -> ${list(outputs)}`;
  const known = patterns.map(
    ({ name, encoderInputs, encoderOutputs, decoderInputs, decoderOutputs }) =>
      `${name}: ${encoderInputs.join('|')} -> ${encoderOutputs.map((names) => names.join('|')).join(', ')};` +
      ` ${Object.keys(decoderInputs).join(', ')} -> ${decoderOutputs.join(', ')}`,
  );
  return invalid(
    `No known layout of SAM: ${shown(encoder)}; ${shown(decoder)}.`,
    `Export encoder and decoder in one of these layouts. ${known.join('. ')}.`,
  );
}

function list(tensors: Described): string {
  return tensors.map(({ name }) => name).join(', ');
}

function invalid(
  what: string,
  remedy = 'Export encoder and decoder again, both of one model (training/export_sam.py).',
): LookaheadError {
  return new LookaheadError('bundle_invalid', what, remedy);
}
