/** The nats-server that is started beside the engine when none is configured. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LookaheadError } from './errors.js';
import { engineAccount, writeBesideServerConf } from './nats-conf.js';

export interface NatsServerOptions {
  /** Of the program. */
  readonly path: string;
  /** On 127.0.0.1; 0: any free one. */
  readonly port: number;
  /** Of the WebSocket listener, on 127.0.0.1; another one where this is taken. 0: any free one. */
  readonly websocketPort: number;
  /** Where JetStream keeps its streams, and the server's configuration lies. Made where missing. */
  readonly storeDir: string;
  /** Whose messages the dashboard may read. */
  readonly site: string;
  readonly dashboardPassword: string;
}

export interface NatsServer {
  readonly url: string;
  /** Where a browser gets in, as the user `dashboard`. */
  readonly websocketUrl: string;
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
  const [anyPort, anyOtherPort] = await freePorts();
  const port = options.port === 0 ? anyPort : options.port;
  if (!(await isFree(port))) {
    throw new LookaheadError(
      'port_taken',
      `Port ${port} of 127.0.0.1, where the NATS server should listen, is taken.`,
      `If that is a NATS server, use it with --nats nats://127.0.0.1:${port}; otherwise choose --nats-port 0.`,
    );
  }
  const wished = options.websocketPort;
  const canHaveIt = wished !== 0 && wished !== port && (await isFree(wished));
  const websocketPort = canHaveIt ? wished : anyOtherPort;
  const { site, storeDir, dashboardPassword } = options;
  mkdirSync(storeDir, { recursive: true });
  adoptStreams(storeDir);
  const conf = { site, storeDir, port, websocketPort, dashboardPassword };
  const args = ['-c', writeBesideServerConf(conf)];
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
  // Also where it ends on its own: it may be started again many times.
  void lost.then(() => process.off('exit', kill));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, endMs);
    await lost;
    clearTimeout(timer);
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
  return {
    url: `nats://127.0.0.1:${port}`,
    websocketUrl: `ws://127.0.0.1:${websocketPort}`,
    pid: child.pid ?? -1,
    lost,
    close,
  };
}

/** A server that knew no accounts kept everything in one that it called `$G`. */
function adoptStreams(storeDir: string): void {
  const [before, now] = ['$G', engineAccount].map((name) => join(storeDir, 'jetstream', name));
  if (existsSync(before!) && !existsSync(now!)) renameSync(before!, now!);
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

/** Two that differ: both are held before either is let go. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(servers.map(listening));
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return [ports[0]!, ports[1]!];
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
