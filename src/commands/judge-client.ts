/** A language model that marks texts, behind any address that speaks OpenAI's chat completions. */
import { z } from 'zod';
import { LookaheadError, messageOf } from '../errors.js';

/** From 1 to 10. */
export interface Marks {
  /** Factual grounding: is all that it says so in what was seen? */
  readonly grounding: number;
  /** Logical coherence: does what it calls a cause lead to what it calls an effect? */
  readonly coherence: number;
  /** Does it say what matters, beyond what is plain to see? */
  readonly insight: number;
}
export const markNames = ['grounding', 'coherence', 'insight'] as const;

export interface JudgeText {
  readonly kind: string;
  readonly hypothesis: string;
  /** What was seen. */
  readonly context: string;
  readonly references: readonly string[];
}

export interface JudgeOptions {
  /** Up to and without `/chat/completions`, for example `http://127.0.0.1:8080/v1`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; null: none is sent. */
  readonly key: string | null;
  readonly timeoutMs: number;
  /** Requests in all, failed and repeated ones too: what this may cost. */
  readonly requestsMax: number;
  /** For one text. */
  readonly attemptsMax?: number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** `answer`: marks. `unreadable`: an answer without marks. `spent`: no request is left. */
export type Judgement =
  | { readonly how: 'answer'; readonly marks: Marks }
  | { readonly how: 'unreadable' }
  | { readonly how: 'spent' };

const mark = z.number().min(1).max(10);
const MarksSchema = z.object({ grounding: mark, coherence: mark, insight: mark });
const CompletionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

const system =
  'You mark short texts about a yard that a camera watches. You are told what was seen, what somebody who knows the yard wrote, and ' +
  'the text to be marked. Give three whole numbers from 1 (worst) to 10 (best). grounding: all that the text says of the scene is ' +
  'so in what was seen. coherence: each cause in it can lead to its effect. insight: it names what matters for what happened or ' +
  'may happen, and not only what is plain to see. Answer with one JSON object and nothing else: ' +
  '{"grounding": n, "coherence": n, "insight": n}';

/** Statuses that may pass by themselves. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;
const backOffMs = 1000;
const backOffMaxMs = 30_000;

export class JudgeClient {
  readonly #options: Required<JudgeOptions>;
  readonly #endpoint: URL;
  #requests = 0;

  /** @throws LookaheadError usage where the address is none, or holds a password */
  constructor(options: JudgeOptions) {
    this.#options = { attemptsMax: 4, sleep: sleepMs, ...options };
    this.#endpoint = endpointOf(options.url);
  }

  /** Sent so far. */
  get requests(): number {
    return this.#requests;
  }

  /** @throws LookaheadError judge_failed where the judge refuses, or fails as often as it may */
  async mark(text: JudgeText): Promise<Judgement> {
    const { attemptsMax, requestsMax, sleep } = this.#options;
    let failure = 'it was not asked';
    let isUnreadable = false;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (this.#requests >= requestsMax) return { how: 'spent' };
      this.#requests++;
      const reply = await this.#ask(text);
      if ('content' in reply) {
        const marks = readMarks(reply.content);
        if (marks) return { how: 'answer', marks };
        // A second answer may be readable; a third would hardly be.
        if (isUnreadable) return { how: 'unreadable' };
        isUnreadable = true;
        continue;
      }
      failure = reply.failure;
      if (!reply.mayPass) break;
      const waitMs = Math.min(backOffMaxMs, reply.retryAfterMs ?? backOffMs * 2 ** attempt);
      if (attempt + 1 < attemptsMax) await sleep(waitMs);
    }
    if (isUnreadable) return { how: 'unreadable' };
    throw new LookaheadError(
      'judge_failed',
      `The judge at ${this.#endpoint.href} gave no answer: ${failure}.`,
      'Check --url, --model and the key in LOOKAHEAD_JUDGE_KEY.',
    );
  }

  async #ask({ kind, hypothesis, context, references }: JudgeText): Promise<Reply> {
    const { model, key, timeoutMs } = this.#options;
    const user = [
      `What was seen: ${context}`,
      `Written by one who knows: ${references.join(' / ')}`,
      `The ${kind} to be marked: ${hypothesis}`,
    ].join('\n');
    try {
      const response = await fetch(this.#endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key !== null && { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({
          ...{ model, temperature: 0, max_tokens: 100 },
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
        }),
        // The key is for this address alone.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) {
        await response.body?.cancel();
        return {
          failure: `status ${String(response.status)}`,
          mayPass: isPassing(response.status),
          retryAfterMs: secondsOf(response.headers.get('retry-after')),
        };
      }
      const parsed = CompletionSchema.safeParse(await response.json());
      if (parsed.success) return { content: parsed.data.choices[0]?.message.content ?? '' };
      return { failure: 'its answer is no chat completion', mayPass: false };
    } catch (error) {
      return { failure: messageOf(error), mayPass: true };
    }
  }
}

type Reply =
  | { readonly content: string }
  | {
      readonly failure: string;
      readonly mayPass: boolean;
      readonly retryAfterMs?: number | undefined;
    };

/** Models like to wrap their answer in words or code fences: the first object that has marks counts. */
export function readMarks(content: string): Marks | null {
  for (const found of content.match(/\{[^{}]*\}/g) ?? []) {
    try {
      const parsed = MarksSchema.safeParse(JSON.parse(found));
      if (parsed.success) return parsed.data;
    } catch {
      // No JSON; the next one may be.
    }
  }
  return null;
}

function endpointOf(url: string): URL {
  const wrong = (what: string): LookaheadError =>
    new LookaheadError('usage', what, 'Give an address such as http://127.0.0.1:8080/v1.');
  let endpoint: URL;
  try {
    endpoint = new URL(`${url.replace(/\/+$/, '')}/chat/completions`);
  } catch {
    throw wrong(`--url is ${JSON.stringify(url)}, which is no address.`);
  }
  if (endpoint.username !== '' || endpoint.password !== '')
    throw wrong('--url holds a user or a password; the key belongs into LOOKAHEAD_JUDGE_KEY.');
  if (endpoint.protocol !== 'http:' && endpoint.protocol !== 'https:')
    throw wrong(`--url is ${JSON.stringify(url)}, which is neither http nor https.`);
  return endpoint;
}

function secondsOf(retryAfter: string | null): number | undefined {
  return retryAfter !== null && /^\d{1,5}$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : undefined;
}

const sleepMs = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
