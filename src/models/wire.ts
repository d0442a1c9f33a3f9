/**
 * What engine and model processes say to each other over a Unix socket:
 *
 *     u32le total length | u32le header length | header: UTF-8 JSON | the tensors' bytes, in the header's order
 *
 * The total counts what follows it. Numbers in tensors are little-endian, as on every machine this runs on.
 */
import { z } from 'zod';
import { errorCodes, LookaheadError, messageOf, type ErrorCode } from '../errors.js';
import { BoxSchema } from '../messages.js';
import { PromptsSchema } from './manifest.js';
import { bytesPerElement, sizeOf, type Tensor, type Tensors } from './tensor.js';

/** Raised when a header changes its meaning; both sides must say the same. */
export const protocolVersion = 4;
/** Longest message, all told. */
export const messageBytesMax = 64 * 1024 * 1024;
const headerBytesMax = 1024 * 1024;

const integer = z.number().int();
const count = integer.nonnegative();
const camera = z.string().min(1).max(64);
const DescribedTensorSchema = z.object({
  name: z.string().min(1).max(64),
  type: z.enum(['float32', 'uint8', 'int64', 'bool']),
  dims: z.array(count).max(8),
});
const base = { v: z.literal(protocolVersion), tensors: z.array(DescribedTensorSchema).max(16) };
/** Of a request: what it is about, and how long its sender waits for the reply. */
const request = {
  id: count,
  camera,
  epoch: count,
  clip: count,
  deadlineMs: z.number().positive(),
  /** Whether another request of the same batch comes next: work begins with the last of them. */
  more: z.boolean(),
};
const point = z.object({ x: z.number(), y: z.number() });
/** What perception tells of a thing, without its mask. */
const seenObject = {
  track: count,
  class: z.string(),
  classProbability: z.number(),
  box: BoxSchema,
  velocity: point,
  attributes: z.record(z.string(), z.number()),
  looks: z.array(point),
};
const EventsSchema = z.array(
  z.object({
    label: count,
    onsetMs: z.number(),
    probability: z.number(),
    actors: z.array(count),
    target: count.nullable(),
  }),
);
const PlaceSchema = z.record(z.string(), z.number());
/** Of a request to the reasoner: the whole window, so that any reasoner can answer. Its tensors: `global` [T,D], `objects` [n,D]. */
const reasonerRequest = {
  ...request,
  scenes: z
    .array(
      z.object({
        clip: count,
        fromMs: z.number(),
        toMs: z.number(),
        place: PlaceSchema,
        familiarity: z.number(),
        events: EventsSchema,
        objects: z.array(z.object(seenObject)),
      }),
    )
    .min(1),
  /** The camera's own, in place of the manifest's. */
  prompts: PromptsSchema.partial(),
};
const RleSchema = z.object({ size: z.tuple([count, count]), counts: z.array(count) });
const stagesMs = z.record(z.string(), z.number());

const HeaderSchema = z.discriminatedUnion('kind', [
  z.object({
    ...base,
    kind: z.literal('hello'),
    protocol: count,
    bundleSha256: z.string(),
    role: z.enum(['perceiver', 'reasoner']),
  }),
  z.object({
    ...base,
    ...request,
    kind: z.literal('perceive'),
    fromMs: z.number(),
    toMs: z.number(),
    picture: z.object({
      x: z.number(),
      y: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    }),
    trackFloor: count,
  }),
  z.object({
    ...base,
    kind: z.literal('scene'),
    id: count,
    objects: z.array(
      z.object({ ...seenObject, ageClips: count, mask: RleSchema, predictedIou: z.number() }),
    ),
    events: EventsSchema,
    faintEvents: z.array(z.object({ label: count, onsetMs: z.number(), probability: z.number() })),
    place: PlaceSchema,
    familiarity: z.number(),
    stagesMs,
  }),
  z.object({ ...base, ...reasonerRequest, kind: z.literal('score') }),
  z.object({ ...base, ...reasonerRequest, kind: z.literal('carry') }),
  z.object({
    ...base,
    ...reasonerRequest,
    kind: z.literal('explain'),
    probabilities: z.array(z.number()),
    budget: z.object({
      tokensMax: count,
      justifyMs: z.number().nonnegative(),
      explainMs: z.number().nonnegative(),
    }),
  }),
  z.object({
    ...base,
    ...reasonerRequest,
    kind: z.literal('ask'),
    question: z.string().max(2_000),
    /** Token ids of the answer so far. */
    said: z.array(count).max(4_096),
    /** As many tokens more, at most. */
    tokensMax: integer.positive().max(4_096),
  }),
  z.object({
    ...base,
    kind: z.literal('reasoning'),
    id: count,
    probabilities: z.array(z.number()),
    rawProbabilities: z.array(z.number()),
    basis: z.enum(['reasoned', 'carried']),
    stagesMs,
  }),
  z.object({
    ...base,
    kind: z.literal('explanation'),
    id: count,
    justifications: z.array(z.object({ label: count, text: z.string(), verified: z.boolean() })),
    steps: z.array(
      z.object({
        text: z.string(),
        label: count,
        causes: z.array(z.object({ label: count, onsetMs: z.number() })),
        verified: z.boolean(),
        evidence: z.object({ tracks: z.array(count), fromMs: z.number(), toMs: z.number() }),
      }),
    ),
    grounded: z.boolean().nullable(),
    absentNamed: count,
    stagesMs,
  }),
  z.object({
    ...base,
    kind: z.literal('piece'),
    id: count,
    ids: z.array(count),
    text: z.string(),
    more: z.boolean(),
  }),
  z.object({
    ...base,
    kind: z.literal('error'),
    /** The request that failed; null: the process itself cannot work. */
    id: count.nullable(),
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    remedy: z.string(),
  }),
  z.object({ ...base, kind: z.literal('bye') }),
]);

