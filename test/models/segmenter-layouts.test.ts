import { describe, expect, test } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import type { Graph } from '../../src/models/manifest.js';
import { placeInSquare, toSquare } from '../../src/models/sam-input.js';
import { filterMasks } from '../../src/models/automatic-masks.js';
import { askPoints, decodePoints, encodeImage } from '../../src/models/segmenter.js';
import { layoutOf, type SegmenterGraphs } from '../../src/models/segmenter-layouts.js';
import { openSession, type Session } from '../../src/models/session.js';
import { float32, uint8, type Tensors } from '../../src/models/tensor.js';
import { samExpected, samFiles, samGraphs, samLayouts, samManifest } from './sam-fixtures.js';
import { largestDifference, yardManifest } from './yard-bundle.js';

const expected = samExpected();
const { widthPx, heightPx } = expected.size;
const picture = {
  image: uint8([1, heightPx, widthPx, 3], expected.pixels),
  picture: expected.picture,
};
const placement = placeInSquare(expected.picture, 64);
const points = expected.points.map((point) => toSquare(point, placement));

async function open(layout: keyof typeof samFiles): Promise<{
  graphs: SegmenterGraphs;
  encoder: Session;
  decoder: Session;
}> {
  const graphs = await samGraphs(layout);
  const { encoder, decoder } = samFiles[layout];
  return {
    graphs,
    encoder: await openSession(encoder, graphs.segmenterEncoder, { threads: 1 }),
    decoder: await openSession(decoder, graphs.segmenterDecoder, { threads: 1 }),
  };
}

/** A session that keeps what it was fed. */
function watched(session: Session): { session: Session; feeds: Tensors[] } {
  const feeds: Tensors[] = [];
  const run: Session['run'] = (given) => {
    feeds.push(given);
    return session.run(given);
  };
  return { session: { ...session, run }, feeds };
}

describe.each(samLayouts)('%s', (name) => {
  test("gives PyTorch's masks, from the letterboxed frame on", async () => {
    const { graphs, encoder, decoder } = await open(name);
    const layout = layoutOf(graphs);
    expect(layout).toMatchObject({ name, sidePx: 64 });
    const manifest = await samManifest(name, expected.size);
    const { tensors } = await encodeImage(encoder, picture, manifest);
    const found = await layout.decode(decoder, tensors, points);
    expect(found).toMatchObject({ rows: 16, columns: 16 });
    const masks = float32([3, 3, 16, 16], found.logits);
    expect(largestDifference(masks, expected.masks)).toBeLessThan(1e-3);
    const ious = float32([3, 3], found.predictedIous);
    expect(largestDifference(ious, expected.predictedIous)).toBeLessThan(1e-3);
  });

  test('gives every run the one embedding of the picture, not a copy of it', async () => {
    const { graphs, encoder, decoder } = await open(name);
    const layout = layoutOf(graphs);
    const tensors = await layout.encode(encoder, expected.input);
    const { session, feeds } = watched(decoder);
    await layout.decode(session, tensors, points);
    expect(feeds).toHaveLength(layout.isBatched ? 1 : points.length);
    for (const feed of feeds) {
      expect(feed['image_embeddings']?.dims).toEqual([1, 16, 4, 4]);
      expect(feed['image_embeddings']?.data).toBe(tensors['image_embeddings']?.data);
    }
  });

  test('finds automatic masks on the grid over the frame, none in its bars', async () => {
    const { encoder, decoder } = await open(name);
    const manifest = await samManifest(name, expected.size);
    const segmenter = { ...manifest.segmenter, predIouThresh: 0.88, pointsPerBatch: 2 };
    const embeddings = await encodeImage(encoder, picture, manifest);
    const loose = { ...segmenter, stabilityScoreThresh: 0.1, boxNmsThresh: 0.99 };
    const { maskRows, maskColumns } = manifest.geometry;
    let found = 0;
    const asked = { ...manifest, segmenter };
    await askPoints(decoder, embeddings, expected.points, asked, (own, ious) => {
      found += filterMasks(own, ious, maskRows, maskColumns, loose).length;
    });
    expect(found).toBeGreaterThan(0);
    // 24 px, of which the first and the last are bars: on a grid of 24 rows these are the bars.
    const fine = { ...manifest, geometry: { ...manifest.geometry, maskRows: 24, maskColumns: 40 } };
    const { logits } = await decodePoints(decoder, embeddings, expected.points, fine);
    for (let mask = 0; mask < 9; mask++) {
      const rows = Array.from({ length: 24 }, (_, row) =>
        logits.subarray((mask * 24 + row) * 40, (mask * 24 + row + 1) * 40),
      );
      rows.forEach((row, index) => {
        const isBar = index === 0 || index === 23;
        expect(row.every((logit) => (isBar ? logit === -Infinity : Number.isFinite(logit)))).toBe(
          true,
        );
      });
    }
  });
});

test('our own graphs are the layout `lookahead`, and take the frame as it is', () => {
  expect(layoutOf(yardManifest().files)).toMatchObject({ name: 'lookahead', sidePx: null });
});

describe('graphs that do not fit', () => {
  const problemOf = (graphs: SegmenterGraphs): LookaheadError => {
    try {
      layoutOf(graphs);
    } catch (error) {
      if (error instanceof LookaheadError) return error;
    }
    throw new Error('They were taken.');
  };
  const withInput = (graph: Graph, change: Partial<Graph['inputs'][number]>): Graph => ({
    ...graph,
    inputs: graph.inputs.map((input, index) => (index === 0 ? { ...input, ...change } : input)),
  });

  test('are named with their inputs, beside the layouts that are known', async () => {
    const { segmenterEncoder } = await samGraphs('hf');
    const { segmenterDecoder } = await samGraphs('official');
    const problem = problemOf({ segmenterEncoder, segmenterDecoder });
    expect(problem.code).toBe('bundle_invalid');
    expect(problem.message).toContain('pixel_values -> image_embeddings');
    expect(problem.message).toContain('mask_input, has_mask_input, orig_im_size -> masks');
    for (const name of ['lookahead', ...samLayouts]) expect(problem.remedy).toContain(`${name}: `);
  });

  test('of two sizes are refused', async () => {
    const { segmenterEncoder, segmenterDecoder } = await samGraphs('edge');
    const other = withInput(segmenterDecoder, { shape: [1, 16, 64, 64] });
    const problem = problemOf({ segmenterEncoder, segmenterDecoder: other });
    expect(problem.message).toMatch(/gives "image_embeddings" \[1, 16, 4, 4\].*\[1, 16, 64, 64\]/);
  });

  test.each([
    ['with the normalisation inside', { shape: ['height', 'width', 3] }],
    ['for pictures that are not square', { shape: [1, 3, 64, 96] }],
    ['for bytes', { type: 'uint8' as const }],
  ])('an encoder %s is refused', async (_, change) => {
    const { segmenterEncoder, segmenterDecoder } = await samGraphs('official');
    const other = withInput(segmenterEncoder, change);
    const problem = problemOf({ segmenterEncoder: other, segmenterDecoder });
    expect(problem.message).toContain('should be float32 [1, 3, side, side]');
  });

  test('labels of another type are refused', async () => {
    const { segmenterEncoder, segmenterDecoder } = await samGraphs('edge');
    const inputs = segmenterDecoder.inputs.map((input) =>
      input.name === 'point_labels' ? { ...input, type: 'int64' as const } : input,
    );
    const problem = problemOf({
      segmenterEncoder,
      segmenterDecoder: { ...segmenterDecoder, inputs },
    });
    expect(problem.message).toContain('"point_labels" is int64 and should be float32');
  });
});
