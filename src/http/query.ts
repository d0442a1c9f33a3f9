/** What stands behind the `?` of an address. */
import type { z } from 'zod';
import { Refusal } from './reply.js';

/** Throws a Refusal with status 400 where a name is unknown, missing or there twice. */
export function readQuery<T extends z.ZodObject>(query: URLSearchParams, schema: T): z.infer<T> {
  const parameters = [...query];
  const isOnce = new Set(parameters.map(([name]) => name)).size === parameters.length;
  const parsed = schema.safeParse(Object.fromEntries(parameters));
  if (isOnce && parsed.success) return parsed.data;
  const wrong = parsed.error?.issues.map(({ path, message }) =>
    [...path.map(String), message].join(': ').slice(0, 200),
  );
  throw new Refusal(
    400,
    'request_invalid',
    `The query is not valid: ${wrong?.join('; ') ?? 'a name stands there twice'}.`,
    `What can be given: ${Object.keys(schema.shape).join(', ')}.`,
  );
}
