import { EMPTY, map, timer, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Forecast } from '../../src/messages.js';
import { explainLatest } from '../../src/operators/explain-latest.js';
import { fakeForecast } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

const chances = (van: number): number[] => [0.9 - van, van, 0.04, 0.03, 0.02, 0.01];
/** `a` and `A`: van enters 60 %; `b` 65 %; `c` 80 %; `n` nothing 60 %; `q` as n, carried. */
const forecasts: Record<string, Forecast> = {
  a: fakeForecast(chances(0.6), 2, 1),
  b: fakeForecast(chances(0.65), 2, 2),
  c: fakeForecast(chances(0.8), 2, 3),
  n: fakeForecast(chances(0.3), 2, 4),
  q: { ...fakeForecast(chances(0.3), 2, 5), basis: 'carried' },
};
const nameOf = (forecast: Forecast): string =>
  Object.keys(forecasts).find((name) => forecasts[name]?.id === forecast.id) ?? '?';

function run(source: string, expected: string, ms = 2, fails = ''): string[] {
  const dropped: string[] = [];
  marbles(({ cold, expectObservable }) => {
    const explain = (forecast: Forecast): Observable<Forecast> =>
      fails.includes(nameOf(forecast)) ? EMPTY : timer(ms).pipe(map(() => forecast));
    const explained = cold(source, forecasts).pipe(
      explainLatest({
        forecastOf: (forecast) => forecast,
        changeMin: 0.15,
        explain,
        onDrop: (forecast) => void dropped.push(nameOf(forecast)),
      }),
      map(nameOf),
    );
    expectObservable(explained).toBe(expected);
  })();
  return dropped;
}

describe('explainLatest', () => {
  it('explains the first forecast, and later ones that say something notably else', () => {
    expect(run('a---b---c---n---n---|', '--a-------c---n-----|')).toEqual([]);
  });

  it('does not explain what was carried', () => {
    expect(run('q---a---q---|', '------a-----|')).toEqual([]);
  });

  it('the next forecast ends an explanation that is not there yet, carried or not, and it is counted', () => {
    expect(run('a-b-c-------|', '--------c---|', 4)).toEqual(['a', 'b']);
    expect(run('a-q-----|', '--------|', 4)).toEqual(['a']);
  });

  it('what was never explained is tried again with the next forecast', () => {
    expect(run('a---b---|', '------b-|', 2, 'a')).toEqual([]);
  });

  it('waits for the last explanation before it ends, and passes errors on', () => {
    expect(run('a|', '--(a|)')).toEqual([]);
    expect(run('a--#', '--a#')).toEqual([]);
  });

  it(
    'frees what it asked for when the reader leaves',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const call = cold<Forecast>('-----');
      const explained = cold('-a---', forecasts).pipe(
        explainLatest({
          forecastOf: (forecast) => forecast,
          changeMin: 0.15,
          explain: () => call,
          onDrop: () => undefined,
        }),
      );
      expectObservable(explained, '---!').toBe('----');
      expectSubscriptions(call.subscriptions).toBe('-^-!');
    }),
  );
});
