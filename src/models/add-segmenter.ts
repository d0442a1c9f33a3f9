/** A copy of a bundle with another segmenter in it. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';
import { openBundle, type Bundle } from './bundle.js';
import type { Graph, Manifest } from './manifest.js';
import { gridPoints } from './prompt-points.js';
import { decodePoints, encodeImage, type SegmenterPicture } from './segmenter.js';
import { layoutOf, type SegmenterLayout } from './segmenter-layouts.js';
import { describeGraph, openSession, type SessionOptions } from './session.js';
import { uint8 } from './tensor.js';
import type { ClockMs } from './stopwatch.js';

export interface AddedSegmenter {
  readonly layout: SegmenterLayout;
  readonly manifest: Manifest;
  /** By the clock that was given, for one picture. */
  readonly encodeMs: number;
  /** For the whole grid of points. */
  readonly decodeMs: number;
  readonly points: number;
}

/** SAM's automatic mask generator's own. */
const samParameters = {
  predIouThresh: 0.88,
  stabilityScoreThresh: 0.95,
  stabilityScoreOffset: 1,
  boxNmsThresh: 0.7,
  minMaskRegionArea: 0,
} as const;

/** At SAM's size a run needs some 70 MB a point (4.4 GB for 64). */
const pointsPerBatchMax = 16;

/**
 * Checks that the graphs are a known layout of SAM and that they run, and writes the bundle with them to an empty folder.
 * What was measured with the old segmenter is left out, and nothing that the new bundle says counts as calibrated.
 *
 * @throws LookaheadError bundle_invalid, model_failed, usage (the folder is not empty)
 */
export async function addSegmenter(
  bundleDir: string,
  paths: { readonly encoder: string; readonly decoder: string },
  out: string,
  options: SessionOptions & { readonly clock: ClockMs },
): Promise<AddedSegmenter> {
  await refuseFull(out);
  const bundle = await openBundle(bundleDir);
  const files = {
    ...bundle.manifest.files,
    segmenterEncoder: await graphOf(paths.encoder, 'segmenter-encoder.onnx', options),
    segmenterDecoder: await graphOf(paths.decoder, 'segmenter-decoder.onnx', options),
  };
  // In messages of `layoutOf` the files bear the names that the user gave them.
  const layout = layoutOf({
    segmenterEncoder: { ...files.segmenterEncoder, path: paths.encoder },
    segmenterDecoder: { ...files.segmenterDecoder, path: paths.decoder },
  });
  const asked = { ...bundle.manifest, files };
  const manifest = {
    ...asked,
    ...changesOf(asked, layout, await maskSizeOf(asked, layout, paths, options)),
  };
  try {
    await write(bundle, manifest, paths, out);
    // The copy itself is tried: a graph whose weights lie beside it runs only where they lie.
    const written = await openBundle(out);
    const own = {
      encoder: written.path('segmenterEncoder'),
      decoder: written.path('segmenterDecoder'),
    };
    return {
      layout,
      manifest: written.manifest,
      ...(await tryGrey(written.manifest, own, options)),
    };
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

async function refuseFull(out: string): Promise<void> {
  const found = await readdir(out).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    const what = `${out} is not a folder that can be written: ${messageOf(cause)}`;
    throw new LookaheadError('usage', what, 'Name another with --out.', { cause });
  });
  if (found.length === 0) return;
  const what = `${out} holds ${found[0] ?? ''} and should be empty or not there.`;
  throw new LookaheadError('usage', what, 'Name another folder with --out, or empty this one.');
}

async function graphOf(path: string, name: string, options: SessionOptions): Promise<Graph> {
  const described = await describeGraph(path, options);
  return { path: name, sha256: await sha256Of(path), ...described };
}

async function sha256Of(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const what = `${path} cannot be read: ${messageOf(cause)}`;
    throw new LookaheadError('usage', what, 'Name an ONNX file.', { cause });
  });
  return createHash('sha256').update(bytes).digest('hex');
}

