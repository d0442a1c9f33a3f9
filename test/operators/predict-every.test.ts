import { EMPTY, map, of, throwError, timer, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { predictEvery, type PredictPorts } from '../../src/operators/predict-every.js';
import { skipFailures } from '../../src/operators/skip-failures.js';
import { defaultGate } from '../../src/pipeline-config.js';
import type { Reasoning, Window } from '../../src/types.js';
import { fakeCarried, fakeEvent, fakeReasoning, fakeScene } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

/**
 * Windows named after their newest clip; all hold two scenes but `s`, which holds one. In a capital's last clip an event
 * began, in a small letter's last but one.
 */
const clips = [1, 2, 3, 4, 5, 6, 7, 8];
const pair = (clip: number, eventClip = -1): Window =>
  [clip - 1, clip].map((at) =>
    fakeScene(at, { events: at === eventClip ? [fakeEvent(2, at * 20)] : [] }),
  );
const windows: Record<string, Window> = {
  s: [fakeScene(0)],
  ...Object.fromEntries(clips.map((clip) => [String(clip), pair(clip)])),
  ...Object.fromEntries(
    clips.flatMap((clip) => [
      ['_ABCDEFGH'[clip] ?? '', pair(clip, clip)],
      ['_abcdefgh'[clip] ?? '', pair(clip, clip - 1)],
    ]),
  ),
};
const newest = (window: Window): string => String(window.at(-1)?.clip);

const takes = (ms: number, answer: Reasoning): Observable<Reasoning> =>
  ms > 0 ? timer(ms).pipe(map(() => answer)) : of(answer);

/** Ports that note what they were told. */
function ports(change: Partial<PredictPorts> = {}) {
  const dropped: string[] = [];
  const reasons: string[] = [];
  const all: PredictPorts = {
    carry: () => EMPTY,
    score: () => of(fakeReasoning()),
    onDrop: (window) => void dropped.push(newest(window)),
    onDecided: (reason) => void reasons.push(reason),
    ...change,
  };
  return { all, dropped, reasons };
}

describe('without a gate', () => {
  const cases = {
    never: { ms: 0, source: ['----', '----'], dropped: [] },
    empty: { ms: 0, source: ['--|', '--|'], dropped: [] },
    'a window that is too short is no ground for a forecast': {
      ms: 0,
      source: ['s-1|', '--1|'],
      dropped: [],
    },
    'every second clip, whatever happens': {
      ms: 0,
      source: ['1-B-3-D-5|', '1---3---5|'],
      dropped: [],
    },
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
  for (const [name, { ms, source, dropped: expected }] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable, flush }) => {
        const { all, dropped } = ports({ score: () => takes(ms, fakeReasoning()) });
        const predicted = cold(source[0] ?? '', windows).pipe(
          predictEvery({ everyClips: 2, clipsMin: 2, gate: null }, all),
          map(({ window }) => newest(window)),
        );
        expectObservable(predicted).toBe(source[1] ?? '');
        flush();
        expect(dropped).toEqual(expected);
      }),
    );
  }
});

describe('with a gate', () => {
  /** `R4` reasoned about the window that ends with clip 4, `c4` carried. */
  function run(
    source: string,
    expected: string,
    change: Partial<PredictPorts> = {},
    everyClips = 3,
  ): { reasons: string[]; dropped: string[] } {
    const told = ports({ carry: () => of(fakeCarried()), ...change });
    marbles(({ cold, expectObservable }) => {
      const names = Object.fromEntries(
        clips.flatMap((clip) => [
          ['_ABCDEFGH'[clip] ?? '', `R${clip}`],
          [String(clip), `c${clip}`],
        ]),
      );
      const predicted = cold(source, windows).pipe(
        predictEvery({ everyClips, clipsMin: 2, gate: defaultGate }, told.all),
        map(
          ({ window, reasoning }) =>
            `${reasoning.basis === 'carried' ? 'c' : 'R'}${newest(window)}`,
        ),
      );
      expectObservable(predicted).toBe(expected, names);
    })();
    return told;
  }

  it('reasons at the very clip at which something happens, and carries in the rhythm in between', () => {
    const { reasons } = run('1-2-3-4-5-F-7-8|', 'A-----4---F----|');
    expect(reasons).toEqual(['first', 'quiet', 'event']);
  });

  it('counts the rhythm from the last forecast, whatever it rests on', () => {
    run('1-B-3-4-5-6-7-8|', 'A-B-----5-----8|');
  });

  it('reasons in the rhythm where there is no cheap head', () => {
    const { reasons } = run('1-2-3-4-5-6-7|', 'A-----D-----G|', { carry: () => EMPTY });
    expect(reasons).toEqual(['first', 'rhythm', 'rhythm']);
  });

  it('asks again with the next window where the model failed', () => {
    let calls = 0;
    const score = (): Observable<Reasoning> =>
      (calls++ === 1 ? throwError(() => new Error('lost')) : of(fakeReasoning())).pipe(
        skipFailures(() => undefined),
      );
    const { reasons } = run('1-B-c-4-5|', 'A---C----|', { score });
    expect(reasons).toEqual(['first', 'event', 'event']);
  });

  it('while a forecast is made the newest window waits, and no event in those that went is lost', () => {
    const score = (): Observable<Reasoning> => takes(7, fakeReasoning());
    const { reasons, dropped } = run('1-B-C-d--------5|', '-------A------D-|', { score });
    expect(dropped).toEqual(['2', '3']);
    expect(reasons).toEqual(['first', 'event']);
  });

  it('reasons when the chances of the cheap head drift away from where they were when last reasoned', () => {
    const drift = (window: Window): Observable<Reasoning> => {
      const shift = 0.08 * Number(newest(window));
      return of(fakeCarried([shift, 1 - shift, 0, 0, 0, 0]));
    };
    const { reasons } = run('1-2-3-4-5-6-7|', 'A-----D-----G|', { carry: drift }, 8);
    expect(reasons).toEqual(['first', 'distance', 'distance']);
  });
});
