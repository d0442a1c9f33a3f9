/** Who is told of what over HTTP, and how. */
import { z } from 'zod';
import { TokenSchema, webhookKinds } from '../messages.js';

/** Taken from the environment, all of it; anything else is the value itself. */
const fromEnvironment = /^\$\{[A-Za-z_]\w*\}$/;

/** What HTTP or the engine itself says with every request, and what `fetch` would never send one with. */
const ownHeaders =
  /^(content-(type|length|encoding)|host|connection|keep-alive|upgrade|expect|transfer-encoding|x-lookahead-.*)$/i;

const secretLengthMin = 16;

/** Why this cannot be posted to; undefined: it can. Never names the address, which may hold a token. */
export function addressHindrance(address: string): string | undefined {
  if (!URL.canParse(address)) return 'must be http://HOST/… or https://HOST/…';
  const { protocol, username, password } = new URL(address);
  if (!/^https?:$/.test(protocol)) return 'must be http://HOST/… or https://HOST/…';
  if (username === '' && password === '') return undefined;
  return 'must not hold a login; give it in headers: Authorization';
}

/** The same of a header's value. */
export function headerHindrance(value: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(value) ? undefined : 'must be one line of plain ASCII';
}

/** The same of the key that bodies are signed with. */
export function secretHindrance(secret: string): string | undefined {
  return secret.length >= secretLengthMin
    ? undefined
    : `must have at least ${secretLengthMin} characters`;
}

/** What stands for a value of the environment is looked at when that is known. */
const checked = (hindrance: (value: string) => string | undefined) =>
  z
    .string()
    .min(1)
    .max(4096)
    .superRefine((value, context) => {
      const message = fromEnvironment.test(value) ? undefined : hindrance(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

const WebhookConfigSchema = z
  .strictObject({
    url: checked(addressHindrance).describe(
      'Where to POST: http:// or https://. It may hold a token, so only scheme and host are ever printed. ${NAME} reads the environment. Redirects are not followed.',
    ),
    headers: z
      .record(
        z
          .string()
          .refine(
            (name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name),
            'this is no name of a header',
          )
          .refine((name) => !ownHeaders.test(name), 'this header is set by the engine'),
        checked(headerHindrance),
      )
      .default({})
      .refine((headers) => Object.keys(headers).length <= 32, 'at most 32 headers')
      .describe(
        'Further headers by name, for example Authorization; each value may be ${NAME} and is never printed.',
      ),
    secret: checked(secretHindrance)
      .nullable()
      .default(null)
      .describe(
        'Signs each body by HMAC-SHA256, so that the receiver knows who sent it; ${NAME} reads the environment. At least 16 characters.',
      ),
    kinds: z
      .array(z.enum(webhookKinds))
      .min(1)
      .default(['forecast'])
      .describe('What is told of: forecast, outcome, event, state, score.'),
    cameras: z
      .array(TokenSchema)
      .min(1)
      .nullable()
      .default(null)
      .describe('Cameras that are told of; null: all.'),
    labels: z
      .array(z.string().min(1).max(200))
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Events that are told of, as the bundle writes them ("person enters"); null: all. States and scores have none and always pass.',
      ),
    target: z
      .enum(['next', 'within'])
      .default('next')
      .describe(
        'Which forecasts, outcomes and scores: of what begins first in the horizon, or of what begins at all.',
      ),
    confidenceMin: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'A forecast is told of where a wanted event has at least this chance; its outcome too. An event, where its recognition has.',
      ),
    calibratedOnly: z
      .boolean()
      .default(true)
      .describe(
        'Forecasts that are not calibrated, and their outcomes, are not told of. false: they are, and the text says so.',
      ),
    cooldownS: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe(
        'After a message nothing more of that kind, camera and label for so long. States: of that camera; what it came to meanwhile is told at the end.',
      ),
    waitForReasonMs: z
      .int()
      .min(0)
      .max(30_000)
      .default(0)
      .describe(
        'How long a forecast waits for its reasons in words, which come after the chances. 0: it is told of at once, without them.',
      ),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(5000)
      .describe('A request that has no answer for so long is given up.'),
    retries: z
      .int()
      .min(0)
      .max(10)
      .default(3)
      .describe(
        'How often it is tried again, after 1 s, 2 s, 4 s and so on, or when the receiver says (Retry-After).',
      ),
    maxAgeS: z
      .number()
      .min(1)
      .max(3600)
      .default(60)
      .describe('What could not be delivered for so long is given up.'),
    queueMax: z
      .int()
      .min(1)
      .max(1000)
      .default(32)
      .describe('Messages that may wait; the newest win.'),
  })
  .refine(({ target, waitForReasonMs }) => target === 'next' || waitForReasonMs === 0, {
    message: 'only forecasts with the target next have reasons',
    path: ['waitForReasonMs'],
  });

export const WebhooksSchema = z
  .record(
    TokenSchema.refine((name) => !(name in {}), { message: 'this name is reserved' }),
    WebhookConfigSchema,
  )
  .default({})
  .refine((webhooks) => Object.keys(webhooks).length <= 16, 'at most 16 webhooks')
  .describe('Who is told of what by HTTP POST, by name: docs/webhooks.md.');

export type WebhookConfig = z.infer<typeof WebhookConfigSchema>;

/** All of an address that may be printed. */
export function shownAddress(address: string): string {
  return URL.canParse(address) ? `${new URL(address).protocol}//${new URL(address).host}` : '***';
}
