import { describe, expect, test } from 'vitest';
import { softmax } from '../../src/models/confidence.js';
import { explanationSteps } from '../../src/models/explanation.js';
import { familiarityOf, featureOf } from '../../src/models/familiarity.js';
import { fusionFeeds } from '../../src/models/fusion.js';
import { recogniseEvents } from '../../src/models/heads.js';
import type { Track } from '../../src/models/tracks.js';
import { yardManifest } from './yard-bundle.js';

const label = (type: string, actor: string | null, target: string | null) => ({
  type,
  actor,
  target,
  text: `${actor ?? ''} ${type}`,
  baseRate: 0.25,
});
const manifest = {
  ...yardManifest(),
  labels: [
    label('nothing', null, null),
    label('enters', 'van', null),
    label('runs after', 'dog', 'ball'),
    label('opens', 'gate', null),
  ],
  eventThresholds: [0.5, 0.5, 0.6, 0.7],
};

function tracked(id: number, name: string, x: number, speed: number): Track {
  return {
    id,
    bornClip: 0,
    lastSeenMs: 0,
    detection: {
      box: { x, y: 0, width: 0.1, height: 0.1 },
      class: name,
      feature: new Float32Array(1),
    },
    velocity: { x: speed, y: 0 },
    sightings: 2,
  };
}

describe('events', () => {
  const clip = { fromMs: 9125, toMs: 10_000 };
  const scores = (probabilities: number[], onsets = [0, 0.5, 0.25, 1]) => ({
    probabilities,
    onsets,
  });

  test('are published from their own threshold, at their onset within the clip', () => {
    const events = recogniseEvents(scores([0.9, 0.5, 0.59, 0.8]), manifest, clip, [], new Map());
    expect(events).toEqual([
      { label: 1, onsetMs: 9562.5, probability: 0.5, actors: [], target: null },
      { label: 3, onsetMs: 10_000, probability: 0.8, actors: [], target: null },
    ]);
  });

  test('lie where training puts them: 0 is the first frame, 1 the last', () => {
    const onsetAt = (share: number, of: { fromMs: number; toMs: number }) =>
      recogniseEvents(scores([0, 1, 0, 0], [0, share, 0, 0]), manifest, of, [], new Map())[0]
        ?.onsetMs;
    // Something began 300 ms after the first frame, and the last came 875 ms after it.
    expect(onsetAt(300 / 875, clip)).toBeCloseTo(9425, 9);
    // Frames of a real camera jitter, and recordings count in fractions: never before the first frame.
    expect(onsetAt(0, { fromMs: 1000.3, toMs: 1890 })).toBe(1000.3);
    expect(onsetAt(1, { fromMs: 1000.3, toMs: 1890 })).toBe(1890);
  });

  test('name the nearest pair of actor and target, or the fastest actor', () => {
    const tracks = [
      tracked(1, 'dog', 0.1, 0.5),
      tracked(2, 'dog', 0.6, 0.1),
      tracked(3, 'ball', 0.7, 0),
      tracked(4, 'van', 0.2, 0.1),
      tracked(5, 'van', 0.3, -0.4),
    ];
    const events = recogniseEvents(scores([0, 1, 1, 0]), manifest, clip, tracks, new Map());
    expect(events.map(({ actors, target }) => ({ actors, target }))).toEqual([
      { actors: [5], target: null },
      { actors: [2], target: 3 },
    ]);
  });

  test('do not begin twice within a second', () => {
    const last = new Map([[1, 9000]]);
    expect(recogniseEvents(scores([0, 1, 0, 0]), manifest, clip, [], last)).toEqual([]);
    expect(
      recogniseEvents(scores([0, 1, 0, 0]), manifest, { fromMs: 9725, toMs: 10_600 }, [], last),
    ).toHaveLength(1);
  });
});

describe('softmax', () => {
  test('divides by the temperature first', () => {
    expect(softmax([Math.log(4), 0])).toEqual([expect.closeTo(0.8), expect.closeTo(0.2)]);
    expect(softmax([Math.log(4), 0], 2)).toEqual([expect.closeTo(2 / 3), expect.closeTo(1 / 3)]);
  });

  test('stays finite for any size of scores', () => {
    expect(softmax([-1e6, -1e6])).toEqual([0.5, 0.5]);
  });

  test.each([[[NaN, 0]], [[Infinity, 0]], [[]]])('makes no forecast of %j', (scores) => {
    expect(() => softmax(scores)).toThrow(expect.objectContaining({ code: 'model_failed' }));
  });
});

