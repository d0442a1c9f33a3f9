import { describe, expect, it } from 'vitest';
import { findForecast } from '../../src/sinks/dashboard/find-forecast.js';
import { forecast, outcome } from '../support/messages.js';

/** A stream as direct get reads it: other cameras' messages lie between. */
function reader(kinds: Readonly<Record<string, readonly unknown[]>>) {
  let reads = 0;
  const of = (subject: string): readonly unknown[] => kinds[subject.split('.').at(-1)!] ?? [];
  const stored = (all: readonly unknown[], index: number) =>
    index < all.length && index >= 0
      ? { sequence: (index + 1) * 3, atMs: 0, value: all[index] }
      : undefined;
  return {
    reads: () => reads,
    last: (_: string, subject: string) =>
      Promise.resolve(stored(of(subject), of(subject).length - 1)),
    next: (_: string, sequence: number, subject: string) => {
      reads += 1;
      return Promise.resolve(stored(of(subject), Math.ceil(sequence / 3) - 1));
    },
  };
}

const many = Array.from({ length: 2_000 }, (_, i) => forecast(i));
const wanted = forecast(1_234);

describe('an old forecast', () => {
  it('is found among thousands with few reads, in its newest revision, with its outcome', async () => {
    const forecasts = many.toSpliced(1_235, 0, { ...wanted, rev: 1 });
    const outcomes = many.map(({ id }, i) => outcome(i, { id, verdict: 'hit' }));
    const store = reader({ forecast: forecasts, outcome: outcomes });
    const found = await findForecast(store, 'test', 'gate', wanted.id);
    expect(found?.forecast).toMatchObject({ id: wanted.id, rev: 1 });
    expect(found?.outcome?.id).toBe(wanted.id);
    expect(store.reads()).toBeLessThan(50);
  });

  it('may be gone, or never have been', async () => {
    const store = reader({ forecast: many.slice(1_500) });
    expect(await findForecast(store, 'test', 'gate', wanted.id)).toBeUndefined();
    expect(await findForecast(store, 'test', 'gate', 'test-gate-1-99999')).toBeUndefined();
    expect(await findForecast(store, 'test', 'gate', 'nonsense')).toBeUndefined();
    expect(await findForecast(reader({}), 'test', 'gate', wanted.id)).toBeUndefined();
  });
});
