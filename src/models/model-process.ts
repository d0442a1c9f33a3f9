/** What every model process does: connect, load, warm up, say hello, answer in order, end with its engine. */
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { LookaheadError, messageOf } from '../errors.js';
import { openBundle, type Bundle } from './bundle.js';
import type { SessionOptions } from './session.js';
import type { Tensors } from './tensor.js';
import {
  encodeMessage,
  MessageDecoder,
  protocolVersion,
  type HeaderOf,
  type Kind,
  type OwnHeader,
  type WireMessage,
} from './wire.js';

export type Role = HeaderOf<'hello'>['role'];

export interface Reply {
  readonly header: OwnHeader;
  readonly tensors?: Tensors;
}

export interface ModelProcess<K extends Kind> {
  readonly role: Role;
  readonly kind: K;
  /** Loads the models and runs them once, so that the first request is not the slow one. */
  open(
    bundle: Bundle,
    options: SessionOptions,
  ): Promise<(request: WireMessage<K>) => Promise<Reply>>;
}

/** Serves one engine, as a child process: `--socket PATH --bundle DIR [--threads N]`. Returns when it is ready. */
export async function runModelProcess<K extends Kind>(model: ModelProcess<K>): Promise<void> {
  const { values } = parseArgs({
    options: {
      socket: { type: 'string' },
      bundle: { type: 'string' },
      threads: { type: 'string', default: '1' },
    },
  });
  if (values.socket === undefined || values.bundle === undefined) {
    throw new LookaheadError(
      'usage',
      'A model process needs --socket and --bundle.',
      'It is started by the engine, not by hand.',
    );
  }
  const socket = connect(values.socket);
  // Whatever ends the connection ends the process: an engine that died leaves no orphan.
  socket.on('error', () => process.exit(0));
  socket.on('close', () => process.exit(0));
  // Ctrl-C reaches the whole process group; the engine decides when its models end.
  process.on('SIGINT', () => undefined);
  try {
    const bundle = await openBundle(values.bundle);
    const answer = await model.open(bundle, { threads: Number(values.threads) });
    serve(socket, model.kind, answer);
    socket.write(
      encodeMessage({
        kind: 'hello',
        protocol: protocolVersion,
        bundleSha256: bundle.sha256,
        role: model.role,
      }),
    );
  } catch (error) {
    socket.end(encodeMessage(errorHeader(null, error)));
  }
}

function serve<K extends Kind>(
  socket: Socket,
  kind: K,
  answer: (request: WireMessage<K>) => Promise<Reply>,
): void {
  const decoder = new MessageDecoder();
  let last = Promise.resolve();
  const handle = async (message: WireMessage): Promise<void> => {
    if (message.header.kind === 'bye') {
      socket.end();
      return;
    }
    if (message.header.kind !== kind || !('id' in message.header)) {
      throw new Error(`A ${kind} process was sent "${message.header.kind}".`);
    }
    let reply: Reply;
    try {
      reply = await answer(message as unknown as WireMessage<K>);
    } catch (error) {
      reply = { header: errorHeader(message.header.id, error) };
    }
    socket.write(encodeMessage(reply.header, reply.tensors));
  };
  socket.on('data', (chunk) => {
    try {
      for (const message of decoder.push(chunk)) {
        last = last.then(() => handle(message));
        last.catch((error: unknown) => stop(error));
      }
    } catch (error) {
      stop(error);
    }
  });
}

/** An engine that talks nonsense is a programming error: say so on stderr, which the engine keeps, and end. */
function stop(error: unknown): void {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}

function errorHeader(id: number | null, error: unknown): OwnHeader {
  const known = error instanceof LookaheadError;
  return {
    kind: 'error',
    id,
    code: known ? error.code : 'model_failed',
    message: messageOf(error),
    remedy: known ? error.remedy : 'Report this with the message: it is an error of the program.',
  };
}
