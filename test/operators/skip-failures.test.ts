import { describe, expect, it } from 'vitest';
import { skipFailures } from '../../src/operators/skip-failures.js';
import { marbles } from '../support/marbles.js';

describe('skipFailures', () => {
  for (const [call, result, failures] of [
    ['----', '----', 0],
    ['--|', '--|', 0],
    ['-a-|', '-a-|', 0],
    ['-a-#', '-a-|', 1],
  ] as const) {
    it(
      `${call} becomes ${result}`,
      marbles(({ cold, expectObservable, flush }) => {
        const seen: unknown[] = [];
        expectObservable(cold(call).pipe(skipFailures((error) => seen.push(error)))).toBe(result);
        flush();
        expect(seen).toHaveLength(failures);
      }),
    );
  }

  it(
    'a report that throws is an error of the stream',
    marbles(({ cold, expectObservable }) => {
      const call = cold('-#').pipe(
        skipFailures(() => {
          throw new Error('bug');
        }),
      );
      expectObservable(call).toBe('-#', {}, new Error('bug'));
    }),
  );
});
