import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { slideClips, toClip } from '../../src/operators/slide-clips.js';
import type { Frame } from '../../src/types.js';
import { fakeFrame } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

/** Frames a, b, c, ... at the times given; clips are named after their frames. */
function frames(...capturedAtMs: number[]): Record<string, Frame> {
  return Object.fromEntries(
    capturedAtMs.map((ms, index) => [String.fromCharCode(97 + index), fakeFrame(ms)]),
  );
}

describe('slideClips', () => {
  const whole = frames(0, 10, 20, 30, 40, 50);
  const cases = {
    never: { values: whole, source: ['-----', '-----'], dropped: [] },
    empty: { values: whole, source: ['--|', '--|'], dropped: [] },
    'one frame is no clip, and is counted at the end': {
      values: whole,
      source: ['-a-|', '---|'],
      dropped: [1],
    },
    'clips do not overlap': { values: whole, source: ['abcdef|', '--x--y|'], dropped: [] },
    'an error drops the begun clip': { values: whole, source: ['abcd#', '--x-#'], dropped: [1] },
    'a gap drops the begun clip': {
      values: frames(0, 10, 90, 100, 110),
      source: ['abcde|', '----z|'],
      dropped: [2],
    },
    'a clock that runs backwards is a gap': {
      values: frames(100, 110, 10, 20, 30),
      source: ['abcde|', '----z|'],
      dropped: [2],
    },
    'a gap between two clips drops nothing': {
      values: frames(0, 10, 20, 90, 100, 110),
      source: ['abcdef|', '--x--y|'],
      dropped: [],
    },
  };
  const clipNames: Record<string, string> = { x: 'abc', y: 'def', z: 'cde' };

  for (const [name, { values, source, dropped }] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable, flush }) => {
        const counts: number[] = [];
        const limits = { framesPerClip: 3, gapMaxMs: 15 };
        const nameOf = (frame: Frame): string =>
          Object.keys(values).find((key) => values[key] === frame) ?? '?';
        const clips = cold(source[0] ?? '', values).pipe(
          slideClips(limits, (count) => void counts.push(count)),
          map((clip) => clip.map(nameOf).join('')),
        );
        expectObservable(clips).toBe(source[1] ?? '', clipNames);
        flush();
        expect(counts).toEqual(dropped);
      }),
    );
  }

  it(
    'a counter that throws is an error of the stream',
    marbles(({ cold, expectObservable }) => {
      const clips = cold('ab', frames(0, 90)).pipe(
        slideClips({ framesPerClip: 3, gapMaxMs: 15 }, () => {
          throw new Error('bug');
        }),
      );
      expectObservable(clips).toBe('-#', {}, new Error('bug'));
    }),
  );

  it('a clip carries the times of its first and last frame', () => {
    const clip = toClip('gate', 4, [fakeFrame(100), fakeFrame(110)]);
    expect(clip).toMatchObject({ camera: 'gate', index: 4, fromMs: 100, toMs: 110 });
  });
});
