import { take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, it } from 'vitest';
import { HeartbeatSchema, type Heartbeat } from '../../src/messages.js';
import { heartbeats } from '../../src/sinks/heartbeat.js';

it('beats at once and each second, numbered, with the states of that moment', () => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run(({ expectObservable }) => {
    const states: Heartbeat['cameras'][] = [
      { gate: 'connecting' },
      { gate: 'online' },
      { gate: 'frozen' },
    ];
    const source = {
      site: 'test',
      epoch: () => 7,
      bundle: () => ({ name: 'yard', version: '0.1.0', sha256: 'a'.repeat(64) }),
      cameras: () => states.shift() ?? {},
    };
    const beat = (sequence: number, state: 'connecting' | 'online' | 'frozen'): Heartbeat =>
      HeartbeatSchema.parse({
        schema: 'lookahead.heartbeat.v1',
        site: 'test',
        at: new Date(sequence * 1_000).toISOString(),
        epoch: 7,
        sequence,
        cameras: { gate: state },
        bundle: source.bundle(),
      });
    expectObservable(heartbeats(source, 1_000, scheduler).pipe(take(3))).toBe(
      'a 999ms b 999ms (c|)',
      { a: beat(0, 'connecting'), b: beat(1, 'online'), c: beat(2, 'frozen') },
    );
  });
});
