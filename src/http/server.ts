/** Live page, events, pictures, metrics and health on one port. No framework, no login: it belongs on loopback. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { isIP, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { LookaheadError, messageOf } from '../errors.js';
import { TokenSchema, type Message } from '../messages.js';
import { streamEvents, type CameraNow } from './events.js';
import { proxyPictures, type LivePictures } from './pictures.js';

export interface HttpOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
  /** What keeps the engine from being ready; empty: it is. */
  readonly hindrances: () => readonly string[];
  readonly cameras: () => readonly CameraNow[];
  readonly messages$: Observable<Message>;
  /** Absent: the page shows no pictures. */
  readonly pictures?: LivePictures;
  readonly viewersMax: number;
}

export interface HttpServer {
  readonly url: string;
  /** Live pictures that are being watched. */
  readonly viewers: number;
  close(): Promise<void>;
}

const headers = {
  // Nothing from elsewhere, nothing inline: what a model or a camera says can never become a script.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const QuerySchema = z.strictObject({ camera: TokenSchema.optional() });

type Answer = (request: IncomingMessage, response: ServerResponse, query: Query) => void;
type Query = z.infer<typeof QuerySchema>;

/** Rejects with `port_taken`, or `config_invalid` where the address is none of this machine. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const answers = routes(options);
  const server = createServer(
    {
      requestTimeout: 10_000,
      headersTimeout: 5_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      const known = refusal(request, options.host) ?? find(request, answers);
      if (typeof known === 'function') known(request, response);
      else
        send(response, known.status, 'text/plain; charset=utf-8', `${known.text}\n`, known.allow);
    },
  );
  server.maxConnections = 256;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  const viewers = proxyPictures(server, {
    pictures: options.pictures,
    viewersMax: options.viewersMax,
    cameraOf: (request) => {
      if (refusal(request, options.host) !== undefined || !isSameOrigin(request)) return undefined;
      const { path, query } = parse(request);
      return path === '/picture' ? query?.camera : undefined;
    },
  });

  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/`,
    get viewers() {
      return viewers.count;
    },
    close: async () => {
      viewers.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, { host, port }: HttpOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        new LookaheadError(
          taken ? 'port_taken' : 'config_invalid',
          taken
            ? `Port ${port} on ${host} is taken by another program (perhaps another Lookahead).`
            : `The page cannot listen on ${host}, port ${port}: ${messageOf(error)}.`,
          'Choose another one with --http-port PORT (0: any free one).',
          { cause: error },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly allow?: string;
}

/**
 * On loopback the host must be this machine's: a page of another site could otherwise point its own name at 127.0.0.1
 * and read what is served here.
 */
function refusal(request: IncomingMessage, boundTo: string): Refusal | undefined {
  const isLoopback = boundTo === 'localhost' || boundTo === '::1' || boundTo.startsWith('127.');
  const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d+)?$/i.exec(request.headers.host ?? '')?.[1];
  const bare = name?.replace(/^\[|\]$/g, '').toLowerCase();
  if (
    isLoopback &&
    !(bare === 'localhost' || bare === '::1' || (bare?.startsWith('127.') && isIP(bare) === 4))
  ) {
    return { status: 403, text: 'This host is not served here.' };
  }
  return undefined;
}

/** Browsers send the origin with every upgrade; other programs need not. */
function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return origin === undefined || origin === `http://${host ?? ''}`;
}

function parse(request: IncomingMessage): { path: string; query: Query | undefined } {
  const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s);
  const parameters = [...new URLSearchParams(search)];
  const isOnce = new Set(parameters.map(([name]) => name)).size === parameters.length;
  const query = QuerySchema.safeParse(Object.fromEntries(parameters));
  return { path, query: isOnce && query.success ? query.data : undefined };
}

function find(
  request: IncomingMessage,
  answers: ReadonlyMap<string, Answer>,
): Refusal | ((request: IncomingMessage, response: ServerResponse) => void) {
  const { path, query } = parse(request);
  const answer = answers.get(path);
  if (answer === undefined) return { status: 404, text: 'There is nothing here.' };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, text: 'Only GET and HEAD are answered.', allow: 'GET, HEAD' };
  }
  if (query === undefined) return { status: 400, text: 'The query is not valid.' };
  return (incoming, response) => answer(incoming, response, query);
}

function routes(options: HttpOptions): ReadonlyMap<string, Answer> {
  const page = (file: string, type: string): Answer => {
    const content = readFileSync(file);
    return (_request, response) => send(response, 200, type, content);
  };
  const events = streamEvents(options);
  return new Map<string, Answer>([
    ['/', page(asset('page.html'), 'text/html; charset=utf-8')],
    ['/page.js', page(asset('page.js'), 'text/javascript; charset=utf-8')],
    ['/page.css', page(asset('page.css'), 'text/css; charset=utf-8')],
    ['/jsmpeg.js', page(decoderPath(), 'text/javascript; charset=utf-8')],
    [
      '/events',
      (request, response, { camera }) => {
        if (request.method === 'HEAD') send(response, 200, 'text/event-stream', '');
        else events(response, headers, camera);
      },
    ],
    [
      '/metrics',
      (_request, response) => {
        options.metrics.text().then(
          (text) => send(response, 200, options.metrics.contentType, text),
          (error: unknown) => send(response, 500, 'text/plain', `${messageOf(error)}\n`),
        );
      },
    ],
    ['/livez', (_request, response) => send(response, 200, 'text/plain', 'alive\n')],
    [
      '/readyz',
      (_request, response) => {
        const why = options.hindrances();
        const text = why.length === 0 ? 'ready' : why.join('\n');
        send(response, why.length === 0 ? 200 : 503, 'text/plain; charset=utf-8', `${text}\n`);
      },
    ],
  ]);
}

/** `src/http` and `dist/http` lie equally deep; files for the browser are served from the source. */
function asset(name: string): string {
  return fileURLToPath(new URL(`../../src/http/${name}`, import.meta.url));
}

/** The MPEG-1 decoder that the browser needs for what node-rtsp-stream sends. */
function decoderPath(): string {
  const main = createRequire(import.meta.url).resolve('@cycjimmy/jsmpeg-player');
  return join(dirname(main), 'jsmpeg-player.esm.js');
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  allow?: string,
): void {
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(allow === undefined ? {} : { allow }),
    // A body that was sent along is not read, so the connection cannot be used again.
    ...(status >= 400 ? { connection: 'close' } : {}),
  });
  response.end(body);
}
