import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestQueue } from '../../src/models/request-queue.js';

function queueOf(lanesMax: number) {
  const dropped: string[] = [];
  const queue = new RequestQueue<{
    lane: string;
    rank: number;
    name: string;
    dueMs: number;
    reject: (error: Error) => void;
  }>(lanesMax);
  const push = (lane: string, name: string, dueMs = 1000, rank = 0) =>
    queue.push({
      lane,
      rank,
      name,
      dueMs,
      reject: (error) => dropped.push(`${name} ${'reason' in error ? String(error.reason) : ''}`),
    });
  const take = (countMax: number, nowMs = 0) => queue.take(countMax, nowMs).map(({ name }) => name);
  const rest = () => take(Infinity);
  return { queue, push, take, rest, dropped };
}

test('the newest of each camera waits, and a busy camera does not overtake others', () => {
  const { push, rest, dropped } = queueOf(4);
  push('a', 'a1');
  push('b', 'b1');
  push('a', 'a2');
  push('a', 'a3');
  expect(dropped).toEqual(['a1 newer', 'a2 newer']);
  expect(rest()).toEqual(['a3', 'b1']);
});

test('after its turn a camera goes to the end of the line', () => {
  const { push, take, rest } = queueOf(4);
  push('a', 'a1');
  push('b', 'b1');
  take(1);
  push('a', 'a2');
  expect(rest()).toEqual(['b1', 'a2']);
});

test('what is of lower rank is taken first, whoever began to wait before', () => {
  const { push, take } = queueOf(8);
  push('explain a', 'explain', 1000, 1);
  push('ask', 'ask', 1000, 2);
  push('score a', 'score a', 1000, 0);
  push('score b', 'score b', 1000, 0);
  expect(take(1)).toEqual(['score a']);
  push('score a', 'again', 1000, 0);
  expect(take(3)).toEqual(['score b', 'again', 'explain']);
  expect(take(3)).toEqual(['ask']);
});

test('more cameras than it has room for are refused', () => {
  const { queue, push, rest, dropped } = queueOf(1);
  push('a', 'a1');
  push('b', 'b1');
  expect(queue.size).toBe(1);
  expect(dropped).toEqual(['b1 full']);
  expect(rest()).toEqual(['a1']);
});

test('a batch holds one request a camera, first those that began to wait first, and no more than it may', () => {
  const { queue, push, take } = queueOf(8);
  for (const camera of ['a', 'b', 'c', 'd']) push(camera, `${camera}1`);
  push('a', 'a2');
  expect(take(3)).toEqual(['a2', 'b1', 'c1']);
  expect(queue.size).toBe(1);
  push('a', 'a3');
  expect(take(3)).toEqual(['d1', 'a3']);
  expect(take(3)).toEqual([]);
});

test('what nobody waits for any more is dropped when its turn comes, and takes no place in the batch', () => {
  const { push, take, dropped } = queueOf(8);
  push('a', 'a1', 10);
  push('b', 'b1', 20);
  push('c', 'c1', 21);
  push('d', 'd1', 20);
  expect(take(1, 20)).toEqual(['c1']);
  expect(dropped).toEqual(['a1 late', 'b1 late']);
  expect(take(1, 20)).toEqual([]);
  expect(dropped).toEqual(['a1 late', 'b1 late', 'd1 late']);
});

test('whatever comes and goes, no camera is overtaken and nothing is lost without a word', () => {
  const step = fc.oneof(
    fc.record({ camera: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    fc.record({ take: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { push, take, rest, dropped } = queueOf(8);
      let line: string[] = [];
      const newest = new Map<string, string>();
      const taken: string[] = [];
      let pushed = 0;
      for (const one of steps) {
        if ('take' in one) {
          const batch = line.slice(0, one.take);
          line = line.slice(one.take);
          const names = take(one.take);
          expect(names).toEqual(batch.map((camera) => newest.get(camera)));
          taken.push(...names);
        } else {
          const name = `${one.camera}${pushed++}`;
          push(one.camera, name);
          newest.set(one.camera, name);
          if (!line.includes(one.camera)) line.push(one.camera);
        }
      }
      expect(taken.length + rest().length + dropped.length).toBe(pushed);
    }),
  );
});
