/** The dashboard's way to a real nats-server, and what becomes of peers that do not behave. */
import { once } from 'node:events';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import { wsconnect } from '@nats-io/nats-core';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { keepAlive } from '../../src/http/keep-alive.js';
import type { NatsGate } from '../../src/http/ports.js';
import type { HttpServer } from '../../src/http/server.js';
import { natsServerForTest } from '../support/nats-server.js';
import { ask, connectTo, httpForTest, logIn, originOf, refusalOf } from './http-support.js';

const password = 'correct horse';

afterEach(() => vi.unstubAllGlobals());

const gateTo = (url: string): NatsGate => ({
  address: () => ({ url, user: 'dashboard', password: null }),
});

/** A WebSocket server in the place of NATS. */
async function standIn(): Promise<{ source: WebSocketServer; url: string }> {
  const source = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    for (const client of source.clients) client.terminate();
    source.close();
  });
  await once(source, 'listening');
  return { source, url: `ws://127.0.0.1:${(source.address() as AddressInfo).port}` };
}

/** A browser's WebSocket, which sends its page's origin and cookie by itself. */
function asBrowser(server: HttpServer, cookie: string): void {
  class BrowserSocket extends WebSocket {
    constructor(url: string) {
      super(url, { origin: originOf(server), headers: { cookie } });
    }
  }
  vi.stubGlobal('WebSocket', BrowserSocket);
}

describe('the way to NATS', () => {
  it('carries a conversation with a real server, in both directions', async () => {
    const nats = await natsServerForTest({
      config: 'websocket { host: "127.0.0.1", port: -1, no_tls: true, same_origin: true }',
    });
    const listening = /websocket clients on (ws:\/\/\S+)/;
    const url = await expect
      .poll(() => listening.exec(nats.log())?.[1])
      .toBeDefined()
      .then(() => listening.exec(nats.log())![1]!);
    const server = await httpForTest({ password, natsGate: gateTo(url) });
    const cookie = await logIn(server, password);
    const { body } = await ask(server, '/session', { headers: { cookie } });
    expect(JSON.parse(body)).toMatchObject({
      engine: { nats: { user: 'dashboard', password: null }, natsHindrance: null },
    });

    asBrowser(server, cookie);
    const address = `${server.url.replace('http', 'ws')}nats`;
    const [near, far] = await Promise.all([1, 2].map(() => wsconnect({ servers: address })));
    const answers = far!.subscribe('question');
    void (async () => {
      for await (const message of answers) message.respond(message.data);
    })();
    await far!.flush();
    const bytes = Uint8Array.from({ length: 500_000 }, (_, index) => index % 251);
    const reply = await near!.request('question', bytes, { timeout: 20_000 });
    expect(Buffer.compare(reply.data, bytes)).toBe(0);
    await Promise.all([near!.close(), far!.close()]);
  });

  it('is closed to other sites, and says where there is none', async () => {
    const { url } = await standIn();
    const server = await httpForTest({ natsGate: gateTo(url) });
    expect(await refusalOf(connectTo(server, '/nats', { origin: 'http://a.b' }))).toContain('403');
    const dead = await httpForTest({ natsGate: gateTo('ws://127.0.0.1:1') });
    expect(await refusalOf(connectTo(dead, '/nats'))).toContain('502');
    const none = await httpForTest({
      natsGate: { address: () => ({ hindrance: 'Set nats.websocket.' }) },
    });
    expect(await refusalOf(connectTo(none, '/nats'))).toContain('503');
    expect((await ask(none, '/session')).body).toContain('Set nats.websocket.');
  });

  it('adds no origin, keeps text text, and ends both sides when one ends', async () => {
    const { source, url } = await standIn();
    const origins: unknown[] = [];
    source.on('connection', (client, { headers }) => {
      origins.push(headers.origin);
      client.send('first');
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
    });
    const server = await httpForTest({ natsGate: gateTo(url) });
    const client = connectTo(server, '/nats', { origin: originOf(server) });
    // The very first frame may come before the browser's handshake is through.
    expect(String((await once(client, 'message'))[0])).toBe('first');
    client.send(Buffer.from([0, 255]));
    expect(await once(client, 'message')).toEqual([Buffer.from([0, 255]), true]);
    expect(origins).toEqual([undefined]);
    const [inner] = source.clients;
    const ended = once(inner!, 'close');
    client.terminate();
    await ended;

    const second = connectTo(server, '/nats');
    await once(second, 'message');
    const closed = once(second, 'close');
    for (const peer of source.clients) peer.close();
    await closed;
  });

  it('passes on the reason before the end', async () => {
    const { source, url } = await standIn();
    source.on('connection', (client) => {
      client.send("-ERR 'Authorization Violation'\r\n");
      client.close();
    });
    const server = await httpForTest({ natsGate: gateTo(url) });
    const client = connectTo(server, '/nats');
    expect(String((await once(client, 'message'))[0])).toContain('Authorization Violation');
    await once(client, 'close');
  });

  it('cuts a viewer that never reads', async () => {
    const { source, url } = await standIn();
    let sentBytes = 0;
    const piece = Buffer.alloc(1 << 20);
    source.on('connection', (client) => {
      const more = (): void => {
        if (client.readyState !== WebSocket.OPEN || sentBytes > 200 << 20) return;
        sentBytes += piece.length;
        client.send(piece, more);
      };
      more();
    });
    const server = await httpForTest({ natsGate: gateTo(url) });
    const client = connectTo(server, '/nats');
    await once(client, 'open');
    client.pause();
    await expect.poll(() => source.clients.size, { timeout: 20_000 }).toBe(0);
    // 8 MiB, and what the system's own buffers take in.
    expect(sentBytes).toBeLessThan(64 << 20);
    client.terminate();
  });

  it('cuts who sends a message beyond every measure', async () => {
    const { source, url } = await standIn();
    const server = await httpForTest({ natsGate: gateTo(url) });
    const client = connectTo(server, '/nats');
    await once(client, 'open');
    client.on('error', () => undefined);
    client.send(Buffer.alloc(3 << 20));
    await once(client, 'close');
    await expect.poll(() => source.clients.size).toBe(0);
  });

  it('is open to 64 pages at once', async () => {
    const { source, url } = await standIn();
    const server = await httpForTest({ natsGate: gateTo(url) });
    const open = async (): Promise<WebSocket> => {
      const client = connectTo(server, '/nats');
      await once(client, 'open');
      return client;
    };
    const clients = await Promise.all(Array.from({ length: 64 }, open));
    expect(await refusalOf(connectTo(server, '/nats'))).toContain('503');
    clients[0]!.terminate();
    await expect.poll(() => source.clients.size).toBe(63);
    await open();
  });

  it('outlives no session that has run out', async () => {
    const { source, url } = await standIn();
    const clock = { nowMs: 0 };
    const server = await httpForTest({ password, natsGate: gateTo(url), now: () => clock.nowMs });
    const cookie = await logIn(server, password);
    const client = connectTo(server, '/nats', { headers: { cookie } });
    await once(client, 'open');
    clock.nowMs += 12 * 3_600_000;
    const closed = once(client, 'close');
    // Whoever looks at a session that has run out ends it; a timer does the same.
    await ask(server, '/session', { headers: { cookie } });
    await closed;
    await expect.poll(() => source.clients.size).toBe(0);
  });
});

