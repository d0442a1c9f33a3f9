import { expect, test } from 'vitest';
import { RequestQueue } from '../../src/models/request-queue.js';

function queueOf(camerasMax: number) {
  const dropped: string[] = [];
  const queue = new RequestQueue<{ camera: string; name: string; reject: (error: Error) => void }>(
    camerasMax,
  );
  const push = (camera: string, name: string) =>
    queue.push({
      camera,
      name,
      reject: (error) => dropped.push(`${name} ${'reason' in error ? String(error.reason) : ''}`),
    });
  const rest = () => {
    const names: string[] = [];
    for (let one = queue.shift(); one; one = queue.shift()) names.push(one.name);
    return names;
  };
  return { queue, push, rest, dropped };
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
  const { queue, push, rest } = queueOf(4);
  push('a', 'a1');
  push('b', 'b1');
  queue.shift();
  push('a', 'a2');
  expect(rest()).toEqual(['b1', 'a2']);
});

test('more cameras than it has room for are refused', () => {
  const { queue, push, rest, dropped } = queueOf(1);
  push('a', 'a1');
  push('b', 'b1');
  expect(queue.size).toBe(1);
  expect(dropped).toEqual(['b1 full']);
  expect(rest()).toEqual(['a1']);
});