export type Header = z.infer<typeof HeaderSchema>;
export type Kind = Header['kind'];
export type HeaderOf<K extends Kind> = Extract<Header, { kind: K }>;
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
/** A header as its sender writes it; version and tensors are added. */
export type OwnHeader = Without<Header, 'v' | 'tensors'>;

export interface WireMessage<K extends Kind = Kind> {
  readonly header: HeaderOf<K>;
  readonly tensors: Tensors;
}

/** @throws LookaheadError `wire_invalid` where the message would be too long. */
export function encodeMessage(own: OwnHeader, tensors: Tensors = {}): Buffer {
  const entries = Object.entries(tensors);
  const header = {
    v: protocolVersion,
    ...own,
    tensors: entries.map(([name, { type, dims }]) => ({ name, type, dims })),
  };
  const text = Buffer.from(JSON.stringify(header));
  const bodies = entries.map(([name, tensor]) => bytesOf(name, tensor));
  const total = 4 + text.length + bodies.reduce((sum, { length }) => sum + length, 0);
  if (text.length > headerBytesMax || total + 4 > messageBytesMax) {
    throw invalid(`a message of ${total + 4} bytes with a header of ${text.length} is too long`);
  }
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(total, 0);
  lengths.writeUInt32LE(text.length, 4);
  return Buffer.concat([lengths, text, ...bodies]);
}

/** Takes a stream's bytes in pieces of any size and gives whole messages. After an error it must not be used again. */
export class MessageDecoder {
  #chunks: Buffer[] = [];
  #length = 0;

  /** @throws LookaheadError `wire_invalid` at the first byte that can belong to no valid message. */
  push(chunk: Buffer): WireMessage[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: WireMessage[] = [];
    for (;;) {
      if (this.#length < 8) return messages;
      const start = this.#peek(8);
      const total = start.readUInt32LE(0);
      const headerLength = start.readUInt32LE(4);
      if (
        total + 4 > messageBytesMax ||
        headerLength > headerBytesMax ||
        headerLength + 4 > total
      ) {
        throw invalid(`lengths ${total} and ${headerLength} belong to no message`);
      }
      if (this.#length < total + 4) return messages;
      const all = this.#peek(total + 4);
      messages.push(
        decode(all.subarray(8, 8 + headerLength), all.subarray(8 + headerLength, total + 4)),
      );
      const rest = all.subarray(total + 4);
      this.#chunks = [rest, ...this.#chunks.slice(1)];
      this.#length -= total + 4;
    }
  }

  /** The first bytes in one piece; copies only where they lie in several chunks. */
  #peek(length: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first;
    // The first 8 bytes are asked for again and again while a message arrives: join no more than needed.
    const parts: Buffer[] = [];
    let joined = 0;
    while (joined < length) {
      const part = this.#chunks.shift();
      if (part === undefined) break;
      parts.push(part);
      joined += part.length;
    }
    const head = Buffer.concat(parts);
    this.#chunks.unshift(head);
    return head;
  }
}

function decode(headerBytes: Buffer, body: Buffer): WireMessage {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(headerBytes));
  } catch (error) {
    throw invalid(`a header is no JSON (${messageOf(error)})`, error);
  }
  const parsed = HeaderSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      `a header is not valid at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`,
    );
  }
  const header = parsed.data;
  const tensors: Record<string, Tensor> = {};
  let at = 0;
  for (const { name, type, dims } of header.tensors) {
    const bytes = sizeOf(dims) * bytesPerElement[type];
    if (at + bytes > body.length) throw invalid(`tensor "${name}" ends after its message`);
    tensors[name] = tensorOf(type, dims, body.subarray(at, at + bytes));
    at += bytes;
  }
  if (at !== body.length) throw invalid(`${body.length - at} bytes belong to no tensor`);
  if (Object.keys(tensors).length !== header.tensors.length)
    throw invalid('two tensors have one name');
  return { header, tensors };
}

function bytesOf(name: string, { type, dims, data }: Tensor): Buffer {
  if (sizeOf(dims) !== data.length) {
    throw new Error(`Tensor "${name}" ${type} [${dims.join(', ')}] has ${data.length} elements.`);
  }
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Copies, because wider numbers need aligned bytes, and a view would keep the whole message in memory. */
function tensorOf(type: Tensor['type'], dims: readonly number[], bytes: Buffer): Tensor {
  const own = new Uint8Array(bytes);
  switch (type) {
    case 'float32':
      return { type, dims, data: new Float32Array(own.buffer) };
    case 'int64':
      return { type, dims, data: new BigInt64Array(own.buffer) };
    case 'uint8':
    case 'bool':
      return { type, dims, data: own };
  }
}

function invalid(what: string, cause?: unknown): LookaheadError {
  return new LookaheadError(
    'wire_invalid',
    `Between engine and model process: ${what}.`,
    'The process is replaced; if it happens again, both are not of one version: build again.',
    cause === undefined ? undefined : { cause },
  );
}
