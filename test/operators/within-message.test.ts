import { describe, expect, it } from 'vitest';
import { ForecastSchema, kindOf } from '../../src/messages.js';
import { forecastMessage } from '../../src/operators/forecast-message.js';
import { withinMessage } from '../../src/operators/within-message.js';
import { facts, fakeObject, fakeReasoning, fakeScene, labels, origin } from '../support/fakes.js';

const window = [fakeScene(4), fakeScene(5), fakeScene(6, { objects: [fakeObject(3, 'van')] })];
const issue = { sequence: 12, issuedAtMs: 180, isPictureGood: true };
const left = labels.map(() => 0);
const brings = labels.map(() => labels.map(() => 0));
// The van that enters makes the box fall, which hardly ever comes first.
brings[1]![5] = 0.9;
const reasoning = fakeReasoning([0.2, 0.5, 0.15, 0.1, 0.03, 0.02]);
const next = forecastMessage(origin, facts, window, reasoning, issue);
const within = withinMessage(next, facts, window, reasoning, { brings, left });

describe('withinMessage', () => {
  it('is the twin of a forecast: the same look, valid, on a subject of its own', () => {
    expect(ForecastSchema.parse(within)).toEqual(within);
    expect(kindOf(within)).toBe('within');
    const { id, target, events, somethingElse, chances, recalibration, ...same } = within;
    expect(next).toMatchObject(same);
    expect({ id, target, recalibration }).toEqual({
      id: 'yard-gate-7-12-within',
      target: 'within',
      recalibration: null,
    });
  });

  it('tells the chance of every label, and names the three most likely to begin at all', () => {
    expect(within.chances).toEqual({
      'van enters': 0.5,
      'gate opens': 0.15,
      'van leaves': 0.1,
      'person meets person': 0.03,
      'box falls': expect.closeTo(0.02 + 0.5 * 0.9, 9) as number,
    });
    expect(within.events.map(({ label, confidence }) => [label, confidence])).toEqual([
      ['van enters', 0.5],
      ['box falls', within.chances?.['box falls']],
      ['gate opens', 0.15],
    ]);
    expect(within.events[0]).toMatchObject({ actors: [3], justification: '' });
    expect(within.nothing).toBeCloseTo(0.2, 9);
    // The van leaves or the people meet, first: nothing brings them about later.
    expect(within.somethingElse).toBeCloseTo(0.13, 9);
  });
});
