/** One signed HTTP POST, once. */
import { createHmac } from 'node:crypto';
import { messageOf } from '../errors.js';
import type { Notice } from '../messages.js';
import { messageId } from './publisher.js';

export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Key of the signature; null: none. */
  readonly secret: string | null;
  readonly timeoutMs: number;
}

export type Posted =
  | { readonly result: 'taken' }
  /** Trying again would change nothing. */
  | { readonly result: 'refused'; readonly why: string }
  /** `afterMs`: when the receiver asks to be tried again; null: it does not say. */
  | { readonly result: 'later'; readonly why: string; readonly afterMs: number | null };

export const closing = 'the engine is closing';

/** Longer than any wish of a receiver is listened to. */
const afterMaxMs = 3_600_000;

/**
 * Never rejects. `why` holds nothing of the address but what the system says of its host.
 *
 * @param nowMs wall clock, for the signature, so that an old body cannot be sent again by somebody else
 */
export async function post(
  target: Target,
  notice: Notice,
  nowMs: number,
  signal: AbortSignal,
): Promise<Posted> {
  const body = JSON.stringify(notice);
  const timestamp = String(Math.floor(nowMs / 1_000));
  const giveUp = new AbortController();
  const abort = (): void => giveUp.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const limit = setTimeout(abort, target.timeoutMs);
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      redirect: 'manual',
      signal: giveUp.signal,
      headers: {
        'user-agent': 'lookahead',
        ...target.headers,
        'content-type': 'application/json',
        'x-lookahead-id': messageId(notice.message),
        'x-lookahead-timestamp': timestamp,
        ...(target.secret === null
          ? {}
          : { 'x-lookahead-signature': signature(target.secret, timestamp, body) }),
      },
      body,
    });
    // Whatever it says is of no interest, and may never end.
    response.body?.cancel().catch(() => undefined);
    return judge(response, nowMs);
  } catch (error) {
    const late = signal.aborted ? closing : `no answer within ${target.timeoutMs} ms`;
    const why = giveUp.signal.aborted ? late : reasonOf(error);
    return { result: 'later', why, afterMs: null };
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', abort);
  }
}

/** `sha256=` and the HMAC-SHA256 of `<timestamp>.<body>`, hexadecimal. */
export function signature(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

function judge({ status, headers }: Response, nowMs: number): Posted {
  const why = `it answered ${status}`;
  if (status >= 200 && status < 300) return { result: 'taken' };
  if (status >= 300 && status < 400) return { result: 'refused', why: `${why}, a redirect` };
  if (status !== 408 && status !== 425 && status !== 429 && status < 500) {
    return { result: 'refused', why };
  }
  return { result: 'later', why, afterMs: afterMs(headers.get('retry-after'), nowMs) };
}

/** Seconds or a date: RFC 9110, 10.2.3. */
function afterMs(retryAfter: string | null, nowMs: number): number | null {
  if (retryAfter === null || retryAfter.trim() === '') return null;
  const ms = /^\d+$/.test(retryAfter.trim())
    ? Number(retryAfter) * 1_000
    : Date.parse(retryAfter) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(afterMaxMs, Math.max(0, ms));
}

/** `fetch` hides what happened in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? messageOf(cause ?? error);
}
