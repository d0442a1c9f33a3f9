/** Requests over NATS: what comes in is bounded and checked, what goes out is JSON. Knows no broker. */
import { z } from 'zod';
import { errorCodes, LookaheadError } from '../errors.js';
import { TokenSchema, stateNames } from '../messages.js';

/** Gets the parsed request (an empty one is `{}`) and gives the reply. A LookaheadError becomes status 400. */
export type ServiceHandler = (request: unknown) => unknown;

export interface ServiceReply {
  readonly data: Uint8Array;
  readonly error?: { readonly status: number; readonly text: string };
}

const requestBytesMax = 64 * 1024;

/**
 * Undefined: no reply is due. A reply subject of ours or of the server's is refused: a request could otherwise make
 * the engine publish into its own streams.
 */
export async function answer(
  handler: ServiceHandler,
  data: Uint8Array,
  replyTo: string,
): Promise<ServiceReply | undefined> {
  if (replyTo === '' || /^(lookahead\.|\$)/.test(replyTo)) return undefined;
  try {
    return { data: encode(await handler(parse(data))) };
  } catch (error) {
    const known = error instanceof LookaheadError;
    const code = known ? error.code : 'request_failed';
    const message = known ? error.message : errorCodes.request_failed;
    const status = known && code !== 'request_failed' ? 400 : 500;
    const remedy = known ? error.remedy : 'See the log of the engine.';
    return { data: encode({ code, message, remedy }), error: { status, text: code } };
  }
}

function parse(data: Uint8Array): unknown {
  if (data.length === 0) return {};
  const refuse = (why: string, cause?: unknown): never => {
    throw new LookaheadError(
      'request_invalid',
      `The request ${why}.`,
      `Send nothing, or a JSON object of at most ${requestBytesMax} bytes.`,
      { cause },
    );
  };
  if (data.length > requestBytesMax) return refuse(`is ${data.length} bytes long`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch (error) {
    return refuse('is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('is not a JSON object');
  }
  return value;
}

function encode(reply: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(reply));
}

export const CameraListSchema = z
  .object({
    schema: z.literal('lookahead.cameras.v1'),
    site: TokenSchema.describe('The place.'),
    cameras: z
      .array(
        z.object({
          camera: TokenSchema.describe('Its name.'),
          state: z.enum(stateNames).describe('What the engine sees of the camera now.'),
          since: z.iso.datetime().describe('When that state began; UTC.'),
          why: z.string().describe('Why it is in that state, in words.'),
        }),
      )
      .describe('Every camera of the engine.'),
  })
  .describe('Reply of `cameras.list`: the cameras and their states.');

export type CameraList = z.infer<typeof CameraListSchema>;
