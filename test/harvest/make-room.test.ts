import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeRoom, type KeptSize } from '../../src/harvest/make-room.js';
import '../fuzz-seed.js';

const item = (atMs: number, bytes: number): KeptSize => ({ name: `w${String(atMs)}`, atMs, bytes });

it('deletes the oldest first, and no more than needed', () => {
  const kept = [item(3, 40), item(1, 40), item(2, 40)];
  expect(makeRoom(kept, { bytesMax: 150, ageMaxMs: 100 }, 4, 50)).toEqual({
    delete: [{ name: 'w1', reason: 'size' }],
    fits: true,
  });
});

it('deletes what is too old, though there were room', () => {
  const kept = [item(10, 1), item(20, 1)];
  expect(makeRoom(kept, { bytesMax: 150, ageMaxMs: 5 }, 16, 1).delete).toEqual([
    { name: 'w10', reason: 'age' },
  ]);
});

it('a newcomer that never fits costs nothing its place', () => {
  expect(makeRoom([item(1, 40)], { bytesMax: 50, ageMaxMs: 9 }, 2, 51)).toEqual({
    delete: [],
    fits: false,
  });
});

it('is never above the bound, keeps nothing too old, and the oldest always goes first', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 30 }),
    bytes: fc.integer({ min: 0, max: 120 }),
    otherBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 200 }),
      (steps, bytesMax, ageMaxMs) => {
        let nowMs = 0;
        let kept: KeptSize[] = [];
        for (const { waitMs, bytes, otherBytes } of steps) {
          nowMs += waitMs + 1;
          const room = makeRoom(kept, { bytesMax, ageMaxMs }, nowMs, bytes, otherBytes);
          const gone = new Set(room.delete.map(({ name }) => name));
          const left = kept.filter(({ name }) => !gone.has(name));
          const youngestGone = Math.max(
            ...kept.filter(({ name }) => gone.has(name)).map(({ atMs }) => atMs),
          );
          expect(left.every(({ atMs }) => atMs > youngestGone)).toBe(true);
          expect(left.every(({ atMs }) => nowMs - atMs <= ageMaxMs)).toBe(true);
          expect(room.fits).toBe(bytes + otherBytes <= bytesMax);
          kept = room.fits ? [...left, item(nowMs, bytes)] : left;
          const all = kept.reduce((sum, one) => sum + one.bytes, 0) + otherBytes;
          if (otherBytes <= bytesMax) expect(all).toBeLessThanOrEqual(bytesMax);
        }
      },
    ),
  );
});
