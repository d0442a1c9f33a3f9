import fc from 'fast-check';
import { concat, map, NEVER, of, Subject, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { OutcomeSchema, type Forecast, type Outcome } from '../../src/messages.js';
import { judgeOutcomes, type JudgeOptions } from '../../src/operators/judge-outcomes.js';
import type { Scene } from '../../src/types.js';
import { fakeEvent, fakeForecast, fakeScene, labels } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

const options: JudgeOptions = {
  labels,
  eventThresholds: labels.map(() => 0.5),
  gapMaxMs: 15,
  slackMs: 5,
  openMax: 4,
  scenesMax: 10,
  now: () => 500,
};

/**
 * Feeds scenes, forecasts and online changes in the order given, and ends all. Scenes are 20 ms, from 20 n to 20 n + 10;
 * the forecast from the window that ends with clip 2 ends at 50 ms and its horizon at 90 ms: the end of clip 4.
 */
function judge(steps: readonly (Scene | Forecast | boolean)[], change: Partial<JudgeOptions> = {}) {
  const [scene$, forecast$, online$] = [
    new Subject<Scene>(),
    new Subject<Forecast>(),
    new Subject<boolean>(),
  ];
  const outcomes: Outcome[] = [];
  let hasEnded = false;
  forecast$.pipe(judgeOutcomes({ scene$, online$ }, { ...options, ...change })).subscribe({
    next: (outcome) => outcomes.push(outcome),
    complete: () => (hasEnded = true),
  });
  const beforeEnd = (): number => outcomes.length;
  for (const step of steps) {
    if (typeof step === 'boolean') online$.next(step);
    else if ('tokens' in step) scene$.next(step);
    else forecast$.next(step);
  }
  const decidedBeforeEnd = beforeEnd();
  online$.complete();
  scene$.complete();
  forecast$.complete();
  expect(hasEnded).toBe(true);
  return { outcomes, decidedBeforeEnd };
}

const scenes = (from: number, to: number): Scene[] =>
  Array.from({ length: to - from + 1 }, (_, index) => fakeScene(from + index));
const verdicts = ({ outcomes }: { outcomes: readonly Outcome[] }): string[] =>
  outcomes.map(({ verdict, observed }) => `${verdict}: ${String(observed)}`);

describe('judgeOutcomes', () => {
  it(
    'decides in the moment in which scenes cover the horizon',
    marbles(({ cold, expectObservable }) => {
      const values = Object.fromEntries(
        [0, 1, 2, 3, 4, 5].map((clip) => [String(clip), fakeScene(clip)]),
      );
      const scene$: Observable<Scene> = cold('0-1-2-3-4-5-|', values);
      const forecast$ = cold(' ----f-------|', { f: fakeForecast() });
      const expected = '       --------o---|';
      const outcome$ = forecast$.pipe(judgeOutcomes({ scene$, online$: of(true) }, options));
      expectObservable(outcome$.pipe(map(({ verdict }) => verdict))).toBe(expected, { o: 'miss' });
    }),
  );

  it('hit: the most likely answer came true, with delay, lead and scores', () => {
    const late = fakeScene(3, { events: [fakeEvent(1, 65)] });
    const { outcomes, decidedBeforeEnd } = judge([
      ...scenes(0, 2),
      fakeForecast(),
      late,
      fakeScene(4),
    ]);
    expect(decidedBeforeEnd).toBe(1);
    expect(outcomes[0]).toMatchObject({
      id: 'yard-gate-7-2',
      verdict: 'hit',
      observed: 'van enters',
      predicted: 'van enters',
      onset: '1970-01-01T00:00:00.065Z',
      onsetAfterMs: 15,
      leadMs: 13,
      baseRateHit: false,
      decidedAt: '1970-01-01T00:00:00.500Z',
    });
    // 0.5 on what came true; 0.2, 0.15, 0.1, 0.04 and 0.01 on the others.
    expect(outcomes[0]?.logScore).toBeCloseTo(-Math.log(0.5), 9);
    expect(outcomes[0]?.brier).toBeCloseTo(0.25 + 0.04 + 0.0225 + 0.01 + 0.0016 + 0.0001, 9);
    expect(OutcomeSchema.strict().parse(outcomes[0])).toEqual(outcomes[0]);
  });

  it('miss: another named answer came true', () => {
    const opens = fakeScene(3, { events: [fakeEvent(2, 65)] });
    expect(verdicts(judge([...scenes(0, 2), fakeForecast(), opens, fakeScene(4)]))).toEqual([
      'miss: gate opens',
    ]);
    expect(verdicts(judge([...scenes(0, 2), fakeForecast(), ...scenes(3, 4)]))).toEqual([
      'miss: nothing',
    ]);
  });

  it('hit: nothing was forecast and nothing happened; the base rate was right too', () => {
    const calm = fakeForecast([0.9, 0.06, 0.02, 0.01, 0.005, 0.005]);
    const judged = judge([...scenes(0, 2), calm, ...scenes(3, 4)]);
    expect(verdicts(judged)).toEqual(['hit: nothing']);
    expect(judged.outcomes[0]).toMatchObject({ onset: null, leadMs: null, baseRateHit: true });
  });

  it('surprise: an event came that was not named', () => {
    const falls = fakeScene(4, { events: [fakeEvent(5, 85)] });
    expect(verdicts(judge([...scenes(0, 2), fakeForecast(), fakeScene(3), falls]))).toEqual([
      'surprise: box falls',
    ]);
  });

  it('the first event counts; of two at the same time the more probable one', () => {
    const two = [fakeEvent(2, 84), fakeEvent(3, 62, 0.6)];
    const apart = { ...fakeForecast(), horizonMs: 400 };
    const first = [fakeScene(3, { events: [fakeEvent(3, 62, 0.6)] }), ...scenes(4, 9)];
    const second = fakeScene(10, { events: [fakeEvent(2, 204)] });
    const later = [...first, second, ...scenes(11, 22)];
    expect(verdicts(judge([...scenes(0, 2), apart, ...later]))).toEqual(['miss: van leaves']);
    const together = [fakeScene(3), fakeScene(4, { events: two })];
    expect(verdicts(judge([...scenes(0, 2), fakeForecast(), ...together]))).toEqual([
      'miss: gate opens',
    ]);
  });

  it('an event on the first frame after the window counts, even in a burst or between milliseconds', () => {
    const burst = fakeScene(3, { fromMs: 50, toMs: 70, events: [fakeEvent(1, 50)] });
    expect(verdicts(judge([...scenes(0, 2), fakeForecast(), burst, fakeScene(4)]))).toEqual([
      'hit: van enters',
    ]);
    const last = fakeScene(2, { toMs: 50.2 });
    const next = fakeScene(3, { fromMs: 50.3, events: [fakeEvent(1, 50.3)] });
    const steps = [...scenes(0, 1), last, fakeForecast(), next, fakeScene(4)];
    expect(verdicts(judge(steps))).toEqual(['hit: van enters']);
  });

  it('events below their threshold, before and after the horizon do not count', () => {
    const before = fakeScene(2, { events: [fakeEvent(1, 55)] });
    const faint = fakeScene(3, { events: [fakeEvent(1, 65, 0.4)] });
    const after = fakeScene(4, { events: [fakeEvent(1, 91)] });
    const steps = [...scenes(0, 1), before, fakeForecast(), faint, after];
    expect(verdicts(judge(steps))).toEqual(['miss: nothing']);
  });

  it('a forecast that comes late is judged by the scenes that are kept', () => {
    const enters = fakeScene(3, { events: [fakeEvent(1, 65)] });
    const judged = judge([...scenes(0, 2), enters, ...scenes(4, 6), fakeForecast()]);
    expect(verdicts(judged)).toEqual(['hit: van enters']);
    expect(judged.decidedBeforeEnd).toBe(1);
  });

  const undecidable = {
    'a missing clip within the horizon, even after an event': [
      ...scenes(0, 2),
      fakeForecast(),
      fakeScene(3, { events: [fakeEvent(1, 65)] }),
      fakeScene(5),
    ],
    'a missing clip whose neighbours arrived close together': [
      ...scenes(0, 2),
      fakeForecast(),
      fakeScene(4, { fromMs: 60, toMs: 70 }),
    ],
    'a stall within the horizon': [
      ...scenes(0, 2),
      fakeForecast(),
      fakeScene(3, { fromMs: 80, toMs: 90 }),
    ],
    'the camera went offline': [...scenes(0, 2), fakeForecast(), fakeScene(3), false],
    'the camera was offline when the forecast came': [...scenes(0, 3), false, fakeForecast()],
    'the camera was away between two scenes': [
      ...scenes(0, 2),
      fakeForecast(),
      fakeScene(3),
      false,
      true,
      ...scenes(4, 6),
    ],
    'a forecast of scenes that are no longer kept': [...scenes(10, 20), fakeForecast()],
    'the end came first': [...scenes(0, 2), fakeForecast(), fakeScene(3)],
  };
  for (const [name, steps] of Object.entries(undecidable)) {
    it(`undecidable: ${name}`, () => {
      const judged = judge(steps);
      expect(verdicts(judged)).toEqual(['undecidable: null']);
      expect(judged.decidedBeforeEnd).toBe(name === 'the end came first' ? 0 : 1);
      expect(OutcomeSchema.strict().parse(judged.outcomes[0])).toEqual(judged.outcomes[0]);
    });
  }

  it('says why it cannot decide, what was forecast, and nothing of what came', () => {
    const why = (steps: readonly (Scene | Forecast | boolean)[], change = {}): unknown[] =>
      judge(steps, change).outcomes.map(({ because }) => because);
    expect(why([...scenes(0, 2), fakeForecast(), fakeScene(3), false])).toEqual(['camera']);
    expect(why([...scenes(0, 2), fakeForecast(), fakeScene(3), fakeScene(5)])).toEqual(['gap']);
    expect(why([...scenes(10, 20), fakeForecast()])).toEqual(['gap']);
    // Pictures that stood still, or a camera that was away, while the forecast was made.
    expect(why([...scenes(0, 2), false, ...scenes(3, 6), fakeForecast(), true])).toEqual([
      'camera',
    ]);
    expect(why([...scenes(0, 3), false, true, ...scenes(4, 6), fakeForecast()])).toEqual([
      'camera',
    ]);
    expect(why([...scenes(0, 2), fakeScene(4), fakeForecast()])).toEqual(['gap']);
    const two = [0, 1].map((sequence) => fakeForecast(undefined, 2, sequence));
    expect(why([...scenes(0, 2), ...two], { openMax: 1 })).toEqual(['full', 'camera']);
    const doubtful = { isDoubtful: () => true };
    const decided = [...scenes(0, 2), fakeForecast(), ...scenes(3, 4)];
    expect(why(decided, doubtful)).toEqual(['doubtful']);
    expect(why(decided)).toEqual([null]);
    expect(judge(decided, doubtful).outcomes[0]).toMatchObject({
      ...{ verdict: 'undecidable', observed: null, brier: null, baselines: null, began: null },
      answers: { nothing: 0.2, events: [{ label: 'van enters', confidence: 0.5 }, {}, {}] },
    });
  });

  it('shows the doubter the horizon, what began in it and what is faint', () => {
    const seen: unknown[] = [];
    const faint = [{ label: 3, onsetMs: 62, probability: 0.1 }];
    const inside = fakeScene(3, { events: [fakeEvent(1, 65)], faintEvents: faint });
    judge([...scenes(0, 2), fakeForecast(), inside, fakeScene(4)], {
      isDoubtful: (horizon) => {
        seen.push({ ...horizon, events: horizon.events.map(({ label }) => label) });
        return false;
      },
    });
    expect(seen).toMatchObject([{ fromMs: 50, untilMs: 90, events: [1], faintEvents: faint }]);
  });

  it('calls an event late that had begun when the forecast was issued', () => {
    const enters = fakeScene(3, { events: [fakeEvent(1, 65)] });
    const issuedAt = '1970-01-01T00:00:00.070Z';
    const late = judge([...scenes(0, 2), { ...fakeForecast(), issuedAt }, enters, fakeScene(4)]);
    expect(late.outcomes[0]).toMatchObject({ verdict: 'hit', leadMs: -5, late: true });
    const soon = judge([...scenes(0, 2), fakeForecast(), enters, fakeScene(4)]);
    expect(soon.outcomes[0]).toMatchObject({ leadMs: 13, late: false });
  });

  it('marks the base rate and persistence by what was known when the forecast was issued', () => {
    const enters = fakeScene(3, { events: [fakeEvent(1, 65)] });
    const steps = [
      ...[...scenes(0, 2), fakeForecast(undefined, 2, 0), enters],
      ...[fakeForecast(undefined, 3, 1), ...scenes(4, 5), fakeForecast(undefined, 5, 2)],
      ...scenes(6, 7),
    ];
    const marks = judge(steps).outcomes.map(({ baselines }) => baselines);
    // At first the bundle's own; the second forecast knew of the event and of no outcome, the third of two.
    expect(marks[0]?.baseRate.logScore).toBeCloseTo(-Math.log(0.3), 9);
    expect(marks[0]?.persistence).toEqual(marks[0]?.baseRate);
    expect(marks[1]?.baseRate.logScore).toBeCloseTo(-Math.log(0.4), 9);
    expect(marks[1]?.persistence.logScore).toBeCloseTo(-Math.log(0.2), 9);
    expect(marks[2]?.baseRate.logScore).toBeCloseTo(-Math.log((1 + 20 * 0.4) / 22), 9);
  });

  it('does not let persistence know what began while the forecast was made', () => {
    const before = fakeScene(1, { events: [fakeEvent(2, 25)] });
    const enters = fakeScene(3, { events: [fakeEvent(1, 65)] });
    const steps = [fakeScene(0), before, fakeScene(2), enters, fakeForecast(), fakeScene(4)];
    const [outcome] = judge(steps).outcomes;
    expect(outcome?.observed).toBe('van enters');
    // Half of it is with the gate, which had opened; the bundle's own rate of the van is 0.3.
    expect(outcome?.baselines?.persistence.logScore).toBeCloseTo(-Math.log(0.15), 9);
  });

  it('asks of a forecast of what begins at all which labels did', () => {
    const within: Forecast = {
      ...{ ...fakeForecast(), id: 'yard-gate-7-2-within', target: 'within', somethingElse: 0.2 },
      ...{ chances: { 'van enters': 0.8, 'gate opens': 0.5, 'van leaves': 0.1, 'box falls': 0 } },
    };
    const both = fakeScene(3, { events: [fakeEvent(2, 62), fakeEvent(1, 65), fakeEvent(2, 68)] });
    const [outcome] = judge([...scenes(0, 2), within, both, fakeScene(4)]).outcomes;
    expect(outcome).toMatchObject({
      ...{ target: 'within', verdict: 'hit', began: ['gate opens', 'van enters'] },
      ...{ observed: 'gate opens', baseRateHit: null, baselines: null },
    });
    // 0.8 and 0.5 came; 0.1, the floor and a half of «something else» did not.
    expect(outcome?.brier).toBeCloseTo((0.04 + 0.25 + 0.01 + 1e-8 + 0.01) / 5, 6);
    const logs = [0.8, 0.5, 0.9, 1 - 1e-4, 0.9].map((chance) => -Math.log(chance));
    expect(outcome?.logScore).toBeCloseTo(logs.reduce((total, one) => total + one) / 5, 9);
    const quiet = judge([...scenes(0, 2), within, ...scenes(3, 4)]).outcomes[0];
    expect(quiet).toMatchObject({ verdict: 'miss', observed: 'nothing', began: [] });
    const falls = fakeScene(3, { events: [fakeEvent(5, 65)] });
    const odd = judge([...scenes(0, 2), within, falls, fakeScene(4)]).outcomes[0];
    expect(odd).toMatchObject({ verdict: 'surprise', began: ['box falls'] });
    expect(OutcomeSchema.strict().parse(outcome)).toEqual(outcome);
  });

  it('frozen pictures prove nothing, though scenes go on', () => {
    const steps = [...scenes(0, 2), false, ...scenes(3, 6), fakeForecast(undefined, 4), true];
    expect(verdicts(judge(steps))).toEqual(['undecidable: null']);
  });

  it('keeps a limited number of open forecasts; the oldest is undecidable', () => {
    const five = [0, 1, 2, 3, 4].map((sequence) => fakeForecast(undefined, 2, sequence));
    const { outcomes, decidedBeforeEnd } = judge([...scenes(0, 2), ...five]);
    expect(decidedBeforeEnd).toBe(1);
    expect(outcomes.map(({ id }) => id.at(-1))).toEqual(['0', '1', '2', '3', '4']);
  });

  it('judges a forecast once, though it comes twice and once more with its reasons', () => {
    const forecast = fakeForecast();
    const again = [forecast, { ...forecast, rev: 1 }, ...scenes(3, 4), forecast];
    expect(verdicts(judge([...scenes(0, 2), forecast, ...again]))).toEqual(['miss: nothing']);
    expect(verdicts(judge([...scenes(0, 2), { ...forecast, rev: 1 }, ...scenes(3, 4)]))).toEqual(
      [],
    );
  });

  it('gives every forecast exactly one outcome, whatever comes', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('scene') },
      { weight: 3, arbitrary: fc.constant('forecast') },
      { weight: 1, arbitrary: fc.constantFrom('lose', 'offline', 'online', 'old forecast') },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (kinds) => {
        let [clip, sequence] = [0, 0];
        const steps = kinds.flatMap((kind): (Scene | Forecast | boolean)[] => {
          if (kind === 'scene') return [fakeScene(clip++, { events: [fakeEvent(1, clip * 20)] })];
          if (kind === 'forecast')
            return [fakeForecast(undefined, Math.max(0, clip - 1), sequence++)];
          if (kind === 'old forecast') return [fakeForecast(undefined, clip >> 1, sequence++)];
          if (kind === 'lose') clip += 1;
          return kind === 'lose' ? [] : [kind === 'online'];
        });
        const ids = judge(steps).outcomes.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toHaveLength(sequence);
      }),
      { numRuns: 300 },
    );
  });

  it(
    'passes errors on, and lets go of all when the reader leaves',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [scene$, forecast$, online$] = [
        cold<Scene>('---'),
        cold<Forecast>('---'),
        cold<boolean>('---'),
      ];
      expectObservable(forecast$.pipe(judgeOutcomes({ scene$, online$ }, options)), '--!').toBe(
        '---',
      );
      for (const { subscriptions } of [scene$, forecast$, online$]) {
        expectSubscriptions(subscriptions).toBe('^-!');
      }
      const broken$ = cold<Forecast>('-#');
      const evidence = { scene$: NEVER, online$: concat(of(true), NEVER) };
      expectObservable(broken$.pipe(judgeOutcomes(evidence, options))).toBe('-#');
    }),
  );
});