describe('familiarity', () => {
  const tokens = { cls: Float32Array.of(3), patches: Float32Array.of(1, 5) };
  const calibrated = (quantiles: number[]) =>
    familiarityOf(tokens, {
      mean: [1, 3, 2],
      whitening: [
        [1, 0, 0],
        [0, 0, 1],
      ],
      quantiles,
    });

  test('looks at CLS, mean and standard deviation of the patches', () => {
    expect([...featureOf(tokens)]).toEqual([3, 3, 2]);
  });

  test('is the share of held-out scenes that lie farther', () => {
    // The distance is (3 - 1)² + (2 - 2)² = 4.
    expect(calibrated([0, 2, 4, 6, 8])).toBeCloseTo(0.5);
    expect(calibrated([0, 3, 5])).toBeCloseTo(0.25);
    expect(calibrated([5, 6, 7])).toBe(1);
    expect(calibrated([1, 2, 3])).toBe(0);
  });

  test('what is no number is not familiar', () => {
    const broken = { ...tokens, cls: Float32Array.of(NaN) };
    expect(
      familiarityOf(broken, { mean: [0, 0, 0], whitening: [[1, 0, 0]], quantiles: [0, 1] }),
    ).toBe(0);
  });
});

describe('fusion feeds', () => {
  const dim = manifest.geometry.visionDim;
  const window = (scenes: { clip: number; objectCount: number }[]) => {
    const objects = scenes.reduce((sum, { objectCount }) => sum + objectCount, 0);
    return {
      scenes,
      global: Float32Array.from({ length: scenes.length * dim }, (_, i) => Math.floor(i / dim)),
      objects: Float32Array.from({ length: objects * dim }, (_, i) => Math.floor(i / dim)),
      attributes: new Float32Array(objects * 7),
    };
  };

  test('count ages from the newest clip, over holes', () => {
    const feeds = fusionFeeds(
      window([
        { clip: 4, objectCount: 1 },
        { clip: 6, objectCount: 2 },
      ]),
      manifest,
    );
    expect([...(feeds['global_clip']?.data ?? [])]).toEqual([2n, 0n]);
    expect([...(feeds['object_clip']?.data ?? [])]).toEqual([2n, 0n, 0n]);
    expect([...(feeds['object_mask']?.data ?? [])]).toEqual([1, 1, 1]);
  });

  test('leave out scenes that are older than a window', () => {
    const feeds = fusionFeeds(
      window([
        { clip: 1, objectCount: 2 },
        { clip: 9, objectCount: 1 },
      ]),
      manifest,
    );
    expect(feeds['global']?.dims).toEqual([1, 1, dim]);
    expect(feeds['global']?.data[0]).toBe(1);
    expect(feeds['objects']?.dims).toEqual([1, 1, dim]);
    expect(feeds['objects']?.data[0]).toBe(2);
  });

  test('give one masked row where nothing was seen', () => {
    const feeds = fusionFeeds(window([{ clip: 0, objectCount: 0 }]), manifest);
    expect(feeds['objects']?.dims).toEqual([1, 1, dim]);
    expect([...(feeds['object_mask']?.data ?? [])]).toEqual([0]);
  });
});

test('an explanation has one step a sentence, with the tracks and times of what it names', () => {
  const seen = [
    { fromMs: 0, toMs: 1000, objects: [{ track: 3, class: 'dog' }] },
    {
      fromMs: 1000,
      toMs: 2000,
      objects: [
        { track: 1, class: 'van' },
        { track: 3, class: 'dog' },
      ],
    },
    { fromMs: 2000, toMs: 3000, objects: [{ track: 1, class: 'van' }] },
  ];
  expect(explanationSteps('The van came. Then it was quiet.', seen)).toEqual([
    { text: 'The van came.', evidence: { tracks: [1], fromMs: 1000, toMs: 3000 } },
    { text: 'Then it was quiet.', evidence: { tracks: [], fromMs: 0, toMs: 3000 } },
  ]);
  expect(explanationSteps('', seen)).toEqual([]);
});
