import { defer, map, of, range, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { processBounded } from '../../src/operators/process-bounded.js';
import { marbles } from '../support/marbles.js';

const takes = (ms: number) => (value: string) => timer(ms).pipe(map(() => value));

describe('processBounded', () => {
  it(
    'runs a limited number at a time and drops the oldest of what waits',
    marbles(({ cold, expectObservable, flush }) => {
      const dropped: string[] = [];
      const options = {
        runningMax: 2,
        waitingMax: 1,
        onDrop: (value: string) => void dropped.push(value),
      };
      const source = cold(' abcde-----------|');
      const expected = '    -----ab---e-----|';
      // c is dropped when d comes and d when e comes; e runs when a ends.
      expectObservable(source.pipe(processBounded(options, takes(5)))).toBe(expected);
      flush();
      expect(dropped).toEqual(['c', 'd']);
    }),
  );

  it(
    'drops what `choose` points at, the newcomer too',
    marbles(({ cold, expectObservable, flush }) => {
      const dropped: string[] = [];
      const options = {
        runningMax: 1,
        waitingMax: 2,
        choose: (waiting: readonly string[]) => waiting.indexOf([...waiting].sort()[0] ?? ''),
        onDrop: (value: string) => void dropped.push(value),
      };
      const source = cold(' xbca-------|');
      const expected = '    ----x---b---(c|)';
      expectObservable(source.pipe(processBounded(options, takes(4)))).toBe(expected);
      flush();
      expect(dropped).toEqual(['a']);
    }),
  );

  it(
    'turns a throw of the call and of onDrop into an error of the stream',
    marbles(({ cold, expectObservable }) => {
      const bug = (): never => {
        throw new Error('bug');
      };
      const one = { runningMax: 1, waitingMax: 0, onDrop: bug };
      expectObservable(cold('-a-').pipe(processBounded(one, bug))).toBe('-#', {}, new Error('bug'));
      expectObservable(cold('-a-b-').pipe(processBounded(one, takes(9)))).toBe(
        '---#',
        {},
        new Error('bug'),
      );
    }),
  );

  it('does not deepen the stack when thousands of calls end at once', () => {
    let count = 0;
    const options = { runningMax: 1, waitingMax: 1e6, onDrop: () => undefined };
    let release: (() => void) | undefined;
    const first = new Promise<number>((resolve) => (release = () => resolve(0)));
    const done = new Promise<void>((resolve, reject) => {
      range(0, 10_000)
        .pipe(processBounded(options, (value) => (value === 0 ? first : of(value))))
        .subscribe({ next: () => (count += 1), error: reject, complete: resolve });
    });
    release?.();
    return done.then(() => {
      expect(count).toBe(10_000);
    });
  });

  it(
    'ends what runs and what feeds it when the reader leaves',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-----b---');
      const call = cold('    ---------x|');
      const leave = '        ----!';
      const sourceSubs = '   ^---!';
      const callSubs = '     ^---!';
      const options = { runningMax: 1, waitingMax: 1, onDrop: () => undefined };
      expectObservable(source.pipe(processBounded(options, () => defer(() => call))), leave).toBe(
        '-----',
      );
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(call.subscriptions).toBe(callSubs);
    }),
  );
});
