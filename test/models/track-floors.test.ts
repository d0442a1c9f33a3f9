import { expect, test } from 'vitest';
import { TrackFloors } from '../../src/models/track-floors.js';

test('ids that were given are not free again in the epoch', () => {
  const floors = new TrackFloors();
  expect(floors.of('a', 1, 0)).toBe(1);
  floors.note('a', 1, 0, [3, 1]);
  floors.note('a', 1, 1, [2]);
  expect(floors.of('a', 1, 2)).toBe(4);
  expect(floors.of('b', 1, 2)).toBe(1);
});

test('a new epoch, or the same one begun again, counts from 1', () => {
  const floors = new TrackFloors();
  floors.note('a', 1, 5, [7]);
  expect(floors.of('a', 2, 6)).toBe(1);
  expect(floors.of('a', 1, 0)).toBe(1);
  floors.note('a', 1, 0, [1]);
  expect(floors.of('a', 1, 1)).toBe(2);
});

test('cameras without end take memory with an end', () => {
  const floors = new TrackFloors();
  for (let camera = 0; camera <= 4096; camera++) floors.note(`c${camera}`, 0, 0, [1]);
  expect(floors.of('c0', 0, 1)).toBe(1);
  expect(floors.of('c1', 0, 1)).toBe(2);
});
