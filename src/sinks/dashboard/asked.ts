/** Questions and what was answered, piece by piece. Pure. */
import { AnswerPieceSchema, ServiceErrorSchema } from '../services.js';

export interface Exchange {
  readonly id: number;
  /** '': the usual one; the engine tells which that is. */
  readonly question: string;
  readonly answer: string;
  /** What the answer has looked at. */
  readonly window: { readonly from: string; readonly to: string } | null;
  readonly state: 'waiting' | 'answering' | 'answered' | 'stopped' | 'failed';
  /** What went wrong, and what to do about it. */
  readonly failure: string;
}

/** So many of a camera are kept. */
export const exchangesMax = 20;

export function asked(id: number, question: string): Exchange {
  return { id, question, answer: '', window: null, state: 'waiting', failure: '' };
}

export function isOpen({ state }: Exchange): boolean {
  return state === 'waiting' || state === 'answering';
}

/** @param reply as it came: a piece, an error, or what nobody can read */
export function heard(exchange: Exchange, reply: unknown): Exchange {
  const piece = AnswerPieceSchema.safeParse(reply);
  if (piece.success) {
    const { question, window, text, more } = piece.data;
    return {
      ...exchange,
      question,
      window,
      answer: exchange.answer + text,
      state: more ? 'answering' : 'answered',
    };
  }
  const error = ServiceErrorSchema.safeParse(reply);
  return failed(
    exchange,
    error.success
      ? `${error.data.message} ${error.data.remedy}`
      : 'The engine answered what this page cannot read. Load the page anew; the engine may be a newer one.',
  );
}

export function failed(exchange: Exchange, failure: string): Exchange {
  return { ...exchange, state: 'failed', failure };
}

/** @param isStopped by the one who asked */
export function ended(exchange: Exchange, isStopped: boolean): Exchange {
  if (!isOpen(exchange)) return exchange;
  if (isStopped) return { ...exchange, state: 'stopped' };
  return failed(
    exchange,
    exchange.state === 'waiting'
      ? 'Nobody answered. See whether the engine runs, and ask again.'
      : 'The answer broke off. Ask again.',
  );
}
