import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Graph, Manifest } from '../../src/models/manifest.js';
import type { Point } from '../../src/models/prompt-points.js';
import type { Rectangle, Size } from '../../src/models/preprocess.js';
import { describeGraph } from '../../src/models/session.js';
import { float32, type Tensor } from '../../src/models/tensor.js';
import { yardManifest } from './yard-bundle.js';

/** One tiny SAM with random weights in every layout (training/sam_fixtures.py). */
export const samFiles = {
  official: { encoder: path('encoder.onnx'), decoder: path('decoder-official.onnx') },
  hf: { encoder: path('encoder-hf.onnx'), decoder: path('decoder-hf.onnx') },
  edge: { encoder: path('encoder.onnx'), decoder: path('decoder-edge.onnx') },
} as const;

export const samLayouts = ['official', 'hf', 'edge'] as const;

/** A letterboxed frame, and what PyTorch makes of it. */
export interface SamExpected {
  readonly size: Size;
  readonly picture: Rectangle;
  readonly pixels: Uint8Array;
  readonly points: readonly Point[];
  /** [1, 3, 64, 64] */
  readonly input: Tensor;
  /** [points, 3, 16, 16] */
  readonly masks: Tensor;
  /** [points, 3] */
  readonly predictedIous: Tensor;
}

export function samExpected(): SamExpected {
  const stored = JSON.parse(readFileSync(path('expected.json'), 'utf8')) as {
    size: Size;
    picture: Rectangle;
    points: Point[];
    pixels: string;
    input: string;
    masks: { shape: number[]; data: string };
    predictedIous: { shape: number[]; data: string };
  };
  const floatsOf = (text: string): Float32Array =>
    new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
  return {
    ...stored,
    pixels: new Uint8Array(Buffer.from(stored.pixels, 'base64')),
    input: float32([1, 3, 64, 64], floatsOf(stored.input)),
    masks: float32(stored.masks.shape, floatsOf(stored.masks.data)),
    predictedIous: float32(stored.predictedIous.shape, floatsOf(stored.predictedIous.data)),
  };
}

export async function samGraphs(
  layout: keyof typeof samFiles,
): Promise<{ segmenterEncoder: Graph; segmenterDecoder: Graph }> {
  const { encoder, decoder } = samFiles[layout];
  const graph = async (file: string): Promise<Graph> => ({
    path: file,
    sha256: '0'.repeat(64),
    ...(await describeGraph(file, { threads: 1 })),
  });
  return { segmenterEncoder: await graph(encoder), segmenterDecoder: await graph(decoder) };
}

/** The yard's, with that segmenter in it, for frames of the fixture's size. */
export async function samManifest(layout: keyof typeof samFiles, size: Size): Promise<Manifest> {
  const manifest = yardManifest();
  return {
    ...manifest,
    preprocessing: { ...manifest.preprocessing, ...size },
    geometry: { ...manifest.geometry, maskRows: 12, maskColumns: 20 },
    files: { ...manifest.files, ...(await samGraphs(layout)) },
  };
}

function path(name: string): string {
  return fileURLToPath(new URL(`../fixtures/sam/${name}`, import.meta.url));
}
