import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import { ForecastSchema } from '../../src/messages.js';
import { explainedForecast, forecastMessage } from '../../src/operators/forecast-message.js';
import {
  facts,
  fakeCarried,
  fakeExplanation,
  fakeForecast,
  fakeObject,
  fakeReasoning,
  fakeScene,
  labels,
  origin,
} from '../support/fakes.js';

const window = [
  fakeScene(4, { familiarity: 0.2 }),
  fakeScene(5, { familiarity: 0.4 }),
  fakeScene(6, {
    familiarity: 0.6,
    objects: [fakeObject(3, 'van'), fakeObject(4, 'person'), fakeObject(5, 'van')],
  }),
];
const issue = { sequence: 12, issuedAtMs: 180, isPictureGood: true };

describe('forecastMessage', () => {
  it('is a valid message that a robot can act on without reading prose', () => {
    const forecast = forecastMessage(origin, facts, window, fakeReasoning(), issue);
    expect(ForecastSchema.parse(forecast)).toEqual(forecast);
    expect(forecast).toMatchObject({
      id: 'yard-gate-7-12',
      window: { clips: 3, frames: 6, framesDropped: 0, clock: 'arrival' },
      issuedAt: '1970-01-01T00:00:00.180Z',
      validUntil: '1970-01-01T00:00:00.170Z',
      nothing: 0.2,
      calibrated: true,
      quality: 'good',
      latencyMs: { backbone: 3, fusion: 2, total: 50 },
      bundle: { name: 'fake', version: '1.0.0' },
      rev: 0,
      basis: 'reasoned',
      explanation: [],
      grounded: null,
    });
    expect(forecastMessage(origin, facts, window, fakeCarried(), issue).basis).toBe('carried');
    expect(forecast.somethingElse).toBeCloseTo(0.05, 9);
    expect(forecast.familiarity).toBeCloseTo(0.4, 9);
  });

  it('applies what was learned on the camera to what it publishes, and says so; the raw chances stay', () => {
    const recalibration = { version: 4, temperature: 2, nothingBias: 0.5 };
    const own = forecastMessage(origin, facts, window, fakeReasoning(), issue);
    const mended = forecastMessage(origin, facts, window, fakeReasoning(), {
      ...issue,
      recalibration,
    });
    expect(own.recalibration).toBeNull();
    expect(mended.recalibration).toEqual(recalibration);
    const roots = [0.5, 0.15, 0.1, 0.05].map(Math.sqrt);
    const nothing = Math.sqrt(0.2) * Math.exp(0.5);
    const total = roots.reduce((sum, root) => sum + root, nothing);
    expect(mended.nothing).toBeCloseTo(nothing / total, 9);
    expect(mended.somethingElse).toBeCloseTo((roots[3] ?? 0) / total, 9);
    mended.events.forEach(({ confidence, label, rawConfidence }, at) => {
      expect(confidence).toBeCloseTo((roots[at] ?? 0) / total, 9);
      expect({ label, rawConfidence }).toEqual({
        label: own.events[at]?.label,
        rawConfidence: own.events[at]?.rawConfidence,
      });
    });
    expect(ForecastSchema.parse(mended)).toEqual(mended);
  });

  it('names the three most likely events, never «nothing», with live tracks; reasons come later', () => {
    const { events } = forecastMessage(
      origin,
      facts,
      window,
      fakeReasoning([0.6, 0.05, 0.1, 0.2, 0.04, 0.01]),
      issue,
    );
    expect(
      events.map(({ label, actors, justification }) => [label, actors, justification]),
    ).toEqual([
      ['van leaves', [3, 5], ''],
      ['gate opens', [], ''],
      ['van enters', [3, 5], ''],
    ]);
  });

  it('calls nothing calibrated outside the domain or on bad pictures', () => {
    const strange = window.map((scene) => ({ ...scene, familiarity: 0.1 }));
    expect(forecastMessage(origin, facts, strange, fakeReasoning(), issue)).toMatchObject({
      calibrated: false,
      quality: 'good',
    });
    const corrupt = { ...issue, isPictureGood: false };
    expect(forecastMessage(origin, facts, window, fakeReasoning(), corrupt)).toMatchObject({
      calibrated: false,
      quality: 'corrupt',
    });
  });

  it('says what the window lacks', () => {
    const holed = [fakeScene(4), fakeScene(7)];
    expect(forecastMessage(origin, facts, holed, fakeReasoning(), issue)).toMatchObject({
      quality: 'gaps',
      window: { clips: 2, frames: 4, framesDropped: 4 },
    });
    const stalled = [fakeScene(4), fakeScene(5, { fromMs: 170, toMs: 180 })];
    expect(forecastMessage(origin, facts, stalled, fakeReasoning(), issue).quality).toBe('gaps');
  });

  it('trusts nothing that came slower than what the bundle was trained on', () => {
    const at = (toMs: number) => [fakeScene(4), fakeScene(5, { toMs }), fakeScene(6)];
    const of = (toMs: number) => forecastMessage(origin, facts, at(toMs), fakeReasoning(), issue);
    expect(of(112)).toMatchObject({ quality: 'good', calibrated: true });
    expect(of(113)).toMatchObject({ quality: 'gaps', calibrated: false });
  });

  it('refuses an answer that is no distribution over the labels', () => {
    for (const broken of [
      [0.5, 0.5],
      [0.9, 0.9, 0, 0, 0, 0],
      [NaN, 1, 0, 0, 0, 0],
      [-1, 2, 0, 0, 0, 0],
    ]) {
      expect(() => forecastMessage(origin, facts, window, fakeReasoning(broken), issue)).toThrow(
        LookaheadError,
      );
    }
  });

  it('takes the rounding of float32 out', () => {
    const rounded = [0.2, 0.5, 0.15, 0.1, 0.03, 0.0205];
    const { events, nothing, somethingElse } = forecastMessage(
      origin,
      facts,
      window,
      fakeReasoning(rounded),
      issue,
    );
    expect(nothing).toBeCloseTo(0.2 / 1.0005, 9);
    const sum = events.reduce((all, { confidence }) => all + confidence, nothing + somethingElse);
    expect(sum).toBeCloseTo(1, 9);
  });

  it('always sums to 1, best first', () => {
    const weights = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: labels.length,
      maxLength: labels.length,
    });
    fc.assert(
      fc.property(weights, (raw) => {
        const total = raw.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 1e-6);
        const { events, nothing, somethingElse } = fakeForecast(
          raw.map((weight) => weight / total),
        );
        const confidences = events.map(({ confidence }) => confidence);
        const sum = confidences.reduce(
          (all, confidence) => all + confidence,
          nothing + somethingElse,
        );
        expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
        expect(confidences).toEqual([...confidences].sort((one, other) => other - one));
        expect(somethingElse).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('explainedForecast', () => {
  it('is the same forecast with the next revision, its reasons and nothing else', () => {
    const forecast = fakeForecast();
    const explained = explainedForecast(forecast, facts, fakeExplanation());
    expect(ForecastSchema.parse(explained)).toEqual(explained);
    const [first, ...others] = forecast.events;
    expect(explained).toEqual({
      ...forecast,
      rev: 1,
      events: [
        {
          ...first,
          justification: 'because it slows down at the gate .',
          justificationVerified: true,
        },
        ...others,
      ],
      explanation: [
        {
          text: 'the gate opens , because the van enters .',
          label: 'gate opens',
          causes: [{ label: 'van enters', onset: '1970-01-01T00:00:00.005Z' }],
          verified: true,
          evidence: {
            tracks: [3],
            from: '1970-01-01T00:00:00.000Z',
            to: '1970-01-01T00:00:00.010Z',
          },
        },
      ],
      grounded: true,
      latencyMs: { ...forecast.latencyMs, explain: 30 },
    });
  });
});
