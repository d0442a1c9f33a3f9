import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { AppOptions } from '../../src/app.js';
import { openNatsServer } from '../../src/broker.js';
import type { BesideServer } from '../../src/nats-gate.js';
import { Closers } from '../../src/closers.js';
import { ConfigSchema } from '../../src/config.js';
import { knownAddress } from '../../src/nats-address.js';
import { probeNats } from '../support/nats-probe.js';
import { natsServerPath } from '../support/nats-server.js';

const patience = { timeout: 60_000, interval: 100 };

function engineForTest(store = mkdtempSync(join(tmpdir(), 'lookahead-broker-'))) {
  const closers = new Closers();
  const lines: string[] = [];
  const options: AppOptions = {
    config: ConfigSchema.parse({ nats: { port: 0, storeDir: store } }),
    tools: { ffmpegPath: 'ffmpeg', natsServerPath: natsServerPath() },
    console: {
      log: (level, text) => lines.push(`${level}: ${text}`),
      message: () => undefined,
      state: () => undefined,
    },
    onFatal: (error) => {
      throw error;
    },
    signal: new AbortController().signal,
  };
  onTestFinished(async () => {
    await closers.close();
    rmSync(store, { recursive: true, force: true });
  });
  return { options, closers, lines, store };
}

/** Engines of a test are all in one process; others are elsewhere. */
function asIfOfProcess(pid: number, store: string): void {
  const file = join(store, 'address.json');
  const address = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...address, pid }));
}

async function greets(url: string): Promise<boolean> {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  try {
    const [text] = (await once(socket, 'data')) as [Buffer];
    return text.toString().startsWith('INFO ');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The process id of the server with this store; its command line names the configuration there. */
function pidOf(store: string): number | undefined {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(
          `-c\0${store}/nats-server.conf\0`,
        );
      } catch {
        return false;
      }
    });
  return found === undefined ? undefined : Number(found);
}

it('a server is started beside the engine, found by others, and gone after the end', async () => {
  const { options, closers, store } = engineForTest();
  const { url } = (await openNatsServer(options, closers))!;
  expect(await greets(url)).toBe(true);
  asIfOfProcess(process.ppid, store);
  expect(await knownAddress(store)).toBe(url);
  await closers.close();
  expect(await knownAddress(store)).toBeUndefined();
  expect(pidOf(store)).toBeUndefined();
});

it('a server that dies is started again on its port, and it is said', async () => {
  const { options, closers, lines, store } = engineForTest();
  const { url } = (await openNatsServer(options, closers))!;
  process.kill(pidOf(store)!, 'SIGKILL');
  await expect.poll(() => lines.join(), patience).toContain('lost');
  await expect.poll(() => greets(url), patience).toBe(true);
  expect(pidOf(store)).toBeDefined();
  await closers.close();
  expect(pidOf(store)).toBeUndefined();
});

const dashboardOf = ({ dashboardPassword }: BesideServer) => ({
  user: 'dashboard',
  pass: dashboardPassword,
});

it('a program of this machine may do everything, a browser may read and ask and nothing else', async () => {
  const { options, closers } = engineForTest();
  const beside = (await openNatsServer(options, closers))!;
  const { url, websocketUrl } = beside;
  const program = await probeNats(url);
  expect(await program.publish('lookahead.v1.home.gate.forecast')).toBe('+OK');
  expect(await program.subscribe('>')).toBe('+OK');

  const browser = await probeNats(websocketUrl()!, dashboardOf(beside));
  expect(await browser.subscribe('lookahead.v1.home.gate.forecast')).toBe('+OK');
  expect(await browser.subscribe('_INBOX_dashboard.1')).toBe('+OK');
  expect(await browser.publish('lookahead.v1.home.svc.ask')).toBe('+OK');
  expect(await browser.publish('$JS.API.DIRECT.GET.LOOKAHEAD_home_forecast')).toBe('+OK');
  for (const subject of ['>', '_INBOX.>', 'lookahead.v1.home.>', 'lookahead.v1.home.svc.ask']) {
    expect(await browser.subscribe(subject), subject).toMatch(/Permissions Violation/);
  }
  for (const subject of [
    'lookahead.v1.home.gate.forecast',
    'lookahead.v1.home.svc.bundle.use',
    '$JS.API.STREAM.DELETE.LOOKAHEAD_home_forecast',
    '$JS.API.CONSUMER.CREATE.LOOKAHEAD_home_forecast',
    '$JS.API.DIRECT.GET.KV_LOOKAHEAD_home_cameras',
  ]) {
    expect(await browser.publish(subject), subject).toMatch(/Permissions Violation/);
  }
});

it('a browser becomes nobody else by naming him, even by his password', async () => {
  const { options, closers, store } = engineForTest();
  const { websocketUrl, url } = (await openNatsServer(options, closers))!;
  const file = join(store, 'nats-server.conf');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const [, local] = /user: local, password: "([^"]{40,})"/.exec(readFileSync(file, 'utf8'))!;
  for (const login of [
    {},
    { user: 'local' },
    { user: 'local', pass: '' },
    { user: 'local', pass: local! },
    { user: 'dashboard' },
  ]) {
    await expect(probeNats(websocketUrl()!, login)).rejects.toThrow('Authorization Violation');
  }
  await expect(probeNats(url, { user: 'dashboard' })).rejects.toThrow('Authorization Violation');
});

