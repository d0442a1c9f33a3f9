import { describe, expect, test } from 'vitest';
import { OutcomeSchema, type Forecast } from '../../src/messages.js';
import {
  decideOpen,
  type ResumeOptions,
  type StoredRun,
} from '../../src/outcomes/open-forecasts.js';
import { event, forecast } from '../support/messages.js';

const labels = ['nothing happens', 'van enters', 'gate opens', 'dog leaves'].map((text, at) => ({
  ...{ type: at === 0 ? 'nothing' : (text.split(' ')[1] ?? ''), actor: null, target: null },
  ...{ text, baseRate: 0.25 },
}));
const options: ResumeOptions = {
  ...{ labels, epoch: 2, slackMs: 60, nowMs: Date.UTC(2026, 10, 22, 9, 5) },
  isDoubtful: () => false,
};
const run = (change: Partial<StoredRun>): StoredRun => ({
  ...{ forecasts: [], events: [], decidedIds: new Set<string>() },
  ...change,
});
const verdicts = (stored: Partial<StoredRun>, change: Partial<ResumeOptions> = {}): string[] =>
  decideOpen(run(stored), { ...options, ...change }).map(
    ({ id, verdict, observed, because }) =>
      `${id.split('-').slice(3).join('-')} ${verdict} ${String(observed ?? because)}`,
  );
/** Windows of 8 s every 2 s: the one that ends 4 s after another covers its horizon. */
const forecasts = [0, 1, 2, 3].map((sequence) => forecast(sequence));

describe('a forecast without outcome', () => {
  test('is decided by what was stored where later windows show that its horizon was watched', () => {
    // Onset 1 s after the first window's end.
    expect(verdicts({ forecasts, events: [event(1)] })).toEqual([
      '0 hit van enters',
      '1 miss nothing',
      '2 undecidable restart',
      '3 undecidable restart',
    ]);
  });

  test('is cut off by the restart where windows are missing, broken or of another run', () => {
    const two = [forecast(0), forecast(2)];
    expect(verdicts({ forecasts: two })).toEqual(['0 miss nothing', '2 undecidable restart']);
    const gaps = [forecast(0), forecast(2, { quality: 'gaps' })];
    expect(verdicts({ forecasts: gaps })[0]).toBe('0 undecidable restart');
    const dropped = forecast(2);
    const holed = { ...dropped, window: { ...dropped.window, framesDropped: 8 } };
    expect(verdicts({ forecasts: [forecast(0), holed] })[0]).toBe('0 undecidable restart');
    const other = [forecast(0), forecast(2, { epoch: 2 })];
    expect(verdicts({ forecasts: other })).toEqual(['0 undecidable restart']);
    const apart = [forecast(0), forecast(9)];
    expect(verdicts({ forecasts: apart })[0]).toBe('0 undecidable restart');
  });

  test('gets one outcome, and none where it has one or is of this run', () => {
    const again: Forecast[] = [...forecasts, forecast(0), forecast(0, { rev: 1 })];
    expect(verdicts({ forecasts: again })).toHaveLength(4);
    const decidedIds = new Set([forecast(0).id, forecast(3).id]);
    expect(verdicts({ forecasts, decidedIds })).toEqual([
      '1 miss nothing',
      '2 undecidable restart',
    ]);
    expect(verdicts({ forecasts }, { epoch: 1 })).toEqual([]);
  });

  test('of either target is decided alike', () => {
    const within = forecast(0, { id: 'test-gate-1-0-within', target: 'within' });
    const [outcome] = decideOpen(
      run({ forecasts: [within, ...forecasts.slice(1)], events: [event(3)] }),
      options,
    );
    expect(outcome).toMatchObject({ target: 'within', began: ['van enters'], verdict: 'hit' });
    expect(OutcomeSchema.strict().parse(outcome)).toEqual(outcome);
  });

  test('is in doubt where its horizon is, and cannot be judged by other labels', () => {
    expect(verdicts({ forecasts }, { isDoubtful: () => true })[0]).toBe('0 undecidable doubtful');
    const few = { labels: labels.slice(0, 2) };
    expect(verdicts({ forecasts }, few)[0]).toBe('0 undecidable restart');
  });
});
