/** What every model process does: connect, load, warm up, say hello, answer in order, end with its engine. */
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { LookaheadError, messageOf } from '../errors.js';
import { openBundle, type Bundle } from './bundle.js';
import { devices } from './device.js';
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
  /** The requests that it answers. */
  readonly kinds: readonly K[];
  /** Loads the models and runs them once, so that the first request is not the slow one. */
  open(bundle: Bundle, options: SessionOptions): Promise<Answer<K>>;
}

/** Answers the requests of one batch in their order, each as soon as it can; what fails fails alone. */
export type Answer<K extends Kind> = (
  batch: readonly WireMessage<K>[],
) => AsyncIterable<PromiseSettledResult<Reply>>;

/** For a model that gains nothing from several requests at once. */
export function oneByOne<K extends Kind>(
  answer: (request: WireMessage<K>) => Promise<Reply>,
): Answer<K> {
  return async function* (batch) {
    for (const request of batch) yield* await Promise.allSettled([answer(request)]);
  };
}

/** Serves one engine, as a child process: `--socket PATH --bundle DIR [--threads N] [--device cuda]`. Returns when it is ready. */
export async function runModelProcess<K extends Kind>(model: ModelProcess<K>): Promise<void> {
  const { values } = parseArgs({
    options: {
      socket: { type: 'string' },
      bundle: { type: 'string' },
      threads: { type: 'string', default: '1' },
      device: { type: 'string', default: 'cpu' },
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
    const device = devices.find((one) => one === values.device);
    if (device === undefined) throw new Error(`There is no device ${values.device}.`);
    const answer = await model.open(bundle, { threads: Number(values.threads), device });
    serve(socket, model, answer);
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
  { role, kinds }: ModelProcess<K>,
  answer: Answer<K>,
): void {
  const decoder = new MessageDecoder();
  let batch: Request<K>[] = [];
  let last = Promise.resolve();
  const handle = async (requests: readonly Request<K>[]): Promise<void> => {
    let answered = 0;
    const send = (reply: Reply): void => {
      socket.write(encodeMessage(reply.header, reply.tensors));
      answered++;
    };
    for await (const result of answer(requests.map(({ message }) => message))) {
      const id = requests[answered]?.id ?? null;
      if (result.status === 'fulfilled') send(result.value);
      else send({ header: errorHeader(id, result.reason) });
    }
    if (answered !== requests.length) {
      throw new Error(`A ${role} answered ${answered} of ${requests.length} requests.`);
    }
  };
  const take = (message: WireMessage): void => {
    const { header } = message;
    if (header.kind === 'bye') {
      last = last.then(() => void socket.end());
      return;
    }
    if (!kinds.some((kind) => kind === header.kind) || !('deadlineMs' in header)) {
      throw new Error(`A ${role} was sent "${header.kind}".`);
    }
    batch.push({ id: header.id, message: message as unknown as WireMessage<K> });
    if (header.more) return;
    const requests = batch;
    batch = [];
    last = last.then(() => handle(requests));
    last.catch((error: unknown) => stop(error));
  };
  socket.on('data', (chunk) => {
    try {
      for (const message of decoder.push(chunk)) take(message);
    } catch (error) {
      stop(error);
    }
  });
}

interface Request<K extends Kind> {
  readonly id: number;
  readonly message: WireMessage<K>;
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
