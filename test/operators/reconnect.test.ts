import { defer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import { reconnect } from '../../src/operators/reconnect.js';
import { marbles } from '../support/marbles.js';

const limits = { pausesMs: [1_000, 5_000, 10_000, 60_000], jitter: 0 };

function recorder(random = 0.5) {
  const states: string[] = [];
  const failures: unknown[] = [];
  return {
    states,
    failures,
    random: () => random,
    onState: (state: string, why: string) => void states.push(`${state}: ${why}`),
    onFailure: (error: unknown) => void failures.push(error),
  };
}

describe('reconnect', () => {
  it(
    'tries for ever, with pauses of 1, 5, 10 and then 60 seconds',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const camera = cold('#');
      expectObservable(camera.pipe(reconnect(limits, recorder())), '^ 140s !').toBe('-');
      expectSubscriptions(camera.subscriptions).toBe([
        '(^!)',
        '1s         (^!)',
        '6s         (^!)',
        '16s        (^!)',
        '76s        (^!)',
        '136s       (^!)',
      ]);
    }),
  );

  it(
    'an end is a failure too, and the pauses start anew after a whole clip',
    marbles(({ cold, expectObservable }) => {
      const tries = [cold('#'), cold('#'), cold('-a|'), cold('b-|')];
      let count = 0;
      const camera = defer(() => tries[count++] ?? cold('-'));
      const expected = '6s -a 1s b';
      expectObservable(camera.pipe(reconnect(limits, recorder())), '^ 7500ms !').toBe(expected);
    }),
  );

  it(
    'a refused login and a missing stream are tried once a minute',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const refused = new LookaheadError('camera_refused', 'The camera refused the login.', 'x');
      const camera = cold('#', {}, refused);
      expectObservable(camera.pipe(reconnect(limits, recorder())), '^ 100s !').toBe('-');
      expectSubscriptions(camera.subscriptions).toBe(['(^!)', '60s (^!)']);
    }),
  );

  it(
    'draws the pause from around the planned one',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const jittered = { ...limits, jitter: 0.25 };
      const [early, late] = [cold('#'), cold('#')];
      expectObservable(early.pipe(reconnect(jittered, recorder(0))), '^ 2s !').toBe('-');
      expectObservable(late.pipe(reconnect(jittered, recorder(1))), '^ 2s !').toBe('-');
      expectSubscriptions(early.subscriptions).toBe(['(^!)', '750ms (^!)']);
      expectSubscriptions(late.subscriptions).toBe(['(^!)', '1250ms (^!)']);
    }),
  );

  it(
    'tells each change of state, and why',
    marbles(({ cold, expectObservable, flush }) => {
      const seen = recorder();
      expectObservable(cold('a|').pipe(reconnect(limits, seen)), '^ 1100ms !').toBe('a 1s a');
      flush();
      expect(seen.states).toEqual([
        'connecting: Opening the camera.',
        'offline: The camera ended its stream.',
        'connecting: Opening the camera.',
        'offline: The camera ended its stream.',
      ]);
      expect(seen.failures).toHaveLength(2);
    }),
  );

  it(
    'a bug is not tried again',
    marbles(({ cold, expectObservable }) => {
      const bug = new TypeError('x is not a function');
      expectObservable(cold('-#', {}, bug).pipe(reconnect(limits, recorder()))).toBe('-#', {}, bug);
    }),
  );

  it(
    'without pauses an end is an end: a recording does not come back',
    marbles(({ cold, expectObservable, flush }) => {
      const seen = recorder();
      const once = { pausesMs: [], jitter: 0 };
      expectObservable(cold('-a-|').pipe(reconnect(once, seen))).toBe('-a-|');
      expectObservable(cold('-#').pipe(reconnect(once, seen))).toBe('-#');
      flush();
      expect(seen.states).toContain('offline: The recording has ended.');
    }),
  );

  it(
    'frees the camera when the reader leaves, also in a pause',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const camera = cold('a--');
      expectObservable(camera.pipe(reconnect(limits, recorder())), '-!').toBe('a');
      expectSubscriptions(camera.subscriptions).toBe('^!');
      const dead = cold('#');
      expectObservable(dead.pipe(reconnect(limits, recorder())), '^ 500ms !').toBe('-');
      expectSubscriptions(dead.subscriptions).toBe(['(^!)']);
    }),
  );
});
