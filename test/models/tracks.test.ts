import { describe, expect, test } from 'vitest';
import { noTracks, track, type Detection, type TrackerState } from '../../src/models/tracks.js';

const aspect = 16 / 9;
const feature = { van: Float32Array.of(1, 0, 0.2), person: Float32Array.of(0, 1, 0.2) };

function seen(name: 'van' | 'person', x: number, y = 0.5, width = 0.1): Detection {
  return { box: { x, y, width, height: 0.1 }, class: name, feature: feature[name] };
}

/** Tracks detections clip by clip, a second each; null is a clip in which nothing was asked. */
function run(clips: readonly (readonly Detection[])[]) {
  let state: TrackerState = noTracks;
  return clips.map((detections, clip) => {
    const tracked = track(state, detections, clip, clip * 1000, aspect, 1000);
    state = tracked.state;
    return tracked.seen;
  });
}
const ids = (clips: ReturnType<typeof run>) => clips.map((tracks) => tracks.map(({ id }) => id));

test('a moving thing keeps its id, and its velocity is in shares of the picture a second', () => {
  const clips = run([[seen('van', 0.1)], [seen('van', 0.25)], [seen('van', 0.4)]]);
  expect(ids(clips)).toEqual([[1], [1], [1]]);
  expect(clips[0]?.[0]?.velocity).toEqual({ x: 0, y: 0 });
  expect(clips[2]?.[0]?.velocity.x).toBeCloseTo(0.15);
  expect(clips[2]?.[0]?.bornClip).toBe(0);
});

test('two that pass each other keep their ids: the predicted place decides', () => {
  const clips = run([
    [seen('van', 0.1), seen('van', 0.7)],
    [seen('van', 0.25), seen('van', 0.55)],
    [seen('van', 0.4), seen('van', 0.4, 0.52)],
    [seen('van', 0.25, 0.52), seen('van', 0.55)],
  ]);
  expect(ids(clips)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
    [2, 1],
  ]);
});

test('another class at a near place is another thing', () => {
  const clips = run([[seen('van', 0.1)], [seen('person', 0.16)]]);
  expect(ids(clips)).toEqual([[1], [2]]);
});

test('a class that flips while the box stays is the same thing', () => {
  const clips = run([[seen('van', 0.1)], [seen('person', 0.105)]]);
  expect(ids(clips)).toEqual([[1], [1]]);
});

describe('a thing that is not seen', () => {
  test('for one clip comes back under its id, with the velocity over the whole time', () => {
    const clips = run([[seen('van', 0.1)], [seen('van', 0.2)], [], [seen('van', 0.4)]]);
    expect(ids(clips)).toEqual([[1], [1], [], [1]]);
    expect(clips[3]?.[0]?.velocity.x).toBeCloseTo(0.1);
  });

  test('for exactly one clip lives on, though frames arrive a little late', () => {
    const { state } = track(noTracks, [seen('van', 0.1)], 0, 875, aspect, 1000);
    const missed = track(state, [], 1, 1880, aspect, 1000);
    expect(track(missed.state, [seen('van', 0.1)], 2, 2878, aspect, 1000).seen[0]?.id).toBe(1);
  });

  test('for two clips is dead, though frames arrive a little early; clips may be short', () => {
    const { state } = track(noTracks, [seen('van', 0.1)], 0, 440, aspect, 500);
    const again = track(state, [seen('van', 0.1)], 3, 1930, aspect, 500);
    expect(again.seen[0]?.id).toBe(2);
  });

  test('for more than two seconds is dead, and its id is never given again', () => {
    const clips = run([[seen('van', 0.1)], [], [], [seen('van', 0.1)]]);
    expect(ids(clips)).toEqual([[1], [], [], [2]]);
  });
});

test('what turns up far away is new', () => {
  expect(ids(run([[seen('person', 0.1)], [seen('person', 0.9)]]))).toEqual([[1], [2]]);
});
