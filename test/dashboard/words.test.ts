import { describe, expect, it } from 'vitest';
import { backOffMs } from '../../src/sinks/dashboard/back-off.js';
import { frameTimes } from '../../src/sinks/dashboard/frame-times.js';
import { slotsTaken, takeSlot } from '../../src/sinks/dashboard/live-slots.js';
import { prose } from '../../src/sinks/dashboard/page-words.js';
import { pageTitle } from '../../src/sinks/dashboard/page-title.js';
import { recentRows } from '../../src/sinks/dashboard/recent-rows.js';
import { busyMs, quietMs, stillEveryMs } from '../../src/sinks/dashboard/still-pace.js';
import {
  duration,
  forecastWords,
  likeliestWords,
  outcomeWords,
  percent,
  shownState,
  stageWords,
  whyWords,
} from '../../src/sinks/dashboard/words.js';
import { event, forecast, outcome } from '../support/messages.js';

/** With spaces that may break. */
const plain = (words: string): string => words.replaceAll('\u00a0', ' ');

describe('numbers in words', () => {
  it.each([
    [0, '0 %'],
    [0.001, '<1 %'],
    [0.62, '62 %'],
    [0.999, '>99 %'],
    [1, '100 %'],
  ])('%f is %s', (share, words) => expect(plain(percent(share))).toBe(words));

  it.each([
    [400, '0.4 s'],
    [12_400, '12 s'],
    [180_000, '3 min'],
    [5 * 3_600_000, '5 h'],
    [3 * 86_400_000, '3 d'],
  ])('%d ms is %s', (ms, words) => expect(duration(ms)).toBe(words));

  it('stages are words', () => expect(stageWords('segmenterEncoder')).toBe('segmenter encoder'));
});

describe('a forecast in words', () => {
  it('names the likeliest and by when', () => {
    expect(plain(likeliestWords(forecast(0)))).toBe('Next, within 4 s: van enters, 62 %');
    expect(plain(likeliestWords(forecast(0, { nothing: 0.9 })))).toBe(
      'Likely nothing within 4 s: 90 %',
    );
    const split = forecast(0).events.map((one, i) => ({
      ...one,
      confidence: [0.2, 0.15, 0.1][i]!,
    }));
    expect(plain(likeliestWords(forecast(0, { events: split, nothing: 0.3 })))).toBe(
      'Likely something within 4 s: 70 % (van enters 20 %)',
    );
    expect(likeliestWords(forecast(0, { calibrated: false }))).toMatch(/not calibrated$/);
  });

  it('names every answer, and what came of it', () => {
    const words = forecastWords(forecast(0), outcome(0, { verdict: 'miss', observed: 'nothing' }));
    expect(plain(words)).toMatch(
      /van enters 62 %, gate opens 21 %, dog leaves 2 %, something else 6 %, nothing 9 %\. Miss: nothing began, not /,
    );
  });

  it('says why an outcome is undecidable', () => {
    const words = outcomeWords(
      outcome(0, { verdict: 'undecidable', observed: null, because: 'gap' }),
    );
    expect(words).toBe('Undecidable: pictures are missing.');
  });
});

describe('the state that is shown', () => {
  const nowMs = Date.parse(forecast(0).validUntil);
  it('is the engine’s, while the engine is heard', () => {
    expect(shownState('frozen', true, undefined, nowMs)).toBe('frozen');
    expect(shownState('online', false, forecast(0), nowMs)).toBe('unknown');
  });

  it('is unfamiliar where an online camera’s newest forecast is not calibrated', () => {
    const doubtful = forecast(0, { calibrated: false });
    expect(shownState('online', true, doubtful, nowMs)).toBe('unfamiliar');
    expect(shownState('online', true, doubtful, nowMs + 60_000)).toBe('online');
    expect(shownState('offline', true, doubtful, nowMs)).toBe('offline');
  });
});

describe('stills', () => {
  const nowMs = Date.parse(forecast(0).window.to);
  it('are taken often while something is likely or has just happened', () => {
    expect(stillEveryMs(forecast(0), undefined, nowMs)).toBe(busyMs);
    expect(stillEveryMs(undefined, new Date(nowMs - 5_000).toISOString(), nowMs)).toBe(busyMs);
  });

  it('are taken seldom otherwise', () => {
    expect(stillEveryMs(undefined, undefined, nowMs)).toBe(quietMs);
    expect(stillEveryMs(forecast(0), undefined, nowMs + 60_000)).toBe(quietMs);
    expect(stillEveryMs(undefined, new Date(nowMs - 20_000).toISOString(), nowMs)).toBe(quietMs);
  });

  it('of a window are one a second, without those that are gone', () => {
    const { from, to } = forecast(0).window;
    const end = Date.parse(to);
    expect(frameTimes(from, to, 0)).toHaveLength(8);
    expect(frameTimes(from, to, 0).at(-1)).toBe(end);
    expect(frameTimes(from, to, end - 2_500)).toEqual([end - 2_000, end - 1_000, end]);
  });
});

describe('live pictures', () => {
  it('are as many as the engine lends, and each is given back once', () => {
    const first = takeSlot(2);
    const second = takeSlot(2);
    expect(takeSlot(2)).toBeUndefined();
    first?.();
    first?.();
    expect(slotsTaken.value).toBe(1);
    second?.();
  });

  it('are tried again ever later, up to half a minute', () => {
    expect([1, 2, 3, 9].map(backOffMs)).toEqual([1_000, 2_000, 4_000, 30_000]);
  });
});

describe('what a page is called', () => {
  it.each([
    ['', [], 'Cameras – Lookahead home'],
    ['camera', ['gate', 'home-gate-1-2'], 'gate – Lookahead home'],
    ['manage', ['gate'], 'gate – Privacy masks – Lookahead home'],
    ['nowhere', [], 'Lookahead home'],
  ])('#/%s %j is %s', (page, rest, title) => expect(pageTitle({ page, rest }, 'home')).toBe(title));

  it('does without the site', () => {
    expect(pageTitle({ page: 'history', rest: [] }, '')).toBe('History – Lookahead');
  });
});

describe('what the small model writes', () => {
  it('reads as a sentence, also while it comes', () => {
    expect(prose(' a van comes . it stops , then')).toBe('A van comes. It stops, then');
    expect(prose('what is happening ?')).toBe('What is happening?');
    expect(prose('')).toBe('');
  });
});

describe('why a camera is away', () => {
  it('does not say its name again', () => {
    expect(whyWords('gate', 'gate: it cannot be reached.')).toBe('it cannot be reached.');
    expect(whyWords('gate', 'gatehouse: no.')).toBe('gatehouse: no.');
  });
});

describe('what was of late', () => {
  it('is one list, newest first', () => {
    const one = outcome(0);
    const atMs = Date.parse(one.decidedAt);
    const all = [event(0), event(9)];
    const rows = recentRows(all, new Map([[one.id, one]]), atMs);
    expect(rows.map(({ at }) => at)).toEqual(
      rows
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    );
    expect(rows.map(({ kind }) => kind).toSorted()).toEqual(['event', 'event', 'outcome']);
    const later = Date.parse(rows[0]!.at) + 59_000;
    expect(recentRows(all, new Map([[one.id, one]]), later).length).toBeGreaterThan(0);
    expect(recentRows(all, new Map([[one.id, one]]), later + 2_000)).toEqual([]);
  });
});
