import { map } from 'rxjs';
import { describe, it } from 'vitest';
import { remember } from '../../src/operators/remember.js';
import type { Scene } from '../../src/types.js';
import { fakeScene } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

const scenes = Object.fromEntries(
  [0, 1, 2, 3, 4, 5, 6, 7].map((clip) => [String(clip), fakeScene(clip)]),
);

describe('remember', () => {
  const cases: Record<string, { source: string; windows: string; named: Record<string, string> }> =
    {
      never: { source: '---', windows: '---', named: {} },
      empty: { source: '--|', windows: '--|', named: {} },
      one: { source: '0-|', windows: 'a-|', named: { a: '0' } },
      'an error passes': { source: '0-#', windows: 'a-#', named: { a: '0' } },
      'keeps the last three, oldest first': {
        source: ' 0-1-2-3-4|',
        windows: 'a-b-c-d-e|',
        named: { a: '0', b: '01', c: '012', d: '123', e: '234' },
      },
      'one missing clip is borne': {
        source: ' 0-1---3|',
        windows: 'a-b---c|',
        named: { a: '0', b: '01', c: '013' },
      },
      'a longer gap forgets what was before': {
        source: ' 0-1-------5-6|',
        windows: 'a-b-------c-d|',
        named: { a: '0', b: '01', c: '5', d: '56' },
      },
      'a clock that ran backwards forgets too': {
        source: ' 5-6-0|',
        windows: 'a-b-c|',
        named: { a: '5', b: '56', c: '0' },
      },
    };
  for (const [name, { source, windows, named }] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable }) => {
        const remembered = cold<Scene>(source, scenes).pipe(
          remember({ clipsPerWindow: 3, gapMaxMs: 50 }),
          map((window) => window.map(({ clip }) => String(clip)).join('')),
        );
        expectObservable(remembered).toBe(windows, named);
      }),
    );
  }
});
