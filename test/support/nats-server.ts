/** A real nats-server with JetStream, in a folder of its own, on a free port of loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFailed, onTestFinished } from 'vitest';

export interface NatsServerOptions {
  readonly user?: string;
  readonly pass?: string;
  /** Lines added to its configuration file. */
  readonly config?: string;
  readonly jetStream?: boolean;
  /** Leaves the process unstarted: the port is known, nobody listens. */
  readonly started?: boolean;
}

export interface TestNatsServer {
  readonly url: string;
  readonly port: number;
  /** Starts it again on the same port and store. */
  start(): Promise<void>;
  /** SIGTERM: it says goodbye to its clients. */
  stop(): Promise<void>;
  /** SIGKILL: as a crash. The store stays. */
  kill(): Promise<void>;
  /** As a new disk. Only while it does not run. */
  emptyStore(): void;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  log(): string;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** From NATS_SERVER, the project's cache folder (where the set-up puts it) or PATH. */
export function natsServerPath(): string {
  const folders = ['.cache/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const candidates = folders.map((folder) => join(folder, 'nats-server'));
  const found = [process.env['NATS_SERVER'] ?? '', ...candidates].find(
    (path) => path !== '' && existsSync(path),
  );
  if (found === undefined) {
    throw new Error('nats-server was not found: install it, or set NATS_SERVER to its path.');
  }
  return found;
}

/** For use inside a test: ends with it, and prints the server's log when the test fails. */
export async function natsServerForTest(options: NatsServerOptions = {}): Promise<TestNatsServer> {
  const server = await startNatsServer(options);
  onTestFailed(() => {
    process.stderr.write(`nats-server's log:\n${server.log()}\n`);
  });
  onTestFinished(() => server.remove());
  return server;
}

/** The caller must `remove()` it. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<TestNatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-nats-'));
  const store = join(folder, 'store');
  const config = join(folder, 'server.conf');
  const login =
    options.user === undefined
      ? ''
      : `authorization { user: ${JSON.stringify(options.user)}, password: ${JSON.stringify(options.pass)} }`;
  const jetStream =
    options.jetStream === false
      ? ''
      : `jetstream { store_dir: ${JSON.stringify(store)}, max_file: 4GB, max_mem: 64MB }`;
  writeFileSync(config, [jetStream, login, options.config ?? ''].join('\n'));

  let child: ChildProcess | undefined;
  let log = '';
  let port = -1;

  const start = async (): Promise<void> => {
    const args = ['-c', config, '-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', folder];
    const started = spawn(natsServerPath(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-64_000);
      });
    }
    const gone = once(started, 'exit').then(() => 'gone' as const);
    const portFile = `nats-server_${String(started.pid)}.ports`;
    for (let waitedMs = 0; ; waitedMs += 20) {
      const ended = await Promise.race([gone, delay(20)]);
      if (ended !== undefined) throw new Error(`nats-server ended at its start:\n${log}`);
      if (waitedMs > 30_000) throw new Error(`nats-server did not listen:\n${log}`);
      if (port === -1) port = portIn(folder, portFile);
      if (port !== -1 && (await greets(port))) return;
    }
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending?.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    ending.kill('SIGCONT'); // A frozen process ends only when it runs again.
    await exited;
  };
  const endAtExit = (): void => {
    child?.kill('SIGKILL');
  };
  process.on('exit', endAtExit);

  const server: TestNatsServer = {
    get url() {
      return `nats://127.0.0.1:${String(port)}`;
    },
    get port() {
      return port;
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    emptyStore: () => {
      rmSync(store, { recursive: true, force: true });
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    log: () => log,
    remove: async () => {
      await end('SIGKILL');
      process.off('exit', endAtExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await start();
  if (options.started === false) await server.stop();
  return server;
}

/** The port that the server chose, from the file it writes, or -1 while there is none. */
function portIn(folder: string, portFile: string): number {
  if (!readdirSync(folder).includes(portFile)) return -1;
  const [url] = /nats:\/\/[^"\s]+:(\d+)/.exec(readFileSync(join(folder, portFile), 'utf8')) ?? [];
  return url === undefined ? -1 : Number(url.split(':').at(-1));
}

/** True when something on that port says hello as a NATS server does. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1_000, () => {
      answer(false);
    });
    socket.on('error', () => {
      answer(false);
    });
    socket.on('data', (data) => {
      answer(data.toString().startsWith('INFO'));
    });
  });
}
