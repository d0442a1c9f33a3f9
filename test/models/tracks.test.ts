import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classOf,
  noTracks,
  predictBox,
  track,
  type Detection,
  type Moment,
  type TrackerState,
} from '../../src/models/tracks.js';

const names = ['background', 'van', 'person', 'child'] as const;
type Name = Exclude<(typeof names)[number], 'background'>;
const feature = {
  van: Float32Array.of(1, 0, 0.2),
  person: Float32Array.of(0, 1, 0.2),
  child: Float32Array.of(0, 0.9, 0.4),
};

/** @param sure the chance of its class; the rest is the background's */
function seen(name: Name, x: number, y = 0.5, width = 0.1, sure = 0.9): Detection {
  const classes = Float32Array.from(names, (one) => (one === name ? sure : 0));
  classes[0] = 1 - sure;
  return { box: { x, y, width, height: 0.1 }, classes, feature: feature[name], looks: [] };
}
function at(clip: number, atMs = clip * 1000, clipMs = 1000): Moment {
  return { clip, atMs, aspect: 16 / 9, clipMs };
}

/** Tracks detections clip by clip, a second each. */
function run(clips: readonly (readonly Detection[])[]) {
  let state: TrackerState = noTracks;
  return clips.map((detections, clip) => {
    const tracked = track(state, detections, at(clip));
    state = tracked.state;
    return tracked.seen;
  });
}
const ids = (clips: ReturnType<typeof run>) => clips.map((tracks) => tracks.map(({ id }) => id));
const repeat = (count: number, ...things: Detection[]) =>
  Array.from({ length: count }, () => things);

describe('a moving thing', () => {
  test('keeps its id, and its velocity is in shares of the picture a second', () => {
    const clips = run([[seen('van', 0.1)], [seen('van', 0.25)], [seen('van', 0.4)]]);
    expect(ids(clips)).toEqual([[1], [1], [1]]);
    expect(clips[0]?.[0]?.velocity).toEqual({ x: 0, y: 0 });
    expect(clips[2]?.[0]?.velocity.x).toBeCloseTo(0.15);
    expect(clips[2]?.[0]?.bornClip).toBe(0);
  });

  test('has the velocity since the first look within the clip, from its first clip on', () => {
    // It has braked.
    const looks = [750, 500, 250].map((beforeMs, index) => ({
      ...{ beforeMs, y: 0 },
      x: [-0.15, -0.02, -0.01][index]!,
    }));
    const [tracks] = run([[{ ...seen('van', 0.1), looks }]]);
    expect(tracks?.[0]?.velocity.x).toBeCloseTo(0.2);
    expect(tracks?.[0]?.velocity.y).toBeCloseTo(0);
  });

  test('is told from its double by where it was within the clip', () => {
    const moved = (x: number, by: number): Detection => ({
      ...seen('van', x),
      looks: [{ beforeMs: 750, x: -by, y: 0 }],
    });
    // Both turned round between the clips: by the velocity before each would be where the other is.
    const clips = run([
      [moved(0.3, 0.12), moved(0.62, -0.12)],
      [moved(0.32, 0), moved(0.6, 0)],
      [moved(0.2, -0.1), moved(0.72, 0.1)],
    ]);
    expect(ids(clips)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });
});

test('two who cross keep their ids: the predicted place decides', () => {
  const clips = run([
    [seen('person', 0.1), seen('person', 0.7)],
    [seen('person', 0.25), seen('person', 0.55)],
    [seen('person', 0.4), seen('person', 0.4, 0.52)],
    [seen('person', 0.25, 0.52), seen('person', 0.55)],
    [seen('person', 0.7), seen('person', 0.1, 0.52)],
  ]);
  expect(ids(clips)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
    [2, 1],
    [1, 2],
  ]);
});

test('all matches together are the likeliest: the nearest pair does not rob the others', () => {
  // A row that moves by more than half its spacing: nearest first would shift every id by one.
  const row = (by: number) => [0, 1, 2].map((n) => seen('person', 0.2 + 0.07 * n + by, 0.5, 0.06));
  const clips = run([row(0), row(0.038)]);
  expect(ids(clips)[1]).toEqual([1, 2, 3]);
});

describe('the class', () => {
  test('at a far place is of another thing', () => {
    expect(ids(run([[seen('van', 0.1)], [seen('person', 0.3)]]))).toEqual([[1], [2]]);
  });

  test('may flip while the box stays: it is the same thing', () => {
    const unsure = (person: number): Detection => ({
      ...seen('person', 0.1),
      classes: Float32Array.of(0, 0, person, 1 - person),
    });
    expect(ids(run([[unsure(0.8)], [unsure(0.2)]]))).toEqual([[1], [1]]);
  });

  test('is a running vote, not the last word', () => {
    const clips = run([
      ...repeat(3, seen('person', 0.1)),
      [seen('child', 0.1, 0.5, 0.1, 0.6)],
      ...repeat(6, seen('child', 0.1)),
    ]);
    const voted = clips.map(([one]) => names[one ? classOf(one) : 0]);
    expect(voted.slice(0, 4)).toEqual(['person', 'person', 'person', 'person']);
    expect(voted.at(-1)).toBe('child');
    expect(new Set(ids(clips).flat())).toEqual(new Set([1]));
  });

  test('is never background, however unsure the head is', () => {
    const [tracks] = run([[seen('van', 0.1, 0.5, 0.1, 0.4)]]);
    expect(tracks?.map(classOf)).toEqual([1]);
  });
});

