import { map, merge, of, switchMap, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { takeTurns } from '../../src/operators/take-turns.js';
import { marbles } from '../support/marbles.js';

describe('takeTurns', () => {
  it(
    'urgent calls run at once and side by side; patient ones one after the other, when no urgent one runs',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { urgent, patient } = takeTurns();
      const [u, p, q] = [cold('----(u|)'), cold('---(p|)'), cold('--(q|)')];
      const first = cold('  -x----------').pipe(switchMap(() => urgent(() => u)));
      const second = cold(' --x---------').pipe(switchMap(() => patient(() => p)));
      const third = cold('  ---x--------').pipe(switchMap(() => patient(() => q)));
      const fourth = cold(' ------x-----').pipe(switchMap(() => urgent(() => u)));
      expectObservable(merge(first, second, third, fourth)).toBe('-----u--p-u-q');
      expectSubscriptions(u.subscriptions).toBe(['-^---!', '------^---!']);
      expectSubscriptions(p.subscriptions).toBe('-----^--!');
      // Not at 8, when p ends: the second forecast is being made.
      expectSubscriptions(q.subscriptions).toBe('----------^-!');
    }),
  );

  it(
    'whoever leaves while it waits never begins; whoever leaves in work makes room',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { patient } = takeTurns();
      const [a, b, c] = [cold('---------'), cold('---------'), cold('-(c|)')];
      expectObservable(
        patient(() => a),
        '----!',
      ).toBe('-----');
      expectObservable(
        patient(() => b),
        '--!',
      ).toBe('-----');
      expectObservable(patient(() => c)).toBe('-----(c|)');
      expectSubscriptions(a.subscriptions).toBe('^---!');
      expectSubscriptions(b.subscriptions).toBe([]);
      expectSubscriptions(c.subscriptions).toBe('----^!');
    }),
  );

  it(
    'a call that fails or throws gives its turn away',
    marbles(({ expectObservable }) => {
      const { urgent, patient } = takeTurns();
      const bad = new Error('bad');
      expectObservable(urgent(() => throwError(() => bad))).toBe('#', undefined, bad);
      expectObservable(
        patient(() => {
          throw bad;
        }),
      ).toBe('#', undefined, bad);
      expectObservable(patient(() => timer(2).pipe(map(() => 'x')))).toBe('--(x|)');
    }),
  );

  it('a thousand that are ready at once do not deepen the stack', () => {
    const { urgent, patient } = takeTurns();
    let done = 0;
    const waiting = merge(...Array.from({ length: 1_000 }, () => patient(() => of(1))));
    urgent(() => {
      waiting.subscribe(() => (done += 1));
      return of(0);
    }).subscribe();
    expect(done).toBe(1_000);
  });
});
