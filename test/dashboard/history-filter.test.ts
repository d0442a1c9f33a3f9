/** The history's address, and what passes it. */
import { describe, expect, it } from 'vitest';
import {
  chanceOf,
  filterOf,
  passes,
  queryOf,
  spanOf,
  type HistoryFilter,
} from '../../src/sinks/dashboard/history-filter.js';
import { outcome } from '../support/messages.js';

const none: HistoryFilter = filterOf(new URLSearchParams());
const answers = {
  events: [
    { label: 'van enters', confidence: 0.62 },
    { label: 'gate opens', confidence: 0.21 },
    { label: 'dog leaves', confidence: 0.02 },
  ],
  somethingElse: 0.06,
  nothing: 0.09,
};

describe('the address of the history', () => {
  it('says nothing where nothing is filtered', () => {
    expect(queryOf(none)).toBe('');
  });

  it('holds every filter, and gives it back', () => {
    const filter: HistoryFilter = {
      camera: 'gate-2',
      label: 'van & dog',
      verdict: 'surprise',
      min: 0.25,
      from: '2026-11-22T09:00:00.000Z',
      to: '2026-11-22T10:00:00.000Z',
    };
    expect(filterOf(new URLSearchParams(queryOf(filter)))).toEqual(filter);
    expect(filterOf(new URLSearchParams('from=day'))).toEqual({ ...none, from: 'day' });
  });

  it('is read as if what makes no sense were not there', () => {
    const query = 'camera=a.b&verdict=sure&min=7&from=yesterday&to=soon';
    expect(filterOf(new URLSearchParams(query))).toEqual(none);
    expect(filterOf(new URLSearchParams('camera=%3E&min=-1&from=toString'))).toEqual(none);
  });

  it('means the time before now, or between two moments', () => {
    expect(spanOf({ from: 'hour', to: null }, 5_000_000)).toEqual({
      fromMs: 1_400_000,
      toMs: undefined,
    });
    const [from, to] = ['2026-11-22T09:00:00.000Z', '2026-11-22T10:00:00.000Z'];
    expect(spanOf({ from, to }, 0)).toEqual({ fromMs: Date.parse(from), toMs: Date.parse(to) });
  });
});

describe('an outcome', () => {
  const told = outcome(1, { answers, observed: 'gate opens', verdict: 'miss' });

  it('has the chance of its likeliest answer, where it tells the answers', () => {
    expect(chanceOf(told)).toBe(0.62);
    expect(chanceOf({ ...told, predicted: 'nothing' })).toBe(0.09);
    expect(chanceOf(outcome(1))).toBeNull();
  });

  it('passes by what came or what was foretold, in part and in any case', () => {
    for (const label of ['', 'Gate', 'enters', 'van enters', 'OPENS'])
      expect(passes(told, { ...none, label })).toBe(true);
    expect(passes(told, { ...none, label: 'dog' })).toBe(false);
    expect(passes({ ...told, observed: null }, { ...none, label: 'null' })).toBe(false);
  });

  it('passes by verdict and by chance', () => {
    expect(passes(told, { ...none, verdict: 'miss' })).toBe(true);
    expect(passes(told, { ...none, verdict: 'hit' })).toBe(false);
    expect(passes(told, { ...none, min: 0.62 })).toBe(true);
    expect(passes(told, { ...none, min: 0.63 })).toBe(false);
    expect(passes(outcome(1), { ...none, min: 0.1 })).toBe(false);
  });

  it('of what begins at all is another question', () => {
    expect(passes({ ...told, target: 'within' }, none)).toBe(false);
  });
});
