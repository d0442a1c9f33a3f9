import { concat, map, mergeMap, NEVER, of, throwError, timer, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createAsk, type AskOptions } from '../src/ask.js';
import { LookaheadError, type ErrorCode } from '../src/errors.js';
import { takeTurns } from '../src/operators/take-turns.js';
import { AnswerPieceSchema, type AnswerPiece } from '../src/sinks/services.js';
import { fakeEvent, fakeScene, labels } from './support/fakes.js';
import { marbles } from './support/marbles.js';

const window = [
  fakeScene(0),
  fakeScene(1, { events: [fakeEvent(1, 25), fakeEvent(2, 29)] }),
  fakeScene(2),
];

function asking(change: Partial<AskOptions> = {}) {
  const results: string[] = [];
  const asked: string[] = [];
  const ask = createAsk({
    site: 'yard',
    labels: () => labels,
    cameras: () => ['gate', 'door'],
    windowOf: (camera) => (camera === 'gate' ? window : undefined),
    questionOf: () => undefined,
    ask: (_window, question, { maxTokens }) => {
      asked.push(`${question} (${String(maxTokens)})`);
      return ['the van ', 'stops .'];
    },
    turns: takeTurns(),
    limits: { waitingMax: 1, deadlineMs: 20, tokensMax: 8 },
    onResult: (result) => void results.push(result),
    ...change,
  });
  return { ask, results, asked };
}

/** Two pieces, the second 4 frames after the first. */
const slow = (): Observable<string> => concat(of('a'), timer(4).pipe(map(() => 'b')));
const textOf = ({ text, more }: AnswerPiece): string => (more ? text : '.');

describe('a question', () => {
  it('is answered piece by piece, and the last one says so', () => {
    const { ask, results } = asking();
    const pieces: AnswerPiece[] = [];
    ask({ camera: 'gate', question: 'why did the gate open ?' }).subscribe((piece) =>
      pieces.push(AnswerPieceSchema.parse(piece)),
    );
    expect(pieces.map(({ piece, text, more }) => [piece, text, more])).toEqual([
      [0, 'the van ', true],
      [1, 'stops .', true],
      [2, '', false],
    ]);
    expect(pieces[0]).toMatchObject({
      camera: 'gate',
      question: 'why did the gate open ?',
      window: { from: '1970-01-01T00:00:00.000Z', to: '1970-01-01T00:00:00.050Z' },
    });
    expect(results).toEqual(['answered']);
  });

  it('is, unless another is asked, how the newest recognised event came', () => {
    const { ask, asked } = asking();
    ask({ camera: 'gate' }).subscribe();
    ask({ camera: 'gate', question: 'what is <event> ?', maxTokens: 3 }).subscribe();
    ask({ camera: 'gate', maxTokens: 1_000 }).subscribe();
    expect(asked).toEqual([
      'explain step by step how it came that the gate opens . (8)',
      'what is <event> ? (3)',
      'explain step by step how it came that the gate opens . (8)',
    ]);
    const own = asking({ questionOf: () => 'why did it come to <event> ?' });
    own.ask({ camera: 'gate' }).subscribe();
    const still = asking({ windowOf: () => [fakeScene(0)] });
    still.ask({ camera: 'gate' }).subscribe();
    expect([own.asked, still.asked]).toEqual([
      ['why did it come to the gate opens ? (8)'],
      ['what is happening ? (8)'],
    ]);
  });

  it.each<[string, unknown, Partial<AskOptions>, ErrorCode, RegExp]>([
    ['about no camera', {}, {}, 'request_invalid', /"camera"/],
    ['that is empty', { camera: 'gate', question: ' ' }, {}, 'request_invalid', /"question"/],
    ['about an unknown camera', { camera: 'roof' }, {}, 'camera_unknown', /"roof"/],
    ['about a camera without a window', { camera: 'door' }, {}, 'window_missing', /door/],
    [
      'to a bundle without words',
      { camera: 'gate' },
      { ask: null },
      'language_missing',
      /no questions/,
    ],
  ])('%s is refused', (_what, request, change, code, message) => {
    const { ask, results } = asking(change);
    let error: unknown;
    ask(request).subscribe({ error: (thrown: unknown) => (error = thrown) });
    expect(error).toBeInstanceOf(LookaheadError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((error as LookaheadError).remedy).not.toBe('');
    expect(results).toEqual([code]);
  });

  it(
    'waits for its turn; one more than may wait is refused at once, and later there is room again',
    marbles(({ cold, expectObservable, flush }) => {
      const { ask, results } = asking({ ask: slow });
      const at = (diagram: string): Observable<string> =>
        cold(diagram).pipe(
          mergeMap(() => ask({ camera: 'gate' })),
          map(textOf),
        );
      expectObservable(at('(x|)')).toBe('a---(b.|)');
      expectObservable(at('-(x|)')).toBe('----a---(b.|)');
      expectObservable(at('--(x|)')).toBe(
        '--#',
        undefined,
        expect.objectContaining({ code: 'queue_full' }),
      );
      expectObservable(at('----------(x|)')).toBe('----------a---(b.|)');
      flush();
      expect(results).toEqual(['queue_full', 'answered', 'answered', 'answered']);
    }),
  );

  it(
    'is begun only when no forecast is being made',
    marbles(({ expectObservable }) => {
      const turns = takeTurns();
      const { ask } = asking({ ask: slow, turns });
      turns.urgent(() => timer(3)).subscribe();
      expectObservable(ask({ camera: 'gate' }).pipe(map(textOf))).toBe('---a---(b.|)');
    }),
  );

  it(
    'is given up after its deadline, its wait included, and what it asked for is freed',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const call = cold('a-----');
      const { ask, results } = asking({ ask: () => call });
      const late = expect.objectContaining({ code: 'model_late' }) as unknown;
      expectObservable(ask({ camera: 'gate' }).pipe(map(textOf))).toBe('a 19ms #', undefined, late);
      expectSubscriptions(call.subscriptions).toBe('^ 19ms !');
      flush();
      expect(results).toEqual(['model_late']);
    }),
  );

  it('that nobody waits for any more, or at which the model fails, makes room', () => {
    const { ask, results } = asking({ ask: () => NEVER });
    for (let asked = 0; asked < 3; asked++) ask({ camera: 'gate' }).subscribe().unsubscribe();
    const failing = asking({ ask: () => throwError(() => new Error('bug')) });
    for (let asked = 0; asked < 3; asked++)
      failing.ask({ camera: 'gate' }).subscribe({ error: () => undefined });
    expect([...results, ...failing.results]).toEqual([
      ...['abandoned', 'abandoned', 'abandoned'],
      ...['request_failed', 'request_failed', 'request_failed'],
    ]);
  });
});
