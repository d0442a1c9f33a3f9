/** Delivers notices to one address over HTTP, one after the other, and gives up what is late. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Notice } from '../messages.js';
import { closing, post, type Target } from './post.js';

export interface WebhookLimits extends Target {
  /** How often a notice is tried again. */
  readonly retries: number;
  /** A notice that is older is given up. */
  readonly maxAgeS: number;
  /** Notices that may wait; the newest win. */
  readonly queueMax: number;
}

/** sent: a status of 2xx came. failed: it was tried. dropped: it never was. */
export type WebhookResult = 'sent' | 'failed' | 'dropped';

export interface WebhookOptions {
  readonly limits: WebhookLimits;
  /** Once for each notice. */
  readonly onResult: (result: WebhookResult, why: string) => void;
  /** Time before the first repetition; it doubles with each. */
  readonly backOffMs?: number;
  /** 0 to below 1. */
  readonly random?: () => number;
}

export interface Webhook {
  /** Returns at once, whatever the receiver does. */
  send(notice: Notice): void;
  /** Delivers what waits, each tried once; what is left after the limit is given up. Never rejects. */
  close(limitMs: number): Promise<void>;
}

const backOffMaxMs = 30_000;

interface Waiting {
  readonly notice: Notice;
  /** Monotonic. */
  readonly expiresAtMs: number;
}

export function openWebhook(options: WebhookOptions): Webhook {
  const { limits, onResult, backOffMs = 1_000, random = Math.random } = options;
  const waiting: Waiting[] = [];
  const ending = new AbortController();
  const aborting = new AbortController();
  /** The receiver has asked for peace until then. */
  let quietUntilMs = 0;
  let working: Promise<void> | undefined;

  /** False: it is not worth waiting for, or the engine ends. */
  const waitUntil = async (atMs: number, expiresAtMs: number): Promise<boolean> => {
    if (atMs <= performance.now()) return true;
    if (atMs > expiresAtMs || ending.signal.aborted) return false;
    await delay(atMs - performance.now(), undefined, { signal: ending.signal }).catch(
      () => undefined,
    );
    return !ending.signal.aborted;
  };

  const deliver = async ({ notice, expiresAtMs }: Waiting): Promise<void> => {
    let why: string | undefined;
    for (let tries = 0, atMs = 0; ; tries++) {
      const isWorth = await waitUntil(Math.max(atMs, quietUntilMs), expiresAtMs);
      if (!isWorth || performance.now() > expiresAtMs || aborting.signal.aborted) {
        const isEnding = ending.signal.aborted;
        onResult(
          tries === 0 ? 'dropped' : 'failed',
          why ?? (isEnding ? closing : 'it had waited too long'),
        );
        return;
      }
      const posted = await post(limits, notice, Date.now(), aborting.signal);
      if (posted.result === 'taken') {
        onResult('sent', '');
        return;
      }
      why = posted.why;
      const nowMs = performance.now();
      if (posted.result === 'later' && posted.afterMs !== null) {
        quietUntilMs = nowMs + posted.afterMs;
      }
      if (posted.result === 'refused' || tries === limits.retries) {
        onResult('failed', why);
        return;
      }
      // Spread, so that many engines do not come back to a restarted receiver in one instant.
      atMs = nowMs + Math.min(backOffMaxMs, backOffMs * 2 ** tries) * (0.5 + random());
    }
  };

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await deliver(next);
    }
    working = undefined;
  };

  return {
    send: (notice) => {
      if (ending.signal.aborted) {
        onResult('dropped', closing);
        return;
      }
      waiting.push({ notice, expiresAtMs: performance.now() + limits.maxAgeS * 1_000 });
      if (waiting.length > limits.queueMax) {
        waiting.shift();
        onResult('dropped', 'too many wait');
      }
      working ??= work();
    },
    close: async (limitMs) => {
      ending.abort();
      const limit = setTimeout(() => aborting.abort(), limitMs);
      await working;
      clearTimeout(limit);
    },
  };
}
