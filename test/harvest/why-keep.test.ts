import { describe, expect, it } from 'vitest';
import { doubtOf, whyKeep } from '../../src/harvest/why-keep.js';
import type { Outcome } from '../../src/messages.js';
import { forecast, outcome } from '../support/messages.js';

const limits = { surpriseMin: 3, doubtMin: 0.8 };
const why = (change: Partial<Outcome>, top = 0.62): readonly string[] => {
  const said = forecast(1);
  const events = said.events.map((event, at) => ({ ...event, confidence: at === 0 ? top : 0.05 }));
  return whyKeep({ ...said, events }, { ...outcome(1), ...change }, limits);
};

describe('a window is kept', () => {
  it.each<[string, Partial<Outcome>, string[]]>([
    ['not where the likeliest came', { verdict: 'hit', logScore: 0.48 }, []],
    ['not where another came that had a chance', { verdict: 'miss', logScore: 2.99 }, []],
    ['where what came had hardly any', { verdict: 'miss', logScore: 3 }, ['improbable']],
    ['where nobody had named it', { verdict: 'surprise', logScore: 2 }, ['surprise']],
    ['for both', { verdict: 'surprise', logScore: 5 }, ['surprise', 'improbable']],
    [
      'where what came is doubtful',
      { verdict: 'undecidable', logScore: null, because: 'doubtful' },
      ['undecidable'],
    ],
    ...(['camera', 'gap', 'restart', 'full', null] as const).map(
      (because): [string, Partial<Outcome>, string[]] => [
        `not where nothing can be told: ${String(because)}`,
        { verdict: 'undecidable', logScore: null, because },
        [],
      ],
    ),
  ])('%s', (_, change, expected) => {
    expect(why(change)).toEqual(expected);
  });

  it('where the forecast was doubtful, whatever came', () => {
    expect(why({ verdict: 'hit', logScore: 1.6 }, 0.2)).toEqual(['doubtful']);
    expect(why({ verdict: 'hit', logScore: 1.6 }, 0.21)).toEqual([]);
    const gone = { verdict: 'undecidable', logScore: null, because: 'gap' } as const;
    expect(why(gone, 0.2)).toEqual([]);
  });

  it('not for doubt where doubtMin is 1', () => {
    const said = { ...forecast(1), events: [], nothing: 0 };
    expect(doubtOf(said)).toBe(1);
    const hit = { ...outcome(1), verdict: 'hit', logScore: 1 } as const;
    expect(whyKeep(said, hit, { ...limits, doubtMin: 1 })).toEqual([]);
  });
});
