import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { HttpOptions, HttpServer } from '../../src/http/server.js';
import { ask, connectTo, httpForTest, logIn, originOf, refusalOf } from './http-support.js';

const password = 'correct horse';
const token = 'a-token-of-some-length';
const hourMs = 3_600_000;

/** A server with a login, and a clock that stands still until it is moved. */
async function locked(
  more: Partial<HttpOptions> = {},
): Promise<{ server: HttpServer; clock: { nowMs: number } }> {
  const clock = { nowMs: 0 };
  const server = await httpForTest({ password, token, now: () => clock.nowMs, ...more });
  return { server, clock };
}

const sessionOf = async (
  server: HttpServer,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> =>
  JSON.parse((await ask(server, '/session', { headers })).body) as Record<string, unknown>;

/** A camera's picture that comes forever. */
async function pictures(): Promise<NonNullable<HttpOptions['pictures']>> {
  const source = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => source.close());
  await once(source, 'listening');
  source.on('connection', (viewer) => viewer.send('picture'));
  const url = `ws://127.0.0.1:${(source.address() as AddressInfo).port}`;
  return { open: () => Promise.resolve({ url, release: () => undefined }) };
}

describe('strangers', () => {
  it.each(['/metrics', '/still?camera=gate', '/api/cameras'])('get nothing of %s', async (path) => {
    const { server } = await locked({
      stills: { png: () => Promise.reject(new Error('asked')) },
      cameras: {} as NonNullable<HttpOptions['cameras']>,
    });
    const isApi = path.startsWith('/api');
    const { status, headers, body } = await ask(server, path, isApi ? { json: {} } : {});
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(body).toContain('http.token');
    if (isApi) expect(JSON.parse(body)).toMatchObject({ code: 'login_required' });
  });

  it('open no WebSocket', async () => {
    const { server } = await locked({
      pictures: await pictures(),
      natsGate: { address: () => ({ url: 'ws://127.0.0.1:1', user: null, password: null }) },
    });
    for (const path of ['/picture?camera=gate', '/nats']) {
      expect(await refusalOf(connectTo(server, path))).toContain('401');
      const headers = { cookie: `lookahead-${new URL(server.url).port}=${'A'.repeat(43)}` };
      expect(await refusalOf(connectTo(server, path, { headers }))).toContain('401');
    }
  });

  it('learn that there is a login and nothing more', async () => {
    const { server } = await locked();
    expect(await sessionOf(server)).toEqual({
      schema: 'lookahead.session.v1',
      needsLogin: true,
      isLoggedIn: false,
      version: '1.2.3',
      engine: null,
    });
  });

  it('who come through a proxy are not told why the engine is not ready', async () => {
    const hindrances = (): string[] => ['NATS: refused at 10.0.0.7'];
    const { server } = await locked({ hindrances });
    expect((await ask(server, '/readyz')).body).toContain('10.0.0.7');
    const forwarded = { 'x-forwarded-for': '203.0.113.5' };
    const { status, body } = await ask(server, '/readyz', { headers: forwarded });
    expect([status, body]).toEqual([503, 'not ready\n']);
    const { server: behind } = await locked({ hindrances, publicUrl: 'https://watch.example' });
    expect((await ask(behind, '/readyz')).body).toBe('not ready\n');
    const cookie = await logIn(behind, password);
    expect((await ask(behind, '/readyz', { headers: { cookie } })).body).toContain('10.0.0.7');
    expect((await ask(behind, '/livez')).body).toBe('alive\n');
  });
});

