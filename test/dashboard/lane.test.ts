import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bandsOf,
  columnAt,
  columnsOf,
  verdictRuns,
} from '../../src/sinks/dashboard/lane-columns.js';
import { rowFor, spread } from '../../src/sinks/dashboard/lane-labels.js';
import { laneScale, msAt, xOf } from '../../src/sinks/dashboard/lane-scale.js';
import { moved } from '../../src/sinks/dashboard/roving.js';
import { forecast, outcome } from '../support/messages.js';

describe('time along the lane', () => {
  const scale = laneScale(1_000, 50_000, 20_000, 4_000);

  it('has now at three fifths, the past left of it, and the horizon up to the right edge', () => {
    expect(xOf(scale, 50_000)).toBe(600);
    expect(xOf(scale, 30_000)).toBe(0);
    expect(xOf(scale, 54_000)).toBe(1_000);
    expect(xOf(scale, 51_000) - xOf(scale, 50_000)).toBeGreaterThan(
      xOf(scale, 50_000) - xOf(scale, 49_000),
    );
  });

  it('leads back from a place to its time', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000, max: 6_000 }), (after) => {
        expect(msAt(scale, xOf(scale, 50_000 + after))).toBeCloseTo(50_000 + after, 6);
      }),
    );
  });
});

describe('columns', () => {
  const three = [forecast(0), forecast(1), forecast(2)];
  const toMs = Date.parse(three[0]!.window.to);

  it('last until the next forecast takes over, the last one until its horizon ends', () => {
    const columns = columnsOf(three, new Map());
    expect(columns.map(({ fromMs, toMs: end }) => [fromMs - toMs, end - toMs])).toEqual([
      [0, 2_000],
      [2_000, 4_000],
      [4_000, 8_000],
    ]);
    expect(columns.every(({ verdict }) => verdict === 'waiting')).toBe(true);
  });

  it('end with their horizon where no forecast follows', () => {
    const [first] = columnsOf([forecast(0), forecast(9)], new Map());
    expect(first!.toMs - first!.fromMs).toBe(4_000);
  });

  it('pile all chances up to one, events lowest and nothing on top', () => {
    const bands = bandsOf(three[0]!, null);
    expect(bands.map(({ label }) => label)).toEqual([
      'van enters',
      'gate opens',
      'dog leaves',
      'something else',
      'nothing',
    ]);
    expect(bands[0]!.from).toBe(0);
    expect(bands.at(-1)!.to).toBeCloseTo(1, 6);
    expect(bands.some(({ isTrue }) => isTrue)).toBe(false);
  });

  it.each([
    ['gate opens', 'gate opens'],
    ['nothing', 'nothing'],
    ['stack falls', 'something else'],
  ])('mark what came: %s is in the band «%s»', (observed, band) => {
    const truths = bandsOf(three[0]!, observed).filter(({ isTrue }) => isTrue);
    expect(truths.map(({ label }) => label)).toEqual([band]);
  });

  it('take the verdict of the outcome under their id', () => {
    const one = three[1]!;
    const columns = columnsOf(
      three,
      new Map([[one.id, { ...outcome(1), id: one.id, verdict: 'surprise' }]]),
    );
    expect(columns.map(({ verdict }) => verdict)).toEqual(['waiting', 'surprise', 'waiting']);
  });

  it('are found by their time, and nearly by it', () => {
    const columns = columnsOf(three, new Map());
    expect(columnAt(columns, toMs + 2_500)?.id).toBe(three[1]!.id);
    expect(columnAt(columns, toMs + 7_900)?.id).toBe(three[2]!.id);
    expect(columnAt(columns, toMs - 1_000)?.id).toBe(three[0]!.id);
    expect(columnAt(columns, toMs - 5_000)).toBeUndefined();
  });

  it('join their verdicts where neighbours agree, not over a pause', () => {
    const columns = columnsOf([forecast(0), forecast(1), forecast(9)], new Map());
    const runs = verdictRuns(columns);
    expect(runs.map(({ fromMs, toMs: end }) => [fromMs - toMs, end - toMs])).toEqual([
      [0, 6_000],
      [18_000, 22_000],
    ]);
  });
});

describe('texts on the lane', () => {
  it('stay where they are while they are far apart', () => {
    expect(spread([10, 40, 70], 12, 0, 100)).toEqual([10, 40, 70]);
  });

  it('never lie on each other where there is room for all', () => {
    const centres = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 5 });
    fc.assert(
      fc.property(centres, (unsorted) => {
        const placed = spread(
          unsorted.toSorted((a, b) => a - b),
          15,
          5,
          95,
        );
        placed.forEach((y, i) => {
          expect(y).toBeGreaterThanOrEqual(5 - 1e-9);
          expect(y).toBeLessThanOrEqual(95 + 1e-9);
          if (i > 0) expect(y - placed[i - 1]!).toBeGreaterThanOrEqual(15 - 1e-9);
        });
      }),
    );
  });

  it('go to the first row with room, from the right', () => {
    const starts = [Infinity, Infinity];
    expect(rowFor(starts, 80, 120)).toBe(0);
    expect(rowFor(starts, 50, 90)).toBe(1);
    expect(rowFor(starts, 45, 85)).toBeUndefined();
    expect(rowFor(starts, 20, 45)).toBe(0);
  });
});

describe('keys', () => {
  const row = ['a', 'b', 'c'];
  it.each([
    ['b', 'ArrowLeft', 'a'],
    ['a', 'ArrowLeft', 'a'],
    ['b', 'ArrowRight', 'c'],
    ['c', 'ArrowRight', 'c'],
    ['c', 'Home', 'a'],
    ['a', 'End', 'c'],
    ['gone', 'ArrowLeft', 'c'],
    [undefined, 'ArrowRight', 'c'],
    ['b', 'x', undefined],
  ])('from %s by %s to %s', (at, key, expected) => {
    expect(moved(row, at, key)).toBe(expected);
  });
});
