/** The nats-server that is started beside the engine when none is configured. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LookaheadError } from './errors.js';

export interface NatsServerOptions {
  /** Of the program. */
  readonly path: string;
  /** On 127.0.0.1; 0: any free one. */
  readonly port: number;
  /** Where JetStream keeps its streams. Made where missing. */
  readonly storeDir: string;
}

export interface NatsServer {
  readonly url: string;
  readonly pid: number;
  /** Resolves, with what happened, when it ends on its own. Never rejects. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

const readyMs = 20_000;
const endMs = 4_000;
const logCharsMax = 4_000;

/** Rejects with `port_taken`, or `broker_unreachable` with what the server wrote. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const port = options.port === 0 ? await freePort() : options.port;
  if (!(await isFree(port))) {
    throw new LookaheadError(
      'port_taken',
      `Port ${port} of 127.0.0.1, where the NATS server should listen, is taken.`,
      `If that is a NATS server, use it with --nats nats://127.0.0.1:${port}; otherwise choose --nats-port 0.`,
    );
  }
  mkdirSync(options.storeDir, { recursive: true });
  const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', options.storeDir];
  const [file, first] = dyingWithUs(options.path);
  // A group of its own: Ctrl-C goes to the whole group, and this one must outlive the draining.
  const child = spawn(file, [...first, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-logCharsMax);
  });
  const lost = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`it ended with ${signal ?? String(code)}`));
  });
  const end = new AbortController();
  void lost.then(() => end.abort());
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, endMs);
    await lost;
    clearTimeout(timer);
    process.off('exit', kill);
  };

  const giveUpAt = performance.now() + readyMs;
  while (!(await greets(port))) {
    if (end.signal.aborted || performance.now() > giveUpAt) {
      const why = end.signal.aborted ? await lost : `it did not answer within ${readyMs / 1000} s`;
      await close();
      throw new LookaheadError(
        'broker_unreachable',
        `The NATS server did not start: ${why}.\n${log.trim()}`,
        `Check ${options.path} and the folder ${options.storeDir}.`,
      );
    }
    await delay(50);
  }
  return { url: `nats://127.0.0.1:${port}`, pid: child.pid ?? -1, lost, close };
}

/** Linux can end a child with its parent, also when the parent is killed and can do nothing itself. */
function dyingWithUs(path: string): [string, string[]] {
  const setpriv = '/usr/bin/setpriv';
  return existsSync(setpriv) ? [setpriv, ['--pdeathsig', 'TERM', '--', path]] : [path, []];
}

/** Whether a NATS server answers on this port of 127.0.0.1: it speaks first. Never rejects. */
export function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', (text: Buffer) => settle(text.toString('latin1').startsWith('INFO ')));
    socket.once('close', () => resolve(false));
  });
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
