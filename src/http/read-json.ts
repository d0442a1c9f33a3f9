/** Reads the body of a request: bounded, JSON, as a schema says. What is wrong is named; what may be secret is not shown. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { redactAddresses } from '../ingest/redact.js';
import { Refusal } from './reply.js';

export const bodyBytesMax = 64 * 1024;

/** Values of these are never shown, whatever is wrong with them. */
const secretFields: readonly PropertyKey[] = ['password', 'username', 'url'];

/** Rejects with a Refusal: 413 too long, 415 another type, 400 not as the schema says. */
export async function readJson<T extends z.ZodObject>(
  request: IncomingMessage,
  schema: T,
): Promise<z.infer<T>> {
  const bytes = await readBody(request);
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type) || 'content-encoding' in request.headers) {
    throw new Refusal(
      415,
      'request_invalid',
      'The body is not plain application/json.',
      'Send JSON in UTF-8 with content-type: application/json and no content-encoding.',
    );
  }
  const fields = Object.keys(schema.shape).join(', ');
  const refuse = (what: string): never => {
    throw new Refusal(400, 'request_invalid', what, `Send a JSON object with ${fields}.`);
  };
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('The body is not JSON in UTF-8.');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.slice(0, 8).map((issue) => describe(issue, body));
  return refuse(redactAddresses(lines.join('; ')).slice(0, 2000));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLong = new Refusal(
    413,
    'request_invalid',
    `The body has more than ${bodyBytesMax} bytes.`,
    'Send a shorter one.',
  );
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLong;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not `for await`: leaving it would tear down the connection before the answer is sent.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bodyBytesMax) return void chunks.push(chunk);
      request.pause();
      reject(tooLong);
    });
    request.once('end', resolve);
    request.once('close', () => reject(new Refusal(400, 'request_invalid', 'It broke off.', '')));
  });
  return Buffer.concat(chunks);
}

/** `camera: "a b": must match …` */
function describe(issue: z.core.$ZodIssue, body: unknown): string {
  const path = issue.path.map(String).join('.').slice(0, 200);
  const value = shown(issue.path, body);
  return [path, value, issue.message].filter((part) => part !== '').join(': ');
}

function shown(path: readonly PropertyKey[], body: unknown): string {
  if (path.length === 0 || path.some((part) => secretFields.includes(part))) return '';
  let value = body;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  if (typeof value === 'object' || value === undefined) return '';
  return JSON.stringify(value).slice(0, 80);
}
