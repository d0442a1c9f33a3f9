import { describe, expect, test } from 'vitest';
import { softmax } from '../../src/models/confidence.js';
import { familiarityOf, featureOf } from '../../src/models/familiarity.js';
import {
  readObjects,
  scoreEvents,
  tracksInPlay,
  type EventScores,
} from '../../src/models/heads.js';
import type { Manifest } from '../../src/models/manifest.js';
import type { Session } from '../../src/models/session.js';
import { float32, type Tensors } from '../../src/models/tensor.js';
import { noTracks, track, type Detection, type TrackerState } from '../../src/models/tracks.js';
import { yardManifest } from './yard-bundle.js';

const manifest = yardManifest();

/** A graph that writes down what it is fed, and answers what the test says. */
function fakeSession(answer: Tensors): Session & { readonly fed: Tensors[] } {
  const fed: Tensors[] = [];
  return {
    fed,
    run: (feeds) => {
      fed.push(feeds);
      return Promise.resolve(answer);
    },
    dispose: () => Promise.resolve(),
  };
}

/** A bundle of version 3: two classes, one label, tokens of two numbers. */
const named: Manifest = {
  ...manifest,
  classes: ['background', 'van', 'dog'],
  geometry: {
    ...manifest.geometry,
    visionDim: 2,
    patchRows: 1,
    patchColumns: 1,
    keyFrame: 7,
    lookFrames: [1, 3, 5, 7],
    objectAttributes: ['braking', 'facing'],
    trackAttributes: ['x', 'y', 'width', 'height', 'vx', 'vy', 'age', 'unseen'],
    place: ['gate', 'rain'],
  },
  files: {
    ...manifest.files,
    eventHead: {
      ...manifest.files.eventHead,
      inputs: [{ name: 'tracks', type: 'float32', shape: [1, 'M', 2] }],
    },
  },
};

describe('what is told of a thing', () => {
  const tokens = Float32Array.of(1, 2, 3, 4);
  const boxes = Float32Array.of(0, 0, 0.1, 0.1, 0.5, 0.5, 0.2, 0.2);
  const logits = float32([2, 3], Float32Array.of(0, Math.log(2), Math.log(5), 9, 0, 0));

  test('are its class chances, its attributes by name, and where it was', async () => {
    const session = fakeSession({
      class_logits: logits,
      attributes: float32([2, 2], Float32Array.of(0.75, -0.5, 0, 1)),
      looks: float32([2, 3, 2], Float32Array.of(-0.3, 0, -0.2, 0, -0.1, 0.25, 0, 0, 0, 0, 0, 0)),
    });
    const [first, second] = await readObjects(session, tokens, boxes, named);
    expect([...(first?.classes ?? [])]).toEqual([
      expect.closeTo(1 / 8),
      expect.closeTo(2 / 8),
      expect.closeTo(5 / 8),
    ]);
    expect(first?.attributes).toEqual({ braking: 0.75, facing: -0.5 });
    expect(second?.attributes).toEqual({ braking: 0, facing: 1 });
    const near = (value: number): unknown => expect.closeTo(value);
    expect(first?.looks).toEqual([
      { beforeMs: 750, x: near(-0.3), y: 0 },
      { beforeMs: 500, x: near(-0.2), y: 0 },
      { beforeMs: 250, x: near(-0.1), y: 0.25 },
    ]);
  });
});

describe('the event head', () => {
  const clip = { cls: Float32Array.of(1, 1), patches: Float32Array.of(2, 2) };
  const at = (index: number) => ({ clip: index, atMs: index * 1000, aspect: 16 / 9, clipMs: 1000 });
  const van = (x: number): Detection => ({
    box: { x, y: 0.5, width: 0.1, height: 0.1 },
    classes: Float32Array.of(0, 1, 0),
    feature: Float32Array.of(x, 1),
    looks: [],
  });
  const dog: Detection = {
    box: { x: 0.8, y: 0.1, width: 0.05, height: 0.05 },
    classes: Float32Array.of(0, 0, 1),
    feature: Float32Array.of(7, 7),
    looks: [],
  };
  const answer = (logits: number[]): Tensors => ({
    event_logits: float32([1, 1], Float32Array.of(0)),
    onset: float32([1, 1], Float32Array.of(0.5)),
    actor_logits: float32([1, 1, logits.length], Float32Array.from(logits)),
    target_logits: float32([1, 1, logits.length], new Float32Array(logits.length)),
    place_logits: float32([1, 2], Float32Array.of(0, 1000)),
  });
  /** A van drives to the right, a dog is seen in clips 0 and 1 only. */
  function watched(clips: number) {
    let state: TrackerState = noTracks;
    let seen: readonly TrackerState['tracks'][number][] = [];
    for (let index = 0; index < clips; index++) {
      const things = index < 2 ? [van(0.1 + index * 0.1), dog] : [van(0.1 + index * 0.1)];
      ({ state, seen } = track(state, things, at(index)));
    }
    return tracksInPlay(seen, state.tracks, at(clips - 1));
  }
  const score = async (clips: number, logits: number[]) => {
    const session = fakeSession(answer(logits));
    const tracks = watched(clips);
    const scores: EventScores = await scoreEvents(
      session,
      clip,
      clip,
      tracks,
      at(clips - 1),
      named,
    );
    return { tracks, scores, fed: session.fed[0] ?? {} };
  };

  test('gets who is seen, then who was lost of late, where he should be now', async () => {
    const { tracks, fed } = await score(3, [0, 0, 0]);
    expect(tracks.map(({ id }) => id)).toEqual([1, 2]);
    expect(fed['tracks']?.dims).toEqual([1, 2, 2]);
    expect([...(fed['tracks']?.data ?? [])].map(Number)).toEqual([expect.closeTo(0.3), 1, 7, 7]);
    expect(fed['track_attributes']?.dims).toEqual([1, 2, 8]);
    expect([...(fed['track_attributes']?.data ?? [])].map(Number)).toEqual(
      [0.3, 0.5, 0.1, 0.1, 0.1, 0, 2 / 8, 0, 0.8, 0.1, 0.05, 0.05, 0, 0, 1 / 8, 1 / 2].map(
        (value): unknown => expect.closeTo(value, 5),
      ),
    );
    expect([...(fed['track_classes']?.data ?? [])].map(Number)).toEqual([0, 1, 0, 0, 0, 1]);
  });

  test('gets nobody who was lost more than two clips ago', async () => {
    expect((await score(4, [0, 0, 0])).tracks.map(({ id }) => id)).toEqual([1, 2]);
    expect((await score(5, [0, 0])).tracks.map(({ id }) => id)).toEqual([1]);
  });

  test('says for each label who, and for the place what holds', async () => {
    const { scores } = await score(3, [0, Math.log(2), Math.log(5)]);
    expect(scores.pointers.actors).toEqual([
      [expect.closeTo(1 / 8), expect.closeTo(2 / 8), expect.closeTo(5 / 8)],
    ]);
    expect(scores.place).toEqual({ gate: 0.5, rain: 1 });
    expect(scores.probabilities).toEqual([0.5]);
  });

  test('without a track gets one row of zeros, and can point at nobody', async () => {
    const session = fakeSession(answer([5, 1]));
    const scores = await scoreEvents(session, clip, clip, [], at(0), named);
    expect(session.fed[0]?.['tracks']).toEqual(float32([1, 1, 2], new Float32Array(2)));
    expect(session.fed[0]?.['track_attributes']?.dims).toEqual([1, 1, 8]);
    expect(scores.pointers).toEqual({ actors: [[1]], targets: [[1]] });
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
