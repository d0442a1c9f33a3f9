import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ScoreSchema, type Outcome, type Score } from '../../src/messages.js';
import { scoreMessage } from '../../src/outcomes/score-message.js';
import { Scoreboard } from '../../src/outcomes/scoreboard.js';
import { scoreAfter } from '../../src/operators/score-after.js';
import { marbles } from '../support/marbles.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const facts = {
  site: 'test',
  bundle: { name: 'yard', version: '1', sha256: '0'.repeat(64) },
  recalibration: null,
  drift: null,
};
const draw = drawing(1);
const outcomes: Record<string, Outcome> = {
  g: drawnOutcome(draw, 0),
  y: drawnOutcome(draw, 0, { camera: 'yard' }),
  w: drawnOutcome(draw, 0, { target: 'within' }),
};
const shown = ({ camera, target, at }: Pick<Score, 'camera' | 'target' | 'at'>): string =>
  `${camera} ${target} ${String(Date.parse(at))}`;

describe('scoreAfter', () => {
  it(
    'speaks once a period of those of whom an outcome came, and is silent while none comes',
    marbles(({ cold, expectObservable }) => {
      const outcome$ = cold('-gg-g-----g-----', outcomes);
      const expected = '     -----a--------b-';
      const write = (of: Pick<Score, 'camera' | 'target'>, nowMs: number): Score =>
        scoreMessage(new Scoreboard(), of, facts, nowMs);
      const score$ = outcome$.pipe(scoreAfter({ periodMs: 4, write }));
      expectObservable(score$.pipe(map(shown))).toBe(expected, {
        a: 'gate next 5',
        b: 'gate next 14',
      });
    }),
  );

  it(
    'counts cameras and targets apart, each with a period of its own',
    marbles(({ cold, expectObservable }) => {
      const outcome$ = cold('-gyw-y----------', outcomes);
      const expected = '     -----abc--------';
      const write = (of: Pick<Score, 'camera' | 'target'>, nowMs: number): Score =>
        scoreMessage(new Scoreboard(), of, facts, nowMs);
      const score$ = outcome$.pipe(scoreAfter({ periodMs: 4, write }));
      expectObservable(score$.pipe(map(shown))).toBe(expected, {
        a: 'gate next 5',
        b: 'yard next 6',
        c: 'gate within 7',
      });
    }),
  );
});

describe('the message', () => {
  it('is of the schema, whatever there was to say it from', () => {
    const nowMs = Date.UTC(2026, 10, 22, 9);
    const board = new Scoreboard();
    const of = { camera: 'gate', target: 'next' } as const;
    expect(ScoreSchema.parse(scoreMessage(board, of, facts, nowMs))).toMatchObject({
      at: '2026-11-22T09:00:00.000Z',
      periods: { week: { from: '2026-11-15T09:00:00.000Z', outcomes: 0, hitRate: null } },
    });
    for (let index = 0; index < 200; index++) board.add(drawnOutcome(draw, nowMs - index * 60_000));
    board.add(undecidableOutcome(nowMs - 1));
    const message = scoreMessage(board, of, facts, nowMs);
    expect(ScoreSchema.parse(message)).toEqual(message);
    expect(message.periods.hour).toMatchObject({ outcomes: 61, undecidable: 1 });
    expect(message.periods.day.outcomes).toBe(200);
    expect(message.periods.day.leadMs).toBeGreaterThan(0);
  });
});