it('no page is let into the WebSocket, even where it is named like it: only the engine passes one on', async () => {
  const { options, closers } = engineForTest();
  const { websocketUrl } = (await openNatsServer(options, closers))!;
  const answerTo = (origin: string | undefined, host?: string): Promise<string> =>
    new Promise((resolve) => {
      const headers = host === undefined ? {} : { host };
      const socket = new WebSocket(websocketUrl()!, { ...(origin && { origin }), headers });
      socket.once('error', (error) => resolve(error.message));
      socket.once('open', () => {
        socket.terminate();
        resolve('open');
      });
    });
  expect(await answerTo('http://elsewhere.example')).toContain('403');
  const { host, port } = new URL(websocketUrl()!);
  expect(await answerTo(`http://${host}`)).toContain('403');
  // A name of another site that was pointed at this machine.
  const rebound = `elsewhere.example:${port}`;
  expect(await answerTo(`http://${rebound}`, rebound)).toContain('403');
  expect(await answerTo(undefined)).toBe('open');
});

it('what an earlier server stored, which knew no accounts, is found again', async () => {
  const store = mkdtempSync(join(tmpdir(), 'lookahead-broker-'));
  const subject = 'lookahead.v1.home.gate.forecast';
  const first = engineForTest(store);
  const before = await connect({
    servers: (await openNatsServer(first.options, first.closers))!.url,
  });
  const manager = await before.jetstreamManager();
  await manager.streams.add({ name: 'LOOKAHEAD_home_forecast', subjects: [subject] });
  await before.jetstream().publish(subject, 'kept');
  await before.close();
  await first.closers.close();
  renameSync(join(store, 'jetstream', 'LOOKAHEAD'), join(store, 'jetstream', '$G'));

  const second = engineForTest(store);
  const after = await connect({
    servers: (await openNatsServer(second.options, second.closers))!.url,
  });
  onTestFinished(() => after.close());
  const kept = await (
    await after.jetstreamManager()
  ).streams.getMessage('LOOKAHEAD_home_forecast', { seq: 1 });
  expect(kept.string()).toBe('kept');
});

it('a server that ends leaves no listener behind', async () => {
  const { options, closers, store } = engineForTest();
  const before = process.listenerCount('exit');
  const { websocketUrl } = (await openNatsServer(options, closers))!;
  process.kill(pidOf(store)!, 'SIGKILL');
  await expect.poll(websocketUrl, patience).toBeUndefined();
  await expect.poll(websocketUrl, patience).toBeDefined();
  expect(process.listenerCount('exit')).toBe(before + 1);
});

it('a server that was lost has its WebSocket where it was, or elsewhere where that is taken', async () => {
  const { options, closers, store } = engineForTest();
  const beside = (await openNatsServer(options, closers))!;
  const { websocketUrl } = beside;
  const before = websocketUrl()!;
  process.kill(pidOf(store)!, 'SIGKILL');
  await expect.poll(websocketUrl, patience).toBeUndefined();
  await expect.poll(websocketUrl, patience).toBe(before);
  await probeNats(before, dashboardOf(beside));

  process.kill(pidOf(store)!, 'SIGKILL');
  await expect.poll(websocketUrl, patience).toBeUndefined();
  const taken = createServer().listen(Number(new URL(before).port), '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  await expect.poll(websocketUrl, patience).toMatch(/^ws:/);
  expect(websocketUrl()).not.toBe(before);
  await probeNats(websocketUrl()!, dashboardOf(beside));
});

it('two engines never share a store', async () => {
  const first = engineForTest();
  const { url } = (await openNatsServer(first.options, first.closers))!;
  asIfOfProcess(process.ppid, first.store);
  const second = engineForTest(first.store);
  await expect(openNatsServer(second.options, second.closers)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(url) as string,
  });
});

it('an engine that was killed keeps no store, whoever has its process id now', async () => {
  const first = engineForTest();
  await openNatsServer(first.options, first.closers);
  expect(await knownAddress(first.store), 'our own id').toBeUndefined();
  process.kill(pidOf(first.store)!, 'SIGKILL');
  await expect.poll(() => pidOf(first.store), patience).toBeUndefined();
  asIfOfProcess(process.ppid, first.store);
  expect(await knownAddress(first.store), 'an id in use, a server that is gone').toBeUndefined();
});

it('a taken port is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { options, closers, store } = engineForTest();
  const config = ConfigSchema.parse({ nats: { port, storeDir: store } });
  await expect(openNatsServer({ ...options, config }, closers)).rejects.toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(String(port)) as string,
  });
  taken.close();
});

it('a program that is no server fails with what it said', async () => {
  const { options, closers } = engineForTest();
  const tools = { ...options.tools, natsServerPath: '/bin/false' };
  await expect(openNatsServer({ ...options, tools }, closers)).rejects.toMatchObject({
    code: 'broker_unreachable',
    message: expect.stringContaining('ended with 1') as string,
  });
});

it('with a configured server none is started', async () => {
  const { options, closers, store } = engineForTest();
  const config = ConfigSchema.parse({ nats: { servers: ['nats://h:1'], storeDir: store } });
  expect(await openNatsServer({ ...options, config }, closers)).toBeUndefined();
  expect(pidOf(store)).toBeUndefined();
});
