/** The page and its one live connection, on loopback alone. No framework, no login. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { LookaheadError } from '../../errors.js';
import { viewersMax } from './viewers.js';
import type { Viewers } from './viewers.js';

const host = '127.0.0.1';

const headers = {
  // Nothing from elsewhere, nothing inline.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/bars.js': ['bars.js', 'text/javascript; charset=utf-8'],
  '/colours.js': ['colours.js', 'text/javascript; charset=utf-8'],
  '/log.js': ['log.js', 'text/javascript; charset=utf-8'],
  '/picture.js': ['picture.js', 'text/javascript; charset=utf-8'],
  '/trace.js': ['trace.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface PageServerOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly viewers: Viewers;
  /** What /yard.json tells: the cameras and their addresses. */
  readonly facts: object;
}

/** Rejects with `port_taken`. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { port, viewers, facts } = options;
  const answers = new Map<string, readonly [body: Buffer, type: string]>(
    Object.entries(files).map(([path, [file, type]]) => [path, [asset(file), type]]),
  );
  answers.set('/yard.json', [
    Buffer.from(`${JSON.stringify(facts, null, 1)}\n`),
    'application/json',
  ]);
  const server = createServer(
    { requestTimeout: 10_000, maxHeaderSize: 8_192 },
    (request, reply) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const answer = answers.get(request.url?.split('?')[0] ?? '');
      if (!isOurs(request)) refuse(reply, 403, 'This host is not served here.');
      else if (answer === undefined) refuse(reply, 404, 'There is nothing here.');
      else if (!isRead) refuse(reply, 405, 'Only GET and HEAD are answered.');
      else {
        const [body, type] = answer;
        reply.writeHead(200, { ...headers, 'content-type': type, 'content-length': body.length });
        reply.end(body);
      }
    },
  );
  server.maxConnections = 64;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const isKnown = isOurs(request) && isSameOrigin(request) && request.url === '/live';
    if (!isKnown) socket.end(refusal('403 Forbidden'));
    else if (viewers.count >= viewersMax) socket.end(refusal('503 Service Unavailable'));
    else sockets.handleUpgrade(request, socket, head, (viewer) => viewers.add(viewer));
  });
  await new Promise<void>((resolve, reject) => {
    // After it listens, rejecting does nothing: a viewer that cannot be let in does not end the others.
    server.on('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE' ? portTaken(port, cause) : cause);
    });
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      viewers.close();
      sockets.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `src/yard/watch` and `dist/yard/watch` lie equally deep; files for the browser are served from the source. */
function asset(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../../src/yard/watch/${name}`, import.meta.url)));
}

/** The name must be this machine's: a page of another site could otherwise point its own name at 127.0.0.1 and read along. */
function isOurs({ headers: { host: asked = '' } }: IncomingMessage): boolean {
  const name = asked.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || (name.startsWith('127.') && isIP(name) === 4);
}

/** Browsers send the origin with every upgrade; other programs need not. */
function isSameOrigin({ headers: { origin, host: asked } }: IncomingMessage): boolean {
  return origin === undefined || origin === `http://${asked ?? ''}`;
}

const refusal = (status: string): string =>
  `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;

function refuse(reply: ServerResponse, status: number, text: string): void {
  reply.writeHead(status, {
    ...headers,
    'content-type': 'text/plain; charset=utf-8',
    connection: 'close',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  reply.end(`${text}\n`);
}

function portTaken(port: number, cause: Error): LookaheadError {
  return new LookaheadError(
    'port_taken',
    `The page's port ${port} is already in use.`,
    'Choose another one with --port PORT (0: any free one).',
    { cause },
  );
}
