import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookaheadError, messageOf, RequestDropped } from '../errors.js';
import type { Device } from './device.js';
import type { Role } from './model-process.js';
import { RequestQueue } from './request-queue.js';
import type { Tensors } from './tensor.js';
import {
  encodeMessage,
  MessageDecoder,
  protocolVersion,
  type HeaderOf,
  type OwnHeader,
  type WireMessage,
} from './wire.js';

/** What is asked of each kind of child, and what it answers. */
interface Replies {
  readonly perceive: 'scene';
  readonly score: 'reasoning';
  readonly carry: 'reasoning';
  readonly explain: 'explanation';
  readonly ask: 'piece';
}
const replyKinds: Replies = {
  perceive: 'scene',
  score: 'reasoning',
  carry: 'reasoning',
  explain: 'explanation',
  ask: 'piece',
};
/** What waits goes by these ranks: chances before reasons, and both before somebody's question. */
const ranks: Readonly<Record<RequestKind, number>> = {
  perceive: 0,
  score: 0,
  carry: 0,
  explain: 1,
  ask: 2,
};
type RequestKind = keyof Replies;
type Added = 'v' | 'kind' | 'id' | 'tensors' | 'deadlineMs' | 'more';
/** What the caller says of a request; id, deadline and place in a batch are added. */
export type RequestHeader<K extends RequestKind> = K extends RequestKind
  ? Omit<HeaderOf<K>, Added>
  : never;

export interface ModelChildOptions {
  readonly role: Role;
  /** Compiled entry, for example `dist/models/perceiver-process.js`. */
  readonly entry: string;
  readonly bundleDir: string;
  readonly bundleSha256: string;
  readonly threads?: number;
  readonly device?: Device;
  /** Lanes that may wait at once: one for each camera and each kind of request. */
  readonly queueMax?: number;
  /** Requests that the child is sent at once, one a camera. */
  readonly batchMax?: number;
  /** Longest time that a free child is kept waiting for a batch to fill. */
  readonly batchWaitMs?: number;
  /** Longest time from start to hello. */
  readonly startMs?: number;
  /** Pauses before the first, second, ... restart in a row; the last one repeats. */
  readonly backOffMs?: readonly number[];
  /** The child was replaced: why. */
  readonly onRestart?: (role: Role, why: string) => void;
  /** So many requests were in flight when the child was killed. */
  readonly onLost?: (role: Role, count: number) => void;
  /** A request was answered, from sending to reply. */
  readonly onDuration?: (role: Role, durationMs: number) => void;
  /** So many requests were sent at once. */
  readonly onBatch?: (role: Role, count: number) => void;
}
type Hooks = 'onRestart' | 'onLost' | 'onDuration' | 'onBatch';

interface Request {
  readonly id: number;
  readonly lane: string;
  readonly rank: number;
  readonly kind: RequestKind;
  readonly header: RequestHeader<RequestKind>;
  readonly tensors: Tensors;
  readonly deadlineMs: number;
  readonly dueMs: number;
  timer: NodeJS.Timeout;
  sentAtMs: number;
  resolve(message: WireMessage): void;
  reject(error: Error): void;
}

/** A child that never said hello three times in a row is not going to: the first start fails. */
const startAttemptsMax = 3;
const closeMs = 3000;
const stderrCharsMax = 2000;

/**
 * The engine's side of one model process: starts it, checks that it is of the same bundle and protocol, sends it what
 * waits, a batch at a time, and replaces it when it dies, says nothing past a deadline or answers nonsense.
 */
export class ModelChild {
  readonly #options: Required<Omit<ModelChildOptions, Hooks>> & Pick<ModelChildOptions, Hooks>;
  readonly #queue: RequestQueue<Request>;
  #dir: string | null = null;
  #server: Server | null = null;
  #child: ChildProcess | null = null;
  #socket: Socket | null = null;
  #ready = false;
  /** The batch that the child works on, by id, without what it has answered. */
  readonly #inFlight = new Map<number, Request>();
  /** Size of the next batch. */
  #batchMax: number;
  #batchTimer: NodeJS.Timeout | undefined;
  #startTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #closed = false;
  #nextId = 1;
  #stderr = '';
  #started: { resolve: () => void; reject: (error: Error) => void } | null = null;
  readonly #onExit = (): void => {
    this.#child?.kill('SIGKILL');
    if (this.#dir !== null) rmSync(this.#dir, { recursive: true, force: true });
  };