describe('a login', () => {
  it('gives a cookie that scripts cannot read and other sites do not send', async () => {
    const { server } = await locked();
    const { status, headers, body } = await ask(server, '/login', { json: { password } });
    const port = new URL(server.url).port;
    expect([status, body]).toEqual([204, '']);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(
          `^lookahead-${port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`,
        ),
      ),
    ]);
    const cookie = headers['set-cookie']![0]!.split(';')[0]!;
    expect(await sessionOf(server, { cookie: `a=b; ${cookie}; c=d` })).toMatchObject({
      isLoggedIn: true,
      engine: { site: 'home' },
    });
    expect((await ask(server, '/metrics', { headers: { cookie } })).status).toBe(200);
  });

  it('behind a proxy with TLS gives a cookie that travels only over TLS', async () => {
    const { server } = await locked({ publicUrl: 'https://watch.example/' });
    const from = (
      origin: string,
    ): Promise<{ status?: unknown; headers: Record<string, unknown> }> =>
      ask(server, '/login', { json: { password }, headers: { origin } });
    const { status, headers } = await from('https://watch.example');
    expect([status, headers['set-cookie']]).toEqual([204, [expect.stringContaining('; Secure')]]);
    expect((await from('http://watch.example')).status).toBe(403);
  });

  it('with a wrong password is refused, and nothing of it is said again', async () => {
    const { server } = await locked();
    const { status, headers, body } = await ask(server, '/login', {
      json: { password: 'hunter2' },
    });
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
    expect(JSON.parse(body)).toMatchObject({ code: 'login_refused' });
    expect(body).not.toContain('hunter2');
    expect(body).not.toContain(password);
  });

  it('behind a proxy on this machine, a stranger who guesses keeps nobody else out', async () => {
    const publicUrl = 'https://cams.example';
    const attempt = async (server: HttpServer, from: string, given: string): Promise<unknown> => {
      const headers = { 'x-forwarded-for': from };
      return (await ask(server, '/login', { json: { password: given }, headers })).status;
    };
    const { server } = await locked({ publicUrl });
    // Whatever a stranger writes there himself, the proxy says from where he came.
    const tried = Array.from({ length: 6 }, (_, index) =>
      attempt(server, `192.0.2.${index}, 203.0.113.9`, 'wrong wrong'),
    );
    expect((await Promise.all(tried)).sort()).toEqual([401, 401, 401, 401, 401, 429]);
    expect(await attempt(server, '203.0.113.9', password)).toBe(429);
    expect(await attempt(server, '198.51.100.1', password)).toBe(204);

    // Where none is said to be there, nobody is believed.
    const { server: bare } = await locked();
    const guessed = Array.from({ length: 6 }, (_, index) =>
      attempt(bare, `192.0.2.${index}`, 'wrong wrong'),
    );
    expect((await Promise.all(guessed)).sort()).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is tried five times, then once a minute, even with the right password', async () => {
    const { server, clock } = await locked();
    const attempt = async (given: string): Promise<unknown[]> => {
      const { status, headers } = await ask(server, '/login', { json: { password: given } });
      return [status, headers['retry-after']];
    };
    const wrong = await Promise.all(Array.from({ length: 8 }, () => attempt('wrong wrong')));
    expect(wrong.map(([status]) => status).sort()).toEqual([
      401, 401, 401, 401, 401, 429, 429, 429,
    ]);
    expect(await attempt(password)).toEqual([429, '60']);
    clock.nowMs += 59_000;
    expect(await attempt(password)).toEqual([429, '1']);
    clock.nowMs += 1000;
    expect(await attempt('wrong wrong')).toEqual([401, undefined]);
    clock.nowMs += 60_000;
    expect(await attempt(password)).toEqual([204, undefined]);
    // A right one clears what was mistyped before it.
    expect((await attempt('wrong wrong'))[0]).toBe(401);
    expect((await attempt(password))[0]).toBe(204);
  });

  it('ends after twelve hours', async () => {
    const { server, clock } = await locked();
    const cookie = await logIn(server, password);
    clock.nowMs += 12 * hourMs - 1;
    expect(await sessionOf(server, { cookie })).toMatchObject({ isLoggedIn: true });
    clock.nowMs += 1;
    expect(await sessionOf(server, { cookie })).toMatchObject({ isLoggedIn: false, engine: null });
  });

  it('is one of 64; then the oldest ends', async () => {
    const { server } = await locked();
    const first = await logIn(server, password);
    const second = await logIn(server, password);
    for (let others = 0; others < 63; others++) await logIn(server, password);
    expect(await sessionOf(server, { cookie: first })).toMatchObject({ isLoggedIn: false });
    expect(await sessionOf(server, { cookie: second })).toMatchObject({ isLoggedIn: true });
  });
});

