import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { createConnection, Server, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { LookaheadError } from '../../src/errors.js';
import type { HttpServer } from '../../src/http/server.js';
import { startHttp } from '../../src/http/server.js';
import {
  ask,
  buildDashboard,
  connectTo,
  httpForTest,
  originOf,
  refusalOf,
} from './http-support.js';

const dashboard = buildDashboard();
let server: HttpServer;

beforeAll(async () => {
  symlinkSync(join(dirname(dashboard.dir), 'secret.txt'), join(dashboard.dir, 'link.txt'));
  symlinkSync(dirname(dashboard.dir), join(dashboard.dir, 'up'));
  server = await startHttp({
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    site: 'home',
    viewersMax: 1,
    dashboardDir: dashboard.dir,
    metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('x 1\n') },
    hindrances: () => [],
  });
});

afterAll(async () => {
  await server.close();
  dashboard.remove();
});

describe('the dashboard', () => {
  it.each([
    ['/', 'text/html', 'no-store', '<title>'],
    ['/index.html', 'text/html', 'no-store', '<title>'],
    ['/favicon.svg', 'image/svg+xml', 'no-store', '<svg'],
    ['/assets/index-4f2a.js', 'text/javascript', 'immutable', 'export'],
  ])('%s comes as %s, kept: %s', async (path, type, caching, content) => {
    const { status, headers, body } = await ask(server, path);
    expect(status).toBe(200);
    expect(headers['content-type']).toContain(type);
    expect(headers['cache-control']).toContain(caching);
    expect(body).toContain(content);
  });

  it('comes with headers that keep everything foreign out', async () => {
    const { headers } = await ask(server, '/', { headers: { host: 'localhost:1' } });
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://localhost:1 wss://localhost:1; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('says how it is built where it is not', async () => {
    const { status, body } = await ask(await httpForTest(), '/');
    expect([status, body]).toEqual([503, expect.stringContaining('npm run build')]);
  });
});