  constructor(options: ModelChildOptions) {
    this.#options = {
      threads: 1,
      device: 'cpu',
      queueMax: 64,
      batchMax: 1,
      batchWaitMs: 0,
      startMs: 120_000,
      backOffMs: [200, 500, 1000, 2000, 5000, 10_000],
      ...options,
    };
    this.#queue = new RequestQueue(this.#options.queueMax);
    this.#batchMax = this.#options.batchMax;
  }

  get role(): Role {
    return this.#options.role;
  }

  /** Process id of the child at this moment. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Resolves when the child is ready.
   *
   * @throws LookaheadError what the child said, for example `bundle_invalid`; `model_lost` where it never came up.
   */
  async start(): Promise<void> {
    this.#dir = mkdtempSync(join(socketHome(), 'lookahead-'));
    process.once('exit', this.#onExit);
    this.#server = createServer((socket) => this.#accept(socket));
    const server = this.#server;
    const path = join(this.#dir, 'model.sock');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    const started = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    this.#spawn();
    try {
      await started;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Asks the child. Of each lane only the newest request waits.
   *
   * @param lane by default the kind and the camera
   * @param deadlineMs longest wait for the child to be free, and then again for its answer, or for that of another
   * request of the same batch
   * @throws LookaheadError `RequestDropped` (`model_late`), `model_lost`, or what the child said
   */
  request<K extends RequestKind>(
    kind: K,
    header: RequestHeader<K>,
    tensors: Tensors,
    deadlineMs: number,
    lane = `${kind} ${header.camera}`,
  ): Promise<WireMessage<Replies[K]>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(lost(`The ${this.#options.role} is closed.`));
        return;
      }
      const request: Request = {
        id: this.#nextId++,
        lane,
        rank: ranks[kind],
        kind,
        header,
        tensors,
        deadlineMs,
        dueMs: performance.now() + deadlineMs,
        sentAtMs: 0,
        timer: setTimeout(() => {
          if (this.#queue.remove(request)) {
            request.reject(new RequestDropped('late', `It waited ${deadlineMs} ms.`));
          }
        }, deadlineMs),
        resolve: (message) => {
          clearTimeout(request.timer);
          resolve(message as unknown as WireMessage<Replies[K]>);
        },
        reject: (error) => {
          clearTimeout(request.timer);
          reject(error);
        },
      };
      this.#queue.push(request);
      this.#pump();
    });
  }

  /** Leaves no child and no socket file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#startTimer);
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#batchTimer);
    const gone = lost(`The ${this.#options.role} was closed.`);
    for (const request of [...this.#queue.clear(), ...this.#inFlight.values()])
      request.reject(gone);
    this.#inFlight.clear();
    this.#started?.reject(gone);
    this.#started = null;
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      if (this.#ready) this.#socket?.end(encodeMessage({ kind: 'bye' }));
      else child.kill('SIGKILL');
      const timer = setTimeout(() => child.kill('SIGKILL'), closeMs);
      if (child.pid !== undefined) await exited;
      clearTimeout(timer);
    }
    this.#socket?.destroy();
    this.#server?.close();
    process.removeListener('exit', this.#onExit);
    this.#onExit();
    this.#child = null;
  }

  #spawn(): void {
    const { entry, bundleDir, threads, device, startMs, role } = this.#options;
    const socket = join(this.#dir ?? '', 'model.sock');
    this.#stderr = '';
    const child = spawn(
      process.execPath,
      [
        ...[entry, '--socket', socket, '--bundle', bundleDir],
        ...['--threads', String(threads), '--device', device],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: childEnvironment() },
    );
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharsMax);
    });
    child.once('error', (error) => this.#ended(child, `it could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      const how = signal === null ? `it ended with code ${code}` : `it was killed by ${signal}`;
      const said = this.#stderr.trim();
      this.#ended(child, said === '' ? how : `${how}: ${said}`);
    });
    this.#startTimer = setTimeout(() => {
      this.#ended(child, `the ${role} said no hello for ${startMs} ms`);
    }, startMs);
  }

  #accept(socket: Socket): void {
    const child = this.#child;
    // One child, one connection: nothing else has business here.
    if (this.#closed || child === null || this.#socket !== null) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    const decoder = new MessageDecoder();
    socket.on('error', (error) => this.#ended(child, `its connection failed: ${error.message}`));
    socket.on('close', () => this.#ended(child, 'it closed its connection'));
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      try {
        for (const message of decoder.push(chunk)) this.#take(child, message);
      } catch (error) {
        this.#ended(child, messageOf(error));
      }
    });
  }

  #take(child: ChildProcess, message: WireMessage): void {
    if (this.#child !== child || this.#closed) return;
    const { header } = message;
    if (header.kind === 'error' && header.id === null) {
      this.#fatal(child, new LookaheadError(header.code, header.message, header.remedy));
      return;
    }
    if (!this.#ready) {
      this.#hello(child, message);
      return;
    }
    const id = 'id' in header ? header.id : null;
    const request = id === null ? undefined : this.#inFlight.get(id);
    if (request === undefined) {
      this.#ended(child, `it sent "${header.kind}" that nobody asked for`);
      return;
    }
    if (header.kind !== 'error' && header.kind !== replyKinds[request.kind]) {
      this.#ended(child, `it answered "${request.kind}" with "${header.kind}"`);
      return;
    }
    this.#inFlight.delete(request.id);
    // A child that answers does not hang: the rest of the batch has its whole deadline again.
    for (const other of this.#inFlight.values()) other.timer.refresh();
    this.#failuresInRow = 0;
    this.#options.onDuration?.(this.#options.role, performance.now() - request.sentAtMs);
    if (header.kind === 'error') {
      request.reject(new LookaheadError(header.code, header.message, header.remedy));
    } else {
      request.resolve(message);
    }
    if (this.#inFlight.size > 0) return;
    this.#batchMax = Math.min(this.#options.batchMax, this.#batchMax * 2);
    this.#pump();
  }

  #hello(child: ChildProcess, { header }: WireMessage): void {
    const { role, bundleSha256 } = this.#options;
    if (header.kind !== 'hello') {
      this.#ended(child, `it said "${header.kind}" before hello`);
    } else if (header.protocol !== protocolVersion || header.role !== role) {
      this.#ended(child, `it is a ${header.role} of protocol ${header.protocol}`);
    } else if (header.bundleSha256 !== bundleSha256) {
      this.#ended(child, `it loaded bundle ${header.bundleSha256}, not ${bundleSha256}`);
    } else {
      clearTimeout(this.#startTimer);
      this.#ready = true;
      this.#started?.resolve();
      this.#started = null;
      this.#pump();
    }
  }

  /** Sends what waits as soon as the child is free; a batch that is not full may be given a moment to fill. */
  #pump(): void {
    if (!this.#isFree || this.#queue.size === 0) return;
    const { batchWaitMs } = this.#options;
    if (batchWaitMs > 0 && this.#queue.size < this.#batchMax) {
      this.#batchTimer ??= setTimeout(() => this.#send(), batchWaitMs);
    } else {
      this.#send();
    }
  }

  get #isFree(): boolean {
    return this.#ready && this.#inFlight.size === 0 && !this.#closed;
  }

  #send(): void {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    const child = this.#child;
    if (!this.#isFree || child === null) return;
    const batch: { readonly request: Request; readonly bytes: Buffer }[] = [];
    // The last comes first, for it alone says that no more follow; one that makes no message fails by itself.
    for (const request of this.#queue.take(this.#batchMax, performance.now()).reverse()) {
      clearTimeout(request.timer);
      const { id, kind, header, tensors, deadlineMs } = request;
      const more = batch.length > 0;
      try {
        const whole = { kind, id, deadlineMs, more, ...header } as OwnHeader;
        batch.unshift({ request, bytes: encodeMessage(whole, tensors) });
      } catch (error) {
        request.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (batch.length === 0) {
      this.#pump();
      return;
    }
    this.#options.onBatch?.(this.#options.role, batch.length);
    for (const { request, bytes } of batch) {
      const { id, deadlineMs } = request;
      this.#inFlight.set(id, request);
      request.sentAtMs = performance.now();
      request.timer = setTimeout(() => {
        request.reject(new RequestDropped('late', `No answer within ${deadlineMs} ms.`));
        this.#ended(child, `it gave no answer within ${deadlineMs} ms`);
      }, deadlineMs);
      this.#socket?.write(bytes);
    }
  }

  /** A child that says it cannot work will not work after a restart either, if it never did. */
  #fatal(child: ChildProcess, error: LookaheadError): void {
    if (this.#started === null) {
      this.#ended(child, error.message);
      return;
    }
    this.#started.reject(error);
    this.#started = null;
  }

  /** The one way out for a child: kills it, counts what it had, starts another after a pause. */
  #ended(child: ChildProcess, why: string): void {
    if (this.#child !== child || this.#closed) return;
    const { role, backOffMs, onLost, onRestart } = this.#options;
    clearTimeout(this.#startTimer);
    this.#child = null;
    this.#ready = false;
    child.kill('SIGKILL');
    this.#socket?.destroy();
    this.#socket = null;
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#inFlight.size > 0) {
      const replaced = lost(`The ${role} was replaced: ${why}.`);
      for (const request of this.#inFlight.values()) request.reject(replaced);
      onLost?.(role, this.#inFlight.size);
      this.#inFlight.clear();
      // If one clip kills the process, or so many are too much for it, the next batches shall not be lost too: they
      // begin with one and double as long as all goes well.
      this.#batchMax = 1;
    }
    const pauseMs = backOffMs[Math.min(this.#failuresInRow, backOffMs.length - 1)] ?? 0;
    this.#failuresInRow++;
    if (this.#started !== null && this.#failuresInRow >= startAttemptsMax) {
      this.#started.reject(lost(`The ${role} did not start: ${why}.`));
      this.#started = null;
      return;
    }
    onRestart?.(role, why);
    this.#restartTimer = setTimeout(() => this.#spawn(), pauseMs);
  }
}

/** Camera passwords can stand in the engine's environment; a model process needs none of them. */
function childEnvironment(): NodeJS.ProcessEnv {
  const names = [
    ...['PATH', 'HOME', 'LANG', 'TMPDIR', 'NODE_OPTIONS', 'LD_LIBRARY_PATH'],
    ...['CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'CUDA_CACHE_PATH'],
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** A Unix socket's path has room for about 100 characters. */
function socketHome(): string {
  const home = tmpdir();
  return home.length > 60 ? '/tmp' : home;
}

function lost(message: string): LookaheadError {
  return new LookaheadError('model_lost', message, 'A new process takes over by itself.');
}