describe('an upgrade', () => {
  const raw = async (
    server: HttpServer,
    text: string,
  ): Promise<{ socket: Socket; all: string }> => {
    const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1');
    let all = '';
    socket.on('error', () => undefined).on('data', (data) => (all += data.toString()));
    socket.write(text);
    await once(socket, 'close');
    return { socket, all };
  };

  it.each([
    ['no WebSocket', 'Upgrade: h2c\r\nConnection: Upgrade\r\n', /^HTTP\/1.1 4/],
    ['a bad key', 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n', / 400 /],
  ])('to %s is refused, and the connection closed', async (_what, headers, expected) => {
    const { source, url } = await standIn();
    const server = await httpForTest({ natsGate: gateTo(url) });
    const { all } = await raw(server, `GET /nats HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    expect(all).toMatch(expected);
    await expect.poll(() => source.clients.size).toBe(0);
  });

  it('that is refused leaves no half of a connection open', async () => {
    const server = await httpForTest();
    const port = Number(new URL(server.url).port);
    const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
    let broken = '';
    socket.on('error', ({ message }) => (broken = message));
    socket.write('GET /x HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    await once(socket.resume(), 'end');
    // We could go on talking to somebody who only waits for us to end.
    await expect
      .poll(() => {
        socket.write('x');
        return broken;
      })
      .toMatch(/EPIPE|ECONNRESET/);
  });
});

describe('a peer that is gone without a word', () => {
  it('is noticed, and one that answers is not', async () => {
    const { source, url } = await standIn();
    source.on('connection', (peer) => keepAlive(peer, 20));
    const silent = new WebSocket(url, { autoPong: false });
    const living = new WebSocket(url);
    let pings = 0;
    living.on('ping', () => (pings += 1));
    await once(silent, 'close');
    await expect.poll(() => pings).toBeGreaterThan(3);
    expect(living.readyState).toBe(WebSocket.OPEN);
    living.terminate();
  });
});
