import fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { FrameCutter } from '../../src/ingest/cut-frames.js';
import { sampleFrames, sampler } from '../../src/ingest/sample-frames.js';
import type { Frame } from '../../src/types.js';
import { all } from './support.js';

describe('FrameCutter', () => {
  const cut = (frameBytes: number, pieces: readonly Uint8Array[]) => {
    const frames: Uint8Array[] = [];
    const cutter = new FrameCutter(frameBytes, (pixels) => frames.push(pixels));
    for (const piece of pieces) cutter.push(piece);
    return { frames, partialBytes: cutter.end() };
  };

  it('gives the same frames however the bytes arrive, and says what was left over', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 20 }),
        (frameBytes, pieces) => {
          const all = Buffer.concat(pieces);
          const { frames, partialBytes } = cut(frameBytes, pieces);
          expect(frames.length).toBe(Math.floor(all.length / frameBytes));
          expect(frames.every((frame) => frame.length === frameBytes)).toBe(true);
          expect(Buffer.concat(frames)).toEqual(all.subarray(0, frames.length * frameBytes));
          expect(partialBytes).toBe(all.length % frameBytes);
        },
      ),
    );
  });

  it('gives each frame memory of its own', () => {
    const pieces = [Uint8Array.of(1, 2, 3, 4, 5, 6)];
    const { frames } = cut(2, pieces);
    pieces[0]?.fill(0);
    expect(frames.map((frame) => [...frame])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(frames.every((frame) => frame.buffer.byteLength === 2)).toBe(true);
  });

  it('begins anew after its end', () => {
    const frames: Uint8Array[] = [];
    const cutter = new FrameCutter(2, (pixels) => frames.push(pixels));
    cutter.push(Uint8Array.of(1));
    expect(cutter.end()).toBe(1);
    cutter.push(Uint8Array.of(2, 3));
    expect([...(frames[0] ?? [])]).toEqual([2, 3]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses frames of %d bytes', (frameBytes) => {
    expect(() => new FrameCutter(frameBytes, () => {})).toThrow(RangeError);
  });
});

/** Times of `count` frames at a rate, each off by what `jitter` gives (in intervals of the source). */
const times = (framesPerSecond: number, count: number, jitter: () => number = () => 0) =>
  Array.from({ length: count }, (_, n) => ((n + jitter()) * 1000) / framesPerSecond);
const kept = (framesPerSecond: number, timesMs: readonly number[]) => {
  const isWanted = sampler(framesPerSecond);
  return timesMs.filter((timeMs) => isWanted(timeMs));
};

describe('sampling at 8 frames a second', () => {
  it.each([25, 30, 60, 12.5, 10, 9, 100])('keeps 8 a second of a steady %d', (rate) => {
    const seconds = 200;
    expect(kept(8, times(rate, rate * seconds)).length).toBeGreaterThanOrEqual(8 * seconds - 1);
    expect(kept(8, times(rate, rate * seconds)).length).toBeLessThanOrEqual(8 * seconds + 1);
  });

  it('keeps them evenly: no two of a steady 25 further apart than an interval and a source frame', () => {
    const all = kept(8, times(25, 1000));
    const gaps = all.slice(1).map((timeMs, n) => timeMs - (all[n] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(125 + 40);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(80);
  });

  it.each([8, 7.9, 5, 1, 0.2])('passes all of a steady %d', (rate) => {
    expect(kept(8, times(rate, 400)).length).toBe(400);
  });

  it('passes all of a camera of just that rate that jitters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.49, noNaN: true }), { minLength: 50, maxLength: 50 }),
        (late) => {
          const arrivals = times(8, 50).map((timeMs, n) => timeMs + (late[n] ?? 0) * 125);
          expect(kept(8, arrivals).length).toBe(50);
        },
      ),
    );
  });

  it('never keeps more than the rate allows, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 200 }),
        (gaps) => {
          let nowMs = 0;
          const arrivals = gaps.map((gapMs) => (nowMs += gapMs));
          // One interval early and one late may be made up for, plus the first frame.
          expect(kept(8, arrivals).length).toBeLessThanOrEqual(nowMs / 125 + 3);
        },
      ),
    );
  });

  it('goes on after the wall clock was set back or forth by an hour', () => {
    const isWanted = sampler(8);
    const before = times(25, 250).filter((timeMs) => isWanted(timeMs));
    const back = times(25, 250).filter((timeMs) => isWanted(timeMs - 3_600_000));
    const forth = times(25, 250).filter((timeMs) => isWanted(timeMs + 3_600_000));
    for (const part of [before, back, forth]) expect(Math.abs(part.length - 80)).toBeLessThan(3);
  });

  it('as an operator starts a new grid for each subscription and passes the end and errors on', async () => {
    const frame = (n: number): Frame => ({
      camera: 'a',
      sequence: n,
      capturedAtMs: n * 40,
      pixels: new Uint8Array(),
    });
    const frame$ = from(Array.from({ length: 25 }, (_, n) => frame(n))).pipe(sampleFrames(8));
    const first = await all(frame$);
    expect(first.map(({ sequence }) => sequence)).toEqual([0, 2, 5, 8, 11, 15, 18, 21, 24]);
    expect(await all(frame$)).toEqual(first);
  });
});