describe('requests', () => {
  it.each([
    '/../../etc/passwd',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/assets',
    '/assets/',
    '/index.html/',
    '//host',
    'http://127.0.0.1/index.html',
    '/constructor',
    '/__proto__',
    '/page.js',
    '/events',
    '/picture',
    '/nats',
    '/still?camera=gate',
    '/api/cameras',
  ])('%s gets 404', async (path) => {
    const { status, body } = await ask(server, path);
    expect(status).toBe(404);
    expect(body).not.toContain('root:');
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'of method %s get 405 where there is only something to see',
    async (method) => {
      const { status, headers } = await ask(server, '/', { method });
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    },
  );

  it('of method HEAD get the headers', async () => {
    const { status, headers, body } = await ask(server, '/', { method: 'HEAD' });
    expect([status, Number(headers['content-length']) > 0, body]).toEqual([200, true, '']);
  });

  it.each(['evil.example', '127.0.0.1.evil.example', '127.evil.example', '10.0.0.1', '[::2]'])(
    'for the host %j are refused on loopback',
    async (host) => expect((await ask(server, '/', { headers: { host } })).status).toBe(403),
  );

  it.each(['localhost:1', '127.0.0.1', '[::1]:9'])('for the host %s are answered', async (host) => {
    expect((await ask(server, '/', { headers: { host } })).status).toBe(200);
  });

  it('for the host of http.publicUrl are answered', async () => {
    const behind = await httpForTest({
      publicUrl: 'https://watch.example',
      password: 'correct horse',
      dashboardDir: dashboard.dir,
    });
    const host = 'watch.example';
    expect((await ask(behind, '/', { headers: { host } })).status).toBe(200);
  });

  it.each(['nonsense\r\n\r\n', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n\r\n`, '\0\0\0\r\n\r\n'])(
    'that are no HTTP get a plain answer (%#)',
    async (bytes) => {
      const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(bytes);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 4\d\d /);
    },
  );

  it('of a programming error tell nothing but that there was one', async () => {
    const told: unknown[] = [];
    const broken = await httpForTest({
      onError: (error) => told.push(error),
      metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('inside')) },
    });
    const { status, body } = await ask(broken, '/metrics');
    expect([status, body.includes('inside')]).toEqual([500, false]);
    expect(told).toEqual([new Error('inside')]);
  });
});

describe('health', () => {
  it('is alive, ready, and says why when it is not', async () => {
    const hindrances: string[] = [];
    const open = await httpForTest({ hindrances: () => hindrances });
    expect((await ask(open, '/livez')).body).toBe('alive\n');
    expect((await ask(open, '/readyz')).status).toBe(200);
    hindrances.push('no camera is online');
    const { status, body } = await ask(open, '/readyz');
    expect([status, body]).toEqual([503, 'no camera is online\n']);
    expect((await ask(open, '/metrics')).body).toBe('x 1\n');
  });
});

describe('the session', () => {
  it('of an engine on loopback is open, and says that there is no way to NATS', async () => {
    const { status, body } = await ask(server, '/session');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      schema: 'lookahead.session.v1',
      needsLogin: false,
      isLoggedIn: true,
      version: '1.2.3',
      engine: {
        site: 'home',
        viewersMax: 1,
        nats: null,
        natsHindrance: expect.stringContaining('NATS') as unknown,
      },
    });
  });
});

describe('still pictures', () => {
  it('come as PNG with their time, or not at all', async () => {
    const atMs = Date.UTC(2026, 10, 25, 12);
    const asked: unknown[] = [];
    const showing = await httpForTest({
      stills: {
        png: (camera, at) => {
          asked.push(at);
          const still = { png: Buffer.from('png'), atMs };
          return Promise.resolve(camera === 'gate' ? still : undefined);
        },
      },
    });
    const { status, headers, body } = await ask(showing, '/still?camera=gate');
    expect([status, body, headers['content-type'], headers['x-lookahead-at']]).toEqual([
      200,
      'png',
      'image/png',
      '2026-11-25T12:00:00.000Z',
    ]);
    await ask(showing, '/still?camera=gate&at=2026-11-25T11:00:00Z');
    expect(asked).toEqual([undefined, atMs - 3_600_000]);
    expect((await ask(showing, '/still?camera=yard')).status).toBe(204);
    for (const query of ['', '?camera=a.b', '?camera=a&camera=b', '?camera=a&b=c', '?camera[]=a']) {
      expect((await ask(showing, `/still${query}`)).status, query).toBe(400);
    }
    for (const at of ['now', '1e999', '2026-11-25', '%00']) {
      expect((await ask(showing, `/still?camera=gate&at=${at}`)).status, at).toBe(400);
    }
  });
});

describe('pictures', () => {
  const showing = async (): Promise<{ open: HttpServer; released: () => number }> => {
    let released = 0;
    const source = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => source.close());
    await once(source, 'listening');
    source.on('connection', (viewer) => viewer.send(Buffer.from('picture')));
    const url = `ws://127.0.0.1:${(source.address() as AddressInfo).port}`;
    const unknown = new LookaheadError('camera_unknown', 'There is none.', 'Look again.');
    const open = await httpForTest({
      pictures: {
        open: (camera) =>
          camera === 'gate'
            ? Promise.resolve({ url, release: () => (released += 1) })
            : Promise.reject(unknown),
      },
    });
    return { open, released: () => released };
  };

  it('are passed on, and let go when the viewer leaves', async () => {
    const { open, released } = await showing();
    const viewer = connectTo(open, '/picture?camera=gate', { origin: originOf(open) });
    const [picture] = (await once(viewer, 'message')) as [Buffer];
    expect(picture.toString()).toBe('picture');
    expect(open.viewers).toBe(1);
    expect(await refusalOf(connectTo(open, '/picture?camera=gate'))).toContain('503');
    viewer.close();
    await expect.poll(() => open.viewers).toBe(0);
    expect(released()).toBe(1);
  });

  it('are refused to pages of other sites, and for unknown cameras', async () => {
    const { open } = await showing();
    const from = async (path: string, headers: Record<string, string> = {}): Promise<string> =>
      refusalOf(connectTo(open, path, { headers }));
    expect(await from('/picture?camera=gate', { origin: 'http://evil.example' })).toContain('403');
    expect(await from('/picture?camera=gate', { origin: 'null' })).toContain('403');
    expect(await from('/picture?camera=gate', { 'sec-fetch-site': 'same-site' })).toContain('403');
    expect(await from('/picture?camera=gate', { host: 'evil.example' })).toContain('403');
    expect(await from('/picture?camera=a.b')).toContain('400');
    expect(await from('/nats')).toContain('404');
    expect(open.viewers).toBe(0);
  });

  it('of cameras that have none end with the reason', async () => {
    const { open } = await showing();
    const viewer = connectTo(open, '/picture?camera=other');
    const [status, reason] = (await once(viewer, 'close')) as [number, Buffer];
    expect([status, reason.toString()]).toEqual([1011, 'camera_unknown']);
    await expect.poll(() => open.viewers).toBe(0);
  });

  it('end with the server', async () => {
    const { open } = await showing();
    const viewer = connectTo(open, '/picture?camera=gate');
    await once(viewer, 'message');
    await Promise.all([once(viewer, 'close'), open.close()]);
  });
});

it('a taken port is named', async () => {
  const port = Number(new URL(server.url).port);
  const error: unknown = await httpForTest({ port }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LookaheadError);
  expect(error).toMatchObject({ code: 'port_taken' });
  expect(String(error)).toContain(String(port));
});

it('a connection that could not be accepted ends nothing, and is told', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen');
  onTestFinished(() => listening.mockRestore());
  const told: unknown[] = [];
  const server = await httpForTest({ onError: (error) => told.push(error) });
  const [inner] = listening.mock.contexts as Server[];
  const errors = ['accept EMFILE', 'accept EMFILE again'].map((text) => new Error(text));
  for (const error of errors) inner!.emit('error', error);
  expect(told).toEqual(errors);
  expect((await ask(server, '/livez')).status).toBe(200);
});
