import { map, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { perceiveLatest } from '../../src/operators/perceive-latest.js';
import { marbles } from '../support/marbles.js';

const takes = (ms: number) => (value: string) => timer(ms).pipe(map(() => value.toUpperCase()));

describe('perceiveLatest', () => {
  const cases = {
    never: { source: ['-----', '-----'], dropped: [] },
    empty: { source: ['--|', '--|'], dropped: [] },
    one: { source: ['a----|', '---A-|'], dropped: [] },
    'many, each in time': { source: ['a---b---c---|', '---A---B---C|'], dropped: [] },
    'a slow model: the newest waits, older ones are dropped': {
      source: ['abcd-------|', '---A--D----|'],
      dropped: ['b', 'c'],
    },
    'the end waits for what runs and what waits': { source: ['ab|', '---A--(B|)'], dropped: [] },
    'an error ends it at once': { source: ['a-#', '--#'], dropped: [] },
  };
  for (const [name, { source, dropped }] of Object.entries(cases)) {
    it(
      name,
      marbles(({ cold, expectObservable, flush }) => {
        const seen: string[] = [];
        const perceived = cold(source[0] ?? '').pipe(
          perceiveLatest(takes(3), (value) => void seen.push(value)),
        );
        expectObservable(perceived).toBe(source[1] ?? '');
        flush();
        expect(seen).toEqual(dropped);
      }),
    );
  }

  it(
    'a call that throws is an error of the stream, not of the process',
    marbles(({ cold, expectObservable }) => {
      const perceived = cold('-a-').pipe(
        perceiveLatest(
          () => {
            throw new Error('bug');
          },
          () => undefined,
        ),
      );
      expectObservable(perceived).toBe('-#', {}, new Error('bug'));
    }),
  );
});
