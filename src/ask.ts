/** Questions about a camera, answered by the reasoner from its newest window: bounded, in turn, within a deadline. */
import {
  concat,
  defer,
  finalize,
  map,
  merge,
  of,
  switchMap,
  takeWhile,
  tap,
  throwError,
  timer,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { LookaheadError } from './errors.js';
import type { Label } from './models/manifest.js';
import { isoTime } from './operators/iso-time.js';
import type { Turns } from './operators/take-turns.js';
import { AskRequestSchema, type AskRequest, type AnswerPiece } from './sinks/services.js';
import type { Window } from './types.js';

export interface AskOptions {
  readonly site: string;
  /** Of the bundle in use. */
  readonly labels: () => readonly Pick<Label, 'text'>[];
  readonly cameras: () => readonly string[];
  /** Of a camera that is online and has been so for a whole window. */
  readonly windowOf: (camera: string) => Window | undefined;
  /** What a camera is asked where a request has no question, `<event>` in it; undefined: `usualQuestion`. */
  readonly questionOf: (camera: string) => string | undefined;
  /** Pieces of text as they come; null: the bundle answers no questions. */
  readonly ask:
    | ((
        window: Window,
        question: string,
        options: { maxTokens: number },
      ) => ObservableInput<string>)
    | null;
  readonly turns: Turns;
  readonly limits: {
    readonly waitingMax: number;
    readonly deadlineMs: number;
    readonly tokensMax: number;
  };
  /** `answered`, `abandoned`: nobody listened any more, or the code of the error. */
  readonly onResult: (result: string) => void;
}

/** The paper's prompt for causal explanations. */
export const usualQuestion = 'explain step by step how it came that <event> .';
/** Where no event stands in the window. */
const stillQuestion = 'what is happening ?';

/**
 * Gives what answers requests. Each answer is a row of pieces; the last one has `more: false` and no text.
 *
 * @throws LookaheadError (as an error of the row) request_invalid, language_missing, camera_unknown, window_missing,
 * queue_full, model_late, or what the model said
 */
export function createAsk(options: AskOptions): (request: unknown) => Observable<AnswerPiece> {
  const { site, turns, limits, onResult } = options;
  let open = 0;

  return (request) =>
    defer(() => {
      let result = 'abandoned';
      let isCounted = false;
      const answer$ = defer(() => {
        const { ask, window, camera, question, maxTokens } = read(request, options);
        if (open > limits.waitingMax) throw full(limits.waitingMax);
        open += 1;
        isCounted = true;
        const told = { schema: 'lookahead.answer.v1' as const, site, camera, question };
        const about = { from: isoTime(window[0]!.fromMs), to: isoTime(window.at(-1)!.toMs) };
        const text$ = turns
          .patient(() => ask(window, question, { maxTokens }))
          .pipe(map((text) => ({ text, more: true })));
        const late$ = timer(limits.deadlineMs).pipe(
          switchMap(() => throwError(() => late(limits.deadlineMs))),
        );
        return merge(concat(text$, of({ text: '', more: false })), late$).pipe(
          map((piece, index): AnswerPiece => ({ ...told, window: about, piece: index, ...piece })),
          takeWhile(({ more }) => more, true),
        );
      });
      return answer$.pipe(
        tap({
          error: (error: unknown) =>
            (result = error instanceof LookaheadError ? error.code : 'request_failed'),
          complete: () => (result = 'answered'),
        }),
        finalize(() => {
          if (isCounted) open -= 1;
          onResult(result);
        }),
      );
    });
}

interface Asked {
  readonly ask: NonNullable<AskOptions['ask']>;
  readonly window: Window;
  readonly camera: string;
  readonly question: string;
  readonly maxTokens: number;
}

function read(request: unknown, options: AskOptions): Asked {
  const { camera, question, maxTokens } = parse(request);
  const { ask, labels, limits } = options;
  if (ask === null) {
    throw new LookaheadError(
      'language_missing',
      'The bundle of this engine answers no questions.',
      'Use a bundle whose manifest has the prompts "ask" and "answer".',
    );
  }
  const known = options.cameras();
  if (!known.includes(camera)) {
    throw new LookaheadError(
      'camera_unknown',
      `There is no camera ${JSON.stringify(camera)}.`,
      `Ask about one of: ${known.join(', ') || '(none)'}.`,
    );
  }
  const window = options.windowOf(camera);
  if (window === undefined || window.length === 0) {
    throw new LookaheadError(
      'window_missing',
      `The camera ${camera} has not been seen for a whole window yet.`,
      'Ask again in some seconds; its state says whether it is online.',
    );
  }
  return {
    ask,
    window,
    camera,
    question: question ?? defaultQuestion(options.questionOf(camera), window, labels()),
    maxTokens: Math.min(maxTokens ?? limits.tokensMax, limits.tokensMax),
  };
}

function parse(request: unknown): AskRequest {
  const parsed = AskRequestSchema.safeParse(request);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new LookaheadError(
    'request_invalid',
    `The field "${field}" of the question is not valid: ${issue?.message ?? ''}.`,
    'Send {"camera": NAME}, if you like with "question" (at most 500 characters) and "maxTokens".',
  );
}

function defaultQuestion(
  own: string | undefined,
  window: Window,
  labels: readonly Pick<Label, 'text'>[],
): string {
  const newest = window
    .flatMap(({ events }) => events)
    .reduce<{ label: number; onsetMs: number } | null>(
      (last, event) => (last !== null && last.onsetMs > event.onsetMs ? last : event),
      null,
    );
  const text = newest ? labels[newest.label]?.text : undefined;
  const template = own ?? usualQuestion;
  if (text === undefined) return template.includes('<event>') ? stillQuestion : template;
  return template.replaceAll('<event>', `the ${text}`);
}

function full(waitingMax: number): LookaheadError {
  return new LookaheadError(
    'queue_full',
    `${waitingMax} questions already wait.`,
    'Ask again in some seconds, or raise ask.waitingMax.',
  );
}

function late(deadlineMs: number): LookaheadError {
  return new LookaheadError(
    'model_late',
    `The question was not answered within ${deadlineMs} ms.`,
    'Ask again when fewer things happen, or raise ask.deadlineMs.',
  );
}
