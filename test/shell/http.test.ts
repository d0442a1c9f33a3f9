import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';
import { Subject } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { LookaheadError } from '../../src/errors.js';
import { startHttp, type HttpOptions, type HttpServer } from '../../src/http/server.js';
import type { Message } from '../../src/messages.js';

const messages = new Subject<Message>();
const hindrances: string[] = [];
let released = 0;
let source: WebSocketServer;
let server: HttpServer;

const options = (more: Partial<HttpOptions> = {}): HttpOptions => ({
  host: '127.0.0.1',
  port: 0,
  metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('x 1\n') },
  hindrances: () => hindrances,
  version: '1.2.3',
  site: 'home',
  dashboardDir: 'dist/dashboard',
  viewersMax: 1,
  ...more,
});

beforeAll(async () => {
  source = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(source, 'listening');
  source.on('connection', (viewer) => viewer.send(Buffer.from('picture')));
  const url = `ws://127.0.0.1:${(source.address() as AddressInfo).port}`;
  server = await startHttp(
    options({
      pictures: {
        open: (camera) =>
          camera === 'gate'
            ? Promise.resolve({ url, release: () => released++ })
            : Promise.reject(new Error('unknown')),
      },
    }),
  );
});

afterAll(async () => {
  await server.close();
  source.close();
});

interface Reply {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Sends the path as it is; fetch would tidy it up. */
function ask(path: string, more: { method?: string; host?: string } = {}): Promise<Reply> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path,
        method: more.method ?? 'GET',
        headers: more.host === undefined ? {} : { host: more.host },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('the page', () => {
  it.each(['/', '/page.js', '/page.css', '/jsmpeg.js'])(
    '%s comes with headers that keep everything foreign out',
    async (path) => {
      const { status, headers } = await ask(path);
      expect(status).toBe(200);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  it('asks for nothing from elsewhere and puts no text in as markup', async () => {
    const html = (await ask('/')).body;
    const script = (await ask('/page.js')).body;
    expect(html + script).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script(?![^>]* src="\/)/);
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
  });
});

describe('requests', () => {
  it.each([
    ['/../../etc/passwd', 404],
    ['/%2e%2e%2fetc/passwd', 404],
    ['//host', 404],
    ['/picture', 404],
    ['/events?camera=a.b', 400],
    ['/events?camera=a&camera=b', 400],
    ['/?limit=1e999', 400],
    ['/?a[]=1', 400],
  ])('%s gets %i', async (path, status) => {
    expect((await ask(path)).status).toBe(status);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('%s gets 405', async (method) => {
    const { status, headers } = await ask('/', { method });
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
    'for the host %j are refused on loopback',
    async (host) => expect((await ask('/', { host })).status).toBeGreaterThanOrEqual(400),
  );

  it.each(['localhost:1', '127.0.0.1', '[::1]:9'])('for the host %s are answered', async (host) => {
    expect((await ask('/', { host })).status).toBe(200);
  });

  it('that are no HTTP get a plain answer', async () => {
    const socket = createConnection(Number(new URL(server.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('400 Bad Request');
  });
});

describe('health', () => {
  it('is alive, ready, and says why when it is not', async () => {
    expect((await ask('/livez')).body).toBe('alive\n');
    expect((await ask('/readyz')).status).toBe(200);
    hindrances.push('no camera is online');
    const { status, body } = await ask('/readyz');
    hindrances.pop();
    expect([status, body]).toEqual([503, 'no camera is online\n']);
    expect((await ask('/metrics')).body).toBe('x 1\n');
  });
});

describe('events', () => {
  it('bring the cameras first, then messages as they come, without scenes and what begins at all', async () => {
    const response = await fetch(new URL('/events', server.url));
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (part: string): Promise<void> => {
      while (!text.includes(part)) text += (await reader.read()).value ?? '';
    };
    await until('event: cameras');
    const header = { site: 'home', camera: 'gate' };
    messages.next({ schema: 'lookahead.scene.v1', ...header } as Message);
    const within = { target: 'within', ...header } as const;
    messages.next({ schema: 'lookahead.forecast.v1', ...within } as Message);
    messages.next({ schema: 'lookahead.outcome.v1', ...within } as Message);
    messages.next({ schema: 'lookahead.state.v1', ...header, why: '<b>\n' } as Message);
    await until('event: state');
    for (const kind of ['scene', 'within', 'forecast', 'outcome'])
      expect(text).not.toContain(`event: ${kind}`);
    expect(text.split('\n').filter((line) => line.includes('<b>'))).toHaveLength(1);
    await reader.cancel();
  });
});

describe('pictures', () => {
  const watch = (camera: string, origin?: string): WebSocket => {
    const url = new URL(`/picture?camera=${camera}`, server.url.replace('http', 'ws'));
    return new WebSocket(url, origin === undefined ? {} : { origin });
  };
  const failure = async (socket: WebSocket): Promise<string> => {
    const [error] = (await once(socket, 'error')) as [Error];
    return error.message;
  };

  it('are passed on, and let go when the viewer leaves', async () => {
    const viewer = watch('gate', server.url.slice(0, -1));
    const [picture] = (await once(viewer, 'message')) as [Buffer];
    expect(picture.toString()).toBe('picture');
    expect(server.viewers).toBe(1);
    expect(await failure(watch('gate'))).toContain('503');
    viewer.close();
    await expect.poll(() => released).toBe(1);
    await expect.poll(() => server.viewers).toBe(0);
  });

  it('are refused to pages of other sites, and for unknown cameras', async () => {
    expect(await failure(watch('gate', 'http://evil.example'))).toContain('403');
    expect(await failure(watch('a.b'))).toContain('403');
    expect(await failure(watch('other'))).toContain('404');
  });
});

it('a taken port is named', async () => {
  const port = Number(new URL(server.url).port);
  const error: unknown = await startHttp(options({ port })).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LookaheadError);
  expect(error).toMatchObject({ code: 'port_taken' });
  expect(String(error)).toContain(String(port));
});
