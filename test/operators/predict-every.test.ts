import { map, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { predictEvery } from '../../src/operators/predict-every.js';
import type { Window } from '../../src/types.js';
import { fakeScene } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

/** Windows named after their newest clip; all hold two scenes but `s`, which holds one. */
const windows: Record<string, Window> = {
  s: [fakeScene(0)],
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8].map((clip) => [String(clip), [fakeScene(clip - 1), fakeScene(clip)]]),
  ),
};
const newest = (window: Window): string => String(window.at(-1)?.clip);

describe('predictEvery', () => {
  const cases = {
    never: { ms: 0, source: ['----', '----'], dropped: [] },
    empty: { ms: 0, source: ['--|', '--|'], dropped: [] },
    'a window that is too short is no ground for a forecast': {
      ms: 0,
      source: ['s-1|', '--1|'],
      dropped: [],
    },
    'every second clip': { ms: 0, source: ['1-2-3-4-5|', '1---3---5|'], dropped: [] },
    'counted by clip index: a missing clip does not slow the rhythm': {
      ms: 0,
      source: ['1-2-4-5-6|', '1---4---6|'],
      dropped: [],
    },
    'a slow model gets the newest window': {
      ms: 9,
      source: ['1-2-3-4-5----------|', '---------1--------5|'],
      dropped: ['3'],
    },
    'an error passes': { ms: 0, source: ['1-#', '1-#'], dropped: [] },
  };
  for (const [name, { ms, source, dropped }] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable, flush }) => {
        const seen: string[] = [];
        const predicted = cold(source[0] ?? '', windows).pipe(
          predictEvery(
            { everyClips: 2, clipsMin: 2 },
            (window) => (ms > 0 ? timer(ms).pipe(map(() => newest(window))) : [newest(window)]),
            (window) => void seen.push(newest(window)),
          ),
        );
        expectObservable(predicted).toBe(source[1] ?? '');
        flush();
        expect(seen).toEqual(dropped);
      }),
    );
  }
});
