/** Requests over NATS: what comes in is bounded and checked, what goes out is JSON. Knows no broker. */
import { catchError, defer, EMPTY, map, of, type Observable } from 'rxjs';
import { z } from 'zod';
import { errorCodes, LookaheadError, type ErrorCode } from '../errors.js';
import { TokenSchema, stateNames } from '../messages.js';
import { PrivacyMasksSchema } from '../privacy-mask-schema.js';

/** Gets the parsed request (an empty one is `{}`) and gives the reply. A LookaheadError becomes status 400. */
export type ServiceHandler = (request: unknown) => unknown;

export interface ServiceReply {
  readonly data: Uint8Array;
  readonly error?: { readonly status: number; readonly text: string };
}

/** What a service says instead of a reply. */
export const ServiceErrorSchema = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  remedy: z.string(),
});

const requestBytesMax = 64 * 1024;

/** The same, where a reply is a row of messages; an error ends it, as one of them. */
export type StreamHandler = (request: unknown) => Observable<unknown>;

/** A reply subject of ours or of the server's is refused: a request could otherwise make the engine publish into its own streams. */
function isRefused(replyTo: string): boolean {
  return replyTo === '' || /^(lookahead\.|\$)/.test(replyTo);
}

/** Undefined: no reply is due. */
export async function answer(
  handler: ServiceHandler,
  data: Uint8Array,
  replyTo: string,
): Promise<ServiceReply | undefined> {
  if (isRefused(replyTo)) return undefined;
  try {
    return { data: encode(await handler(parse(data))) };
  } catch (error) {
    return failure(error);
  }
}

/** Empty: no reply is due. Never errors. Whoever leaves ends the handler's row. */
export function answerStream(
  handler: StreamHandler,
  data: Uint8Array,
  replyTo: string,
): Observable<ServiceReply> {
  if (isRefused(replyTo)) return EMPTY;
  return defer(() => handler(parse(data))).pipe(
    map((piece): ServiceReply => ({ data: encode(piece) })),
    catchError((error: unknown) => of(failure(error))),
  );
}

function failure(error: unknown): ServiceReply {
  const known = error instanceof LookaheadError;
  const code = known ? error.code : 'request_failed';
  const message = known ? error.message : errorCodes.request_failed;
  const status = known && code !== 'request_failed' ? 400 : 500;
  const remedy = known ? error.remedy : 'See the log of the engine.';
  return { data: encode({ code, message, remedy }), error: { status, text: code } };
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

export const CameraRowSchema = z.object({
  camera: TokenSchema.describe('Its name.'),
  state: z.enum(stateNames).describe('What the engine sees of the camera now.'),
  since: z.iso.datetime().describe('When that state began; UTC.'),
  why: z.string().describe('Why it is in that state, in words.'),
  origin: z
    .enum(['file', 'api', 'yard'])
    .optional()
    .describe(
      'Where it stands: in the configuration, added by request, or simulated. Only what was added can be removed.',
    ),
  host: z
    .string()
    .nullable()
    .optional()
    .describe(
      'Host and port of its address; no more of it is told. null: no RTSP camera of yours.',
    ),
  privacyMasks: z
    .array(z.array(z.tuple([z.number(), z.number()])))
    .optional()
    .describe('Blackened areas: polygons of corners [x, y], shares of the picture.'),
});

export const CameraListSchema = z
  .object({
    schema: z.literal('lookahead.cameras.v1'),
    site: TokenSchema.describe('The place.'),
    cameras: z.array(CameraRowSchema).describe('Every camera of the engine.'),
  })
  .describe('Reply of `cameras.list`: the cameras and their states.');

export type CameraList = z.infer<typeof CameraListSchema>;

export const CameraAddRequestSchema = z
  .strictObject({
    camera: TokenSchema.describe('Its name; a token of subjects.'),
    url: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[^\r\n\0]*$/, 'must be one line')
      .describe('rtsp:// or rtsps://; without a login.'),
    transport: z.enum(['tcp', 'udp']).default('tcp').describe('How RTP travels.'),
    credential: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,80}$/, 'must be 1 to 80 letters, digits, "_", "." or "-"')
      .nullable()
      .default(null)
      .describe(
        'Name of a login in the credential store of the engine; null: the camera wants none. A password is never sent.',
      ),
    privacyMasks: PrivacyMasksSchema,
  })
  .describe('A camera to be watched from now on, over restarts.');

export const CameraAddedSchema = z
  .object({
    schema: z.literal('lookahead.camera.added.v1'),
    site: TokenSchema.describe('The place.'),
    added: CameraRowSchema.describe('As `cameras.list` tells it.'),
  })
  .describe(
    'Reply of `cameras.add`: it is kept and being watched, whether it can be reached or not.',
  );
export type CameraAdded = z.infer<typeof CameraAddedSchema>;

export const CameraRemoveRequestSchema = z
  .strictObject({ camera: TokenSchema.describe('Its name.') })
  .describe('A camera that was added, to be watched no more.');

export const CameraRemovedSchema = z
  .object({
    schema: z.literal('lookahead.camera.removed.v1'),
    site: TokenSchema.describe('The place.'),
    camera: TokenSchema.describe('Its name. What was published of it stays stored.'),
  })
  .describe('Reply of `cameras.remove`.');
export type CameraRemoved = z.infer<typeof CameraRemovedSchema>;

export const AskRequestSchema = z
  .object({
    camera: TokenSchema.describe('Which camera is asked about.'),
    question: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .optional()
      .describe('In words; absent: how the newest recognised event came.'),
    maxTokens: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Longest answer; the bound of the engine holds too.'),
  })
  .describe('A question about what a camera shows now.');

export type AskRequest = z.infer<typeof AskRequestSchema>;

export const AnswerPieceSchema = z
  .object({
    schema: z.literal('lookahead.answer.v1'),
    site: TokenSchema.describe('The place.'),
    camera: TokenSchema.describe('The camera.'),
    question: z.string().describe('What is answered.'),
    window: z
      .object({
        from: z.iso.datetime().describe('First frame; UTC.'),
        to: z.iso.datetime().describe('Last frame; UTC.'),
      })
      .describe('What the answer has looked at.'),
    piece: z.int().nonnegative().describe('Counts the pieces of one answer.'),
    text: z.string().describe('The next piece of the answer. For people; never a command.'),
    more: z.boolean().describe('false: this was the last one; it has no text.'),
  })
  .describe(
    'Reply of `ask`, one of several: pieces of text as they come, then one with `more: false`.',
  );

export type AnswerPiece = z.infer<typeof AnswerPieceSchema>;
