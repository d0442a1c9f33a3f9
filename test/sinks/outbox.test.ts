import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastImportantFirst, Outbox, type OutboxItem } from '../../src/sinks/outbox.js';

interface Item extends OutboxItem {
  readonly n: number;
}
let count = 0;
const item = (camera: string, kind: Item['kind'] = 'forecast', bytes = 10): Item => ({
  camera,
  kind,
  bytes,
  n: count++,
});
const outboxOf = (messagesMax: number, bytesMax = 1_000_000, inFlightMax = 10): Outbox<Item> =>
  new Outbox({ messagesMax, bytesMax, inFlightMax });

describe('the outbox', () => {
  it('keeps the order of each camera, and lets no camera wait for another', () => {
    const outbox = outboxOf(10);
    const [a1, a2, b1] = [item('a'), item('a'), item('b')];
    for (const each of [a1, a2, b1]) outbox.add(each);

    expect(outbox.take(0)).toBe(a1);
    expect(outbox.take(0)).toBe(b1);
    expect(outbox.take(0)).toBeUndefined();
    outbox.done(a1);
    expect(outbox.take(0)).toBe(a2);
  });

  it('has at most so many on their way', () => {
    const outbox = outboxOf(10, 1_000, 1);
    const a = item('a');
    outbox.add(a);
    outbox.add(item('b'));
    outbox.take(0);
    expect(outbox.take(0)).toBeUndefined();
    outbox.done(a);
    expect(outbox.take(0)).toMatchObject({ camera: 'b' });
  });

  it('drops the oldest of the least important kind when it is full', () => {
    const outbox = outboxOf(4);
    const [event1, event2] = [item('b', 'event'), item('a', 'event')];
    const [outcome, forecast, state] = [
      item('a', 'outcome'),
      item('a', 'forecast'),
      item('a', 'state'),
    ];
    for (const each of [state, event1, event2, forecast]) expect(outbox.add(each)).toEqual([]);

    expect(outbox.add(outcome)).toEqual([event1]);
    expect(outbox.add(item('a', 'state'))).toEqual([event2]);
    expect(outbox.add(item('a', 'state'))).toEqual([outcome]);
    expect(outbox.add(item('a', 'state'))).toEqual([forecast]);
    const event = item('c', 'event');
    expect(outbox.add(event)).toEqual([event]);
    expect(outbox.messages).toBe(4);
  });

  it('drops the prose of a forecast before outcomes and forecasts', () => {
    const outbox = outboxOf(3);
    const prose = { ...item('a'), isRevision: true };
    for (const each of [item('a', 'outcome'), item('a'), prose]) outbox.add(each);
    expect(outbox.add(item('a'))).toEqual([prose]);
  });

  it('never drops what is on its way, since it may be stored already', () => {
    const outbox = outboxOf(1);
    const first = item('a', 'event');
    outbox.add(first);
    outbox.take(0);
    const second = item('a', 'state');
    expect(outbox.add(second)).toEqual([second]);
    outbox.done(first);
    expect(outbox.messages).toBe(0);
  });

  it('bounds bytes as well as messages', () => {
    const outbox = outboxOf(100, 25);
    const first = item('a');
    outbox.add(first);
    outbox.add(item('a'));
    expect(outbox.add(item('b'))).toEqual([first]);
    expect(outbox.bytes).toBe(20);
  });

  it('waits longer before each retry, and not at all once the server is back', () => {
    const outbox = outboxOf(10);
    const first = item('a');
    outbox.add(first);
    const waits: (number | undefined)[] = [];
    let nowMs = 0;
    for (let i = 0; i < 7; i++) {
      expect(outbox.take(nowMs)).toBe(first);
      outbox.retry(first, nowMs);
      expect(outbox.take(nowMs)).toBeUndefined();
      const waitMs = outbox.nextRetryMs(nowMs)!;
      waits.push(waitMs);
      nowMs += waitMs;
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    outbox.take(nowMs);
    outbox.retry(first, nowMs);
    outbox.wake();
    expect(outbox.take(nowMs)).toBe(first);
  });

  it('refuses an answer for what is not on its way: a programming error is loud', () => {
    const outbox = outboxOf(10);
    const first = item('a');
    outbox.add(first);
    expect(() => outbox.done(first)).toThrow(/not in flight/);
  });

  it('holds its bounds, loses nothing uncounted and keeps each order, whatever happens', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          do: fc.constant('add' as const),
          camera: fc.constantFrom('a', 'b', 'c'),
          kind: fc.constantFrom(...leastImportantFirst),
          bytes: fc.integer({ min: 1, max: 40 }),
        }),
        fc.record({ do: fc.constantFrom('take' as const, 'done' as const, 'retry' as const) }),
      ),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const outbox = outboxOf(6, 120, 2);
        const flying: Item[] = [];
        const added: Item[] = [];
        const dropped: Item[] = [];
        const sent: Item[] = [];
        script.forEach((step, at) => {
          const nowMs = at * 10_000;
          if (step.do === 'add') {
            const each = item(step.camera, step.kind, step.bytes);
            added.push(each);
            dropped.push(...outbox.add(each));
          } else if (step.do === 'take') {
            const taken = outbox.take(nowMs);
            if (taken !== undefined) flying.push(taken);
          } else {
            const landed = flying.shift();
            if (landed === undefined) return;
            if (step.do === 'done') {
              outbox.done(landed);
              sent.push(landed);
            } else outbox.retry(landed, nowMs);
          }
          expect(outbox.messages).toBeLessThanOrEqual(6);
          expect(outbox.bytes).toBeLessThanOrEqual(120);
        });
        const rest = outbox.clear();
        expect([...dropped, ...sent, ...rest].map(({ n }) => n).sort((a, b) => a - b)).toEqual(
          added.map(({ n }) => n),
        );
        for (const camera of ['a', 'b', 'c']) {
          const order = sent.filter((each) => each.camera === camera).map(({ n }) => n);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
    );
  });
});