/** Rows and columns of one mask of the decoder that lie over a picture as large as the frame. */
async function maskSizeOf(
  manifest: Manifest,
  layout: SegmenterLayout,
  paths: { readonly encoder: string; readonly decoder: string },
  options: SessionOptions,
): Promise<{ readonly rows: number; readonly columns: number }> {
  const { files, preprocessing } = manifest;
  const { widthPx, heightPx } = preprocessing;
  const encoder = await openSession(paths.encoder, files.segmenterEncoder, options);
  const decoder = await openSession(paths.decoder, files.segmenterDecoder, options);
  try {
    const { tensors } = await encodeImage(encoder, grey(manifest), manifest);
    const { rows, columns } = await layout.decode(decoder, tensors, [[1, 1]]);
    if (layout.sidePx === null) return { rows, columns };
    const longest = Math.max(widthPx, heightPx);
    return { rows: (rows * heightPx) / longest, columns: (columns * widthPx) / longest };
  } finally {
    await encoder.dispose();
    await decoder.dispose();
  }
}

function changesOf(
  manifest: Manifest,
  layout: SegmenterLayout,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Partial<Manifest> {
  const { geometry, segmenter } = manifest;
  // Pooling needs whole cells in a patch: as near to the decoder's own resolution as that allows.
  const cells = (count: number, patches: number): number =>
    patches * Math.max(1, Math.round(count / patches));
  const isSam = layout.name !== 'lookahead';
  const pointsPerBatch = layout.isBatched
    ? Math.min(segmenter.pointsPerBatch, pointsPerBatchMax)
    : segmenter.pointsPerBatch;
  return {
    version: `${manifest.version}+segmenter.${layout.name}`,
    description: `${manifest.description} With another segmenter (layout ${layout.name}), with which nothing was trained or measured.`,
    licence: `${manifest.licence}; the segmenter has its own`,
    domain: { ...manifest.domain, familiarityMin: 1 },
    geometry: {
      ...geometry,
      maskRows: cells(rows, geometry.patchRows),
      maskColumns: cells(columns, geometry.patchColumns),
    },
    segmenter: isSam ? { ...segmenter, ...samParameters, pointsPerBatch } : segmenter,
    quality: {},
  };
}

/** Nothing but the files that the manifest names: the golden files and the training log are of the old graphs. */
async function write(
  bundle: Bundle,
  manifest: Manifest,
  paths: { readonly encoder: string; readonly decoder: string },
  out: string,
): Promise<void> {
  const sources = new Map<string, string>();
  for (const file of Object.values(bundle.manifest.files))
    if (file !== undefined) sources.set(file.path, join(bundle.dir, file.path));
  sources.delete(bundle.manifest.files.segmenterEncoder.path);
  sources.delete(bundle.manifest.files.segmenterDecoder.path);
  sources.set(manifest.files.segmenterEncoder.path, paths.encoder);
  sources.set(manifest.files.segmenterDecoder.path, paths.decoder);
  for (const [path, source] of sources) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await copyFile(source, join(out, path));
  }
  await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function tryGrey(
  manifest: Manifest,
  paths: { readonly encoder: string; readonly decoder: string },
  options: SessionOptions & { readonly clock: ClockMs },
): Promise<{ readonly encodeMs: number; readonly decodeMs: number; readonly points: number }> {
  const { files, segmenter } = manifest;
  const encoder = await openSession(paths.encoder, files.segmenterEncoder, options);
  const decoder = await openSession(paths.decoder, files.segmenterDecoder, options);
  try {
    const picture = whole(manifest);
    const points = gridPoints(picture, segmenter);
    const start = options.clock();
    const embeddings = await encodeImage(encoder, grey(manifest), manifest);
    const encoded = options.clock();
    for (let from = 0; from < points.length; from += segmenter.pointsPerBatch) {
      const batch = points.slice(from, from + segmenter.pointsPerBatch);
      const { logits } = await decodePoints(decoder, embeddings, batch, manifest);
      // No logit of a whole picture lies in a bar, so none is infinite.
      if (!logits.every(Number.isFinite)) {
        throw new LookaheadError(
          'model_failed',
          `${paths.decoder} gives logits that are no numbers for a grey picture.`,
          'Export the graphs again in float32.',
        );
      }
    }
    return {
      encodeMs: encoded - start,
      decodeMs: options.clock() - encoded,
      points: points.length,
    };
  } finally {
    await encoder.dispose();
    await decoder.dispose();
  }
}

function whole({ preprocessing }: Manifest) {
  return { x: 0, y: 0, width: preprocessing.widthPx, height: preprocessing.heightPx };
}

function grey(manifest: Manifest): SegmenterPicture {
  const { widthPx, heightPx } = manifest.preprocessing;
  const pixels = new Uint8Array(heightPx * widthPx * 3).fill(128);
  return { image: uint8([1, heightPx, widthPx, 3], pixels), picture: whole(manifest) };
}