describe('a logout', () => {
  it('ends the session and its WebSockets, and no others', async () => {
    const { server } = await locked({ pictures: await pictures(), viewersMax: 3 });
    const cookie = await logIn(server, password);
    const other = await logIn(server, password);
    const open = async (headers: Record<string, string>) => {
      const viewer = connectTo(server, '/picture?camera=gate', { headers });
      await once(viewer, 'message');
      return viewer;
    };
    const mine = await open({ cookie });
    const theirs = await open({ cookie: other });
    const programs = await open({ authorization: `Bearer ${token}` });
    const closed = once(mine, 'close');
    const headers = { cookie, origin: originOf(server) };
    const reply = await ask(server, '/logout', { method: 'POST', headers });
    expect([reply.status, reply.headers['set-cookie']]).toEqual([
      204,
      [expect.stringContaining('=; Path=/; Max-Age=0;')],
    ]);
    await closed;
    expect((await ask(server, '/metrics', { headers: { cookie } })).status).toBe(401);
    expect((await ask(server, '/metrics', { headers: { cookie: other } })).status).toBe(200);
    expect([theirs.readyState, programs.readyState]).toEqual([1, 1]);
  });
});

describe('a bearer token', () => {
  it('lets programs in', async () => {
    const { server } = await locked();
    const status = async (authorization: string): Promise<unknown> =>
      (await ask(server, '/metrics', { headers: { authorization } })).status;
    expect(await status(`Bearer ${token}`)).toBe(200);
    expect(await status(`bearer ${token}`)).toBe(200);
    for (const wrong of [token, `Bearer ${password}`, 'Bearer x', 'Bearer ', `Basic ${token}`]) {
      expect(await status(wrong), wrong).toBe(401);
    }
  });

  it('is no password, and no password is a token', async () => {
    const { server } = await locked({ password: null });
    expect((await ask(server, '/login', { json: { password: token } })).status).toBe(401);
    const { server: other } = await locked({ token: null });
    const headers = { authorization: `Bearer ${password}` };
    expect((await ask(other, '/metrics', { headers })).status).toBe(401);
  });
});

describe('requests that change something', () => {
  it.each([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('are refused from another site: %j', async (headers) => {
    const { server } = await locked();
    for (const path of ['/login', '/logout']) {
      const { status, body } = await ask(server, path, {
        body: JSON.stringify({ password }),
        headers: { 'content-type': 'application/json', ...headers },
      });
      expect([path, status]).toEqual([path, 403]);
      expect(JSON.parse(body)).toMatchObject({ code: 'request_invalid' });
    }
  });

  it('may come from a program, which names no origin', async () => {
    const { server } = await locked();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ password });
    expect((await ask(server, '/login', { body, headers })).status).toBe(204);
  });
});

describe('an engine that others can reach', () => {
  it.each([
    { host: '0.0.0.0' },
    { host: '::' },
    { host: '192.0.2.1' },
    { host: '127.evil.example' },
    { publicUrl: 'https://watch.example' },
  ])('does not start without a login: %j', async (more) => {
    const bad = httpForTest(more);
    await expect(bad).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('http.password') as unknown,
    });
  });

  it('starts with one, and answers to any name', async () => {
    const { server } = await locked({ host: '0.0.0.0' });
    const headers = { host: 'nas.example:9700', origin: 'http://nas.example:9700' };
    expect((await ask(server, '/login', { json: { password }, headers })).status).toBe(204);
    expect((await ask(server, '/metrics', { headers })).status).toBe(401);
  });

  it.each([{ password: 'short' }, { password: '' }, { token: 'short' }, { token: 'ü'.repeat(20) }])(
    'does not start with a secret that is none: %j',
    async (more) => {
      await expect(httpForTest(more)).rejects.toMatchObject({ code: 'config_invalid' });
    },
  );
});
