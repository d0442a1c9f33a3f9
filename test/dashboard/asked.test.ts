/** How an answer grows. */
import { expect, it } from 'vitest';
import { asked, ended, heard, isOpen } from '../../src/sinks/dashboard/asked.js';

const piece = (index: number, text: string, more = true): unknown => ({
  schema: 'lookahead.answer.v1',
  site: 'test',
  camera: 'gate',
  question: 'what is happening ?',
  window: { from: '2026-11-22T09:00:00.000Z', to: '2026-11-22T09:00:08.000Z' },
  piece: index,
  text,
  more,
});

it('grows by its pieces, says what was really asked, and is done with the last one', () => {
  let exchange = asked(1, '');
  exchange = heard(exchange, piece(0, 'a van '));
  exchange = heard(exchange, piece(1, 'waits'));
  expect(exchange).toMatchObject({ state: 'answering', answer: 'a van waits' });
  exchange = heard(exchange, piece(2, '', false));
  expect(exchange).toMatchObject({ state: 'answered', question: 'what is happening ?' });
  expect(ended(exchange, false)).toBe(exchange);
});

it('tells an error with what to do, and what cannot be read as such', () => {
  const error = { code: 'queue_full', message: '4 questions wait.', remedy: 'Ask again.' };
  expect(heard(asked(1, 'why ?'), error)).toMatchObject({
    state: 'failed',
    question: 'why ?',
    failure: '4 questions wait. Ask again.',
  });
  expect(heard(asked(1, ''), undefined).state).toBe('failed');
});

it('ends as stopped, as broken off, or as never answered', () => {
  const begun = heard(asked(1, ''), piece(0, 'a van '));
  expect(isOpen(begun)).toBe(true);
  expect(ended(begun, true)).toMatchObject({ state: 'stopped', answer: 'a van ', failure: '' });
  expect(ended(begun, false).failure).toMatch(/broke off/);
  expect(ended(asked(1, ''), false).failure).toMatch(/Nobody answered/);
});
