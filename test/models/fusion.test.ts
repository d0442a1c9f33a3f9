import { expect, test } from 'vitest';
import { fusionFeeds } from '../../src/models/fusion.js';
import { thing, windowOf } from '../../bench/made-up.js';
import { yardManifest } from './yard-bundle.js';

const manifest = yardManifest();
const dim = manifest.geometry.visionDim;
const numbers = (feeds: ReturnType<typeof fusionFeeds>, name: string): number[] =>
  Array.from(feeds[name]?.data ?? [], Number);

test('ages are counted from the newest clip, over holes', () => {
  const [a, , c] = windowOf([[], [], []], [], dim);
  const feeds = fusionFeeds([a!, c!], manifest);
  expect(numbers(feeds, 'global_clip')).toEqual([2, 0]);
  expect(feeds['global']?.dims).toEqual([1, 2, dim]);
  expect(numbers(feeds, 'global')[dim]).toBe(2);
});

test('a track is one row, with the token with which it was last seen, in the order of the histories', () => {
  const [van, dog] = [thing(7, 'van'), thing(3, 'dog')];
  const feeds = fusionFeeds(windowOf([[van, dog], [van], [dog, van]], [], dim), manifest);
  expect(numbers(feeds, 'kind')).toEqual(
    ['dog', 'van'].map((name) => manifest.classes.indexOf(name)),
  );
  expect(feeds['pooled']?.dims).toEqual([2, dim]);
  expect(numbers(feeds, 'pooled')[0]).toBeCloseTo(3.02, 5);
  expect(numbers(feeds, 'pooled')[dim]).toBeCloseTo(7.02, 5);
  const gone = fusionFeeds(windowOf([[dog, van], [dog]], [], dim), manifest);
  expect(numbers(gone, 'pooled')[dim]).toBeCloseTo(7.0, 5);
});

test('scenes that are older than a window are left out, with their tracks', () => {
  const [old] = windowOf([[thing(1, 'car')]], [], dim);
  const newest = { ...windowOf([[thing(2, 'van')]], [], dim)[0]!, clip: 9 };
  const feeds = fusionFeeds([old!, newest], manifest);
  expect(numbers(feeds, 'global_clip')).toEqual([0]);
  expect(numbers(feeds, 'kind')).toEqual([manifest.classes.indexOf('van')]);
  expect(feeds['pooled']?.dims).toEqual([1, dim]);
});

test('where nothing was seen there is one row of zeros', () => {
  const feeds = fusionFeeds(windowOf([[]], [], dim), manifest);
  expect(feeds['pooled']?.dims).toEqual([1, dim]);
  expect(new Set(numbers(feeds, 'pooled'))).toEqual(new Set([0]));
  expect(new Set(numbers(feeds, 'seen'))).toEqual(new Set([0]));
});

test('how precise tracks are is told as the manifest says', () => {
  const feeds = fusionFeeds(windowOf([[]], [], dim), manifest);
  expect(numbers(feeds, 'track_errors')).toEqual(
    manifest.geometry.trackErrors.map((error) => Math.fround(error)),
  );
});
