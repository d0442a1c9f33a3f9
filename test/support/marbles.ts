import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { expect } from 'vitest';

/** A test in virtual time: `it('...', marbles(({ cold, expectObservable }) => { ... }))`. One dash is one millisecond. */
export function marbles(test: (helpers: RunHelpers) => void): () => void {
  return () => {
    const scheduler = new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected);
    });
    scheduler.run(test);
  };
}
