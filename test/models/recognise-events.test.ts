import { describe, expect, test } from 'vitest';
import type { EventPointers } from '../../src/models/heads.js';
import { faintEvents, recogniseEvents } from '../../src/models/recognise-events.js';
import type { Track } from '../../src/models/tracks.js';

const label = (type: string, actor: string | null, target: string | null) => ({
  type,
  actor,
  target,
  text: `${actor ?? ''} ${type}`,
  baseRate: 0.25,
});
const classes = ['background', 'van', 'dog', 'ball', 'gate', 'child'];
const manifest = {
  classes,
  labels: [
    label('nothing', null, null),
    label('enters', 'van', null),
    label('runs after', 'dog', 'ball'),
    label('opens', 'gate', null),
  ],
  eventThresholds: [0.5, 0.5, 0.6, 0.7],
};

function tracked(id: number, name: string, x: number, speed = 0): Track {
  const chances = Float32Array.from(classes, (one) => Number(one === name));
  const box = { x, y: 0, width: 0.1, height: 0.1 };
  const feature = new Float32Array(1);
  return {
    id,
    bornClip: 0,
    lastSeenMs: 0,
    detection: { box, classes: chances, feature, looks: [] },
    velocity: { x: speed, y: 0 },
    sightings: 2,
    classes: chances,
    feature,
    rest: { box, sinceMs: 0 },
  };
}

const clip = { fromMs: 9125, toMs: 10_000 };
const scores = (
  probabilities: number[],
  onsets = [0, 0.5, 0.25, 1],
  pointers: EventPointers = { actors: [], targets: [] },
) => ({ probabilities, onsets, pointers, place: {} });

describe('events', () => {
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

  test('do not begin twice within a second', () => {
    const last = new Map([[1, 9000]]);
    expect(recogniseEvents(scores([0, 1, 0, 0]), manifest, clip, [], last)).toEqual([]);
    expect(
      recogniseEvents(scores([0, 1, 0, 0]), manifest, { fromMs: 9725, toMs: 10_600 }, [], last),
    ).toHaveLength(1);
  });
});

describe('faint events', () => {
  const faintIn = (chances: number[], last = new Map<number, number>()) =>
    faintEvents(scores(chances), manifest, clip, last).map(({ label }) => label);

  test('are those below the threshold that might have been one', () => {
    expect(faintIn([0.9, 0.49, 0.01, 0.9])).toEqual([1]);
    expect(faintEvents(scores([0, 0.4, 0, 0]), manifest, clip, new Map())).toEqual([
      { label: 1, onsetMs: 9562.5, probability: 0.4 },
    ]);
  });

  test('are no echoes of what has just begun', () => {
    expect(faintIn([0, 0.4, 0, 0], new Map([[1, 9000]]))).toEqual([]);
    expect(faintIn([0, 0.4, 0, 0], new Map([[1, 8000]]))).toEqual([1]);
  });
});

describe('who did it', () => {
  const tracks = [tracked(11, 'dog', 0.1), tracked(12, 'ball', 0.9), tracked(13, 'dog', 0.8)];
  const nobody = [0, 0, 0, 1];
  /** The dog runs after the ball, by these chances of the three tracks and of none. */
  const pair = (actors: number[], targets: number[], of: readonly Track[] = tracks) => {
    const all = (own: number[]) => [nobody, nobody, own, nobody];
    const pointers = { actors: all(actors), targets: all(targets) };
    const [event] = recogniseEvents(
      scores([0, 0, 1, 0], undefined, pointers),
      manifest,
      clip,
      of,
      new Map(),
    );
    return [event?.actors, event?.target];
  };

  test('is whom the head points at, not who is nearest', () => {
    expect(pair([0.7, 0.1, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1])).toEqual([[11], 12]);
  });

  test('is nobody where «none» is the likeliest', () => {
    expect(pair([0.3, 0.1, 0.2, 0.4], [0.1, 0.3, 0, 0.6])).toEqual([[], null]);
    expect(pair([1], [1], [])).toEqual([[], null]);
  });

  test("is of the label's class where such a track is nearly as likely", () => {
    expect(pair([0.2, 0.5, 0.3, 0], [0, 1, 0, 0])).toEqual([[13], 12]);
    // Far likelier: then the class of the track is wrong.
    expect(pair([0.1, 0.8, 0.1, 0], [0, 0.3, 0.6, 0.1])).toEqual([[12], 13]);
  });

  test('is never the target too', () => {
    expect(pair([0, 1, 0, 0], [0, 0.9, 0.1, 0])).toEqual([[12], 13]);
    // Of the others none is likelier than nobody.
    expect(pair([0, 1, 0, 0], [0, 0.6, 0.1, 0.3])).toEqual([[12], null]);
  });

  test('is nobody for a label that names no class', () => {
    const pointers = { actors: [nobody, [1, 0, 0, 0]], targets: [nobody, [0, 1, 0, 0]] };
    const [event] = recogniseEvents(
      scores([0, 1], [0, 0], pointers),
      manifest,
      clip,
      tracks,
      new Map(),
    );
    expect(event).toMatchObject({ actors: [11], target: null });
  });
});
