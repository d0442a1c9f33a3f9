import { describe, expect, it } from 'vitest';
import {
  bundlesOwn,
  defaultFit,
  evidence,
  type Evidence,
} from '../../src/outcomes/recalibration.js';
import { Recalibrator } from '../../src/outcomes/recalibrator.js';

const cells = { events: [0.6, 0.2, 0.05], nothing: 0.1, somethingElse: 0.05 };
const nothing = cells.events.length;

/** Nothing comes in two of three. */
const heard = (index: number): Evidence =>
  evidence(cells, index % 3 === 0 ? 0 : nothing, { windowToMs: index * 4000, horizonMs: 4000 });
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

function taught(indices: readonly number[]): Recalibrator {
  const recalibrator = new Recalibrator();
  for (const index of indices) recalibrator.note(heard(index));
  return recalibrator;
}

describe('what outcomes teach', () => {
  it('is asked for after every twentieth', () => {
    const recalibrator = new Recalibrator();
    expect(range(0, 19).some((index) => recalibrator.note(heard(index)))).toBe(false);
    expect(recalibrator.note(heard(19))).toBe(true);
    recalibrator.next(bundlesOwn);
    expect(recalibrator.note(heard(20))).toBe(false);
  });

  it('is nothing where events are in doubt more often than nothing is, and the chances are true', () => {
    // As likely as the cells say: nothing in one of ten. Of the events two in five are in doubt.
    const likely = (index: number): Evidence => {
      const of = index % 20;
      const came = of < 12 ? 0 : of < 16 ? 1 : of < 17 ? 2 : of < 19 ? nothing : nothing + 1;
      return evidence(cells, came, { windowToMs: index * 4000, horizonMs: 4000 });
    };
    const taughtBy = (tellsDoubt: boolean): Recalibrator => {
      const recalibrator = new Recalibrator();
      for (const index of range(0, 800)) {
        const outcome = likely(index);
        const isDoubted = outcome.came !== nothing && (index * 7) % 5 < 2;
        if (!isDoubted) recalibrator.note(outcome);
        else if (tellsDoubt) recalibrator.noteDoubt(outcome.windowToMs);
      }
      return recalibrator;
    };
    expect(taughtBy(true).next(bundlesOwn)).toBe(bundlesOwn);
    expect(taughtBy(false).next(bundlesOwn).nothingBias, 'what doubt would teach').toBeGreaterThan(
      0.2,
    );
  });

  it('is the same whether those of earlier runs come before, after, or twice', () => {
    const inOrder = taught(range(0, 300)).next(bundlesOwn);
    expect(inOrder).not.toBe(bundlesOwn);
    expect(taught([...range(200, 300), ...range(0, 200)]).next(bundlesOwn)).toEqual(inOrder);
    expect(taught([...range(0, 300), ...range(0, 300)]).next(bundlesOwn)).toEqual(inOrder);
  });

  it('rests on the last ones alone, in whatever order they come', () => {
    const { outcomesMax } = defaultFit;
    const last = taught(range(1000, 1000 + outcomesMax)).next(bundlesOwn);
    expect(taught(range(0, 1000 + outcomesMax)).next(bundlesOwn)).toEqual(last);
    expect(
      taught([...range(1000, 1000 + outcomesMax), ...range(0, 1000)]).next(bundlesOwn),
    ).toEqual(last);
  });

  it('leaves out what came before a person set something, told before or after', () => {
    const recalibrator = taught(range(0, 300));
    recalibrator.forget(300 * 4000);
    for (const index of range(0, 300)) recalibrator.note(heard(index));
    expect(recalibrator.next(bundlesOwn)).toBe(bundlesOwn);
    for (const index of range(300, 500)) recalibrator.note(heard(index));
    expect(recalibrator.next(bundlesOwn)).toMatchObject({ outcomes: 200 });
  });
});