describe('a thing that is not seen', () => {
  test('for one clip comes back under its id, with the velocity over the whole time', () => {
    const clips = run([[seen('van', 0.1)], [seen('van', 0.2)], [], [seen('van', 0.4)]]);
    expect(ids(clips)).toEqual([[1], [1], [], [1]]);
    expect(clips[3]?.[0]?.velocity.x).toBeCloseTo(0.1);
  });

  test('for two seconds comes back under its id, where its way has led it', () => {
    const clips = run([[seen('van', 0.1)], [seen('van', 0.2)], [], [], [seen('van', 0.5)]]);
    expect(ids(clips)).toEqual([[1], [1], [], [], [1]]);
  });

  test('for two seconds lives on, though frames arrive a little late or early; clips may be short', () => {
    const late = track(noTracks, [seen('van', 0.1)], at(0, 875));
    const missed = track(track(late.state, [], at(1, 1890)).state, [], at(2, 2900));
    expect(track(missed.state, [seen('van', 0.1)], at(3, 3940)).seen[0]?.id).toBe(1);
    const short = track(noTracks, [seen('van', 0.1)], at(0, 440, 500));
    expect(track(short.state, [seen('van', 0.1)], at(5, 2930, 500)).seen[0]?.id).toBe(1);
    expect(track(short.state, [seen('van', 0.1)], at(6, 3430, 500)).seen[0]?.id).toBe(2);
  });

  test('for longer is dead, and its id is never given again', () => {
    const clips = run([[seen('van', 0.1)], [], [], [], [seen('van', 0.1)]]);
    expect(ids(clips)).toEqual([[1], [], [], [], [2]]);
  });

  test('but has not moved for long comes back after a long time too', () => {
    const gate = seen('van', 0.1);
    const clips = run([...repeat(5, gate), ...repeat(20), [gate]]);
    expect(ids(clips).at(-1)).toEqual([1]);
    // Not for ever: what is remembered has a bound.
    expect(ids(run([...repeat(5, gate), ...repeat(31), [gate]])).at(-1)).toEqual([2]);
  });

  test('and has not moved for long is expected where it stood, whatever its last jitter', () => {
    let state: TrackerState = noTracks;
    for (let clip = 0; clip < 6; clip++)
      ({ state } = track(state, [seen('van', 0.1 + 0.005 * (clip % 2))], at(clip)));
    const [one] = state.tracks;
    expect(one && predictBox(one, 9000).x).toBeCloseTo(0.105);
  });
});

test('one that passes a standing one leaves it its id', () => {
  const standing = seen('person', 0.5);
  const clips = run([
    ...repeat(4, standing),
    [standing, seen('person', 0.2)],
    [standing, seen('person', 0.35)],
    // The one behind is hidden by the one that passes.
    [seen('person', 0.5)],
    [seen('person', 0.65), standing],
    [seen('person', 0.8), standing],
  ]);
  expect(ids(clips).slice(-2)).toEqual([
    [2, 1],
    [2, 1],
  ]);
});

test('what turns up far away is new', () => {
  expect(ids(run([[seen('person', 0.1)], [seen('person', 0.9)]]))).toEqual([[1], [2]]);
});

test('over 200 clips of anything, no id is given twice and no dead one comes back', () => {
  const thing = fc
    .tuple(fc.constantFrom<Name>('van', 'person', 'child'), fc.nat(20), fc.nat(20))
    .map(([name, x, y]) => seen(name, x / 20, y / 20));
  const clip = fc.array(thing, { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(clip, { minLength: 200, maxLength: 200 }), (clips) => {
      let state: TrackerState = noTracks;
      let highest = 0;
      let living = new Set<number>();
      clips.forEach((detections, index) => {
        const tracked = track(state, detections, at(index));
        const given = tracked.seen.map(({ id }) => id);
        const isFine =
          given.length === detections.length &&
          new Set(given).size === given.length &&
          given.every((id) => living.has(id) || id > highest);
        if (!isFine) throw new Error(`clip ${String(index)} got [${given.join(', ')}]`);
        highest = Math.max(highest, ...given);
        ({ state } = tracked);
        living = new Set(state.tracks.map(({ id }) => id));
        if (living.size !== state.tracks.length || living.size > 64 || state.nextId <= highest)
          throw new Error(`clip ${String(index)} left [${[...living].join(', ')}]`);
      });
    }),
    // Smaller examples of 200 clips say little and take long to find.
    { numRuns: 10, endOnFailure: true },
  );
});
