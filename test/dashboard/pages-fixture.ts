/** What the pages need round them: a NATS server with a WebSocket, messages, an engine that is made up, and a browser. */
import { createCanvas } from '@napi-rs/canvas';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { WebSocket, WebSocketServer } from 'ws';
import { paths, type Session } from '../../src/http/contract.js';
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import type { CameraList } from '../../src/sinks/services.js';
import { heartbeat } from '../support/messages.js';
import { startNatsServer } from '../support/nats-server.js';
import { optionalTool } from '../shell/optional-tool.js';

export const chromiumPath = optionalTool('chromium');

/** As the engine serves it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PagesFixture {
  readonly bus: Bus;
  /** Rows of `cameras.list`; a test may change them. */
  cameras: CameraList['cameras'];
  /** Answers what changes something; a test may put another one in its place. */
  answer: (asked: Asked) => Answer | Promise<Answer>;
  needsLogin: boolean;
  isLoggedIn: boolean;
  /** No way to NATS: what is open is cut, and nothing new is let through. */
  isCut: boolean;
  /** All that was asked with a body, in order. */
  readonly asked: Asked[];
  /** A page of its own; what it says on its console as an error is kept in `errors`. */
  open(hash: string, options?: OpenOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export interface OpenPage {
  readonly page: Page;
  readonly errors: readonly string[];
}

export function rowOf(
  camera: string,
  more: Partial<CameraList['cameras'][number]> = {},
): CameraList['cameras'][number] {
  return {
    camera,
    state: 'online',
    since: new Date().toISOString(),
    why: 'Pictures arrive.',
    origin: 'api',
    host: '192.0.2.7:554',
    privacyMasks: [],
    ...more,
  };
}

/** A picture of 160 by 90 pixels, as the engine's stills are. */
export function stillPng(): Buffer {
  const canvas = createCanvas(160, 90);
  const brush = canvas.getContext('2d');
  brush.fillStyle = '#5a7d5a';
  brush.fillRect(0, 0, 160, 90);
  brush.fillStyle = '#b0b0b0';
  brush.fillRect(0, 55, 160, 20);
  return canvas.toBuffer('image/png');
}

export async function startPages(): Promise<PagesFixture> {
  const webSocketPort = await freePort();
  const nats = await startNatsServer({ config: natsConfig(webSocketPort) });
  const bus = await connectBus({ servers: [nats.url], site: 'test' });
  await bus.ready(10_000);
  const browser = await chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: ['--no-sandbox'],
  });

  const fixture: Omit<PagesFixture, 'open' | 'close'> = {
    bus,
    cameras: [rowOf('gate'), rowOf('yard', { origin: 'file' })],
    answer: () => ({ status: 204 }),
    needsLogin: false,
    isLoggedIn: true,
    isCut: false,
    asked: [],
  };
  bus.serve('cameras.list', 'The cameras.', () => ({
    schema: 'lookahead.cameras.v1',
    site: 'test',
    cameras: fixture.cameras,
  }));
  let sequence = 0;
  const beating = setInterval(() => {
    const states = Object.fromEntries(fixture.cameras.map(({ camera, state }) => [camera, state]));
    bus.heartbeat(heartbeat(sequence++, { at: new Date().toISOString(), cameras: states }));
  }, 500);

  const png = stillPng();
  const server = createServer((request, response) => {
    void serve(fixture, png, request, response);
  });
  server.on(
    'upgrade',
    passOn(webSocketPort, () => fixture.isCut),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return Object.assign(fixture, {
    open: (hash: string, options?: OpenOptions) =>
      openPage(browser, `http://127.0.0.1:${String(port)}/${hash}`, options),
    close: async () => {
      clearInterval(beating);
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await bus.close(0);
      await nats.remove();
    },
  });
}

/** The read-only account of dashboards, as the engine sets it up. */
function natsConfig(webSocketPort: number): string {
  const kinds = ['forecast', 'within', 'event', 'outcome', 'scene', 'score', 'state'];
  const hears = [
    ...kinds.map((kind) => `lookahead.v1.*.*.${kind}`),
    'lookahead.v1.*.heartbeat',
    '_INBOX_dashboard.>',
  ];
  const says = [
    '$JS.API.DIRECT.GET.>',
    'lookahead.v1.*.svc.ask',
    'lookahead.v1.*.svc.cameras.list',
  ];
  return `
    websocket { listen: "127.0.0.1:${String(webSocketPort)}", no_tls: true, no_auth_user: dashboard }
    authorization { users = [
      { user: local, password: local-password }
      { user: dashboard, password: dashboard-password, permissions: {
        subscribe: { allow: ${JSON.stringify(hears)} }
        publish: { allow: ${JSON.stringify(says)} } } }
    ] }
    no_auth_user: local`;
}

async function freePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const dist = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

async function serve(
  fixture: Omit<PagesFixture, 'open' | 'close'>,
  png: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const end = (status: number, type: string, body?: string | Buffer, more = {}): void => {
    const headers = { 'content-type': type, 'content-security-policy': policy, ...more };
    response.writeHead(status, headers).end(body);
  };
  if (request.method !== 'GET') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const asked = { method: request.method ?? '', path: pathname, body };
    fixture.asked.push(asked);
    const answer = await fixture.answer(asked);
    const text = answer.body === undefined ? undefined : JSON.stringify(answer.body);
    end(answer.status, 'application/json', text, answer.headers);
  } else if (pathname === paths.session) {
    end(200, 'application/json', JSON.stringify(sessionOf(fixture)));
  } else if (pathname === paths.still) {
    end(200, 'image/png', png, { 'x-lookahead-at': new Date().toISOString() });
  } else {
    const name = pathname === '/' ? 'index.html' : pathname;
    try {
      const file = readFileSync(join(dist, name));
      end(200, types[extname(name)] ?? 'application/octet-stream', file);
    } catch {
      end(404, 'text/plain', 'There is nothing here.');
    }
  }
}

function sessionOf({
  needsLogin,
  isLoggedIn,
}: {
  needsLogin: boolean;
  isLoggedIn: boolean;
}): Session {
  const engine = {
    site: 'test',
    viewersMax: 0,
    nats: { user: null, password: null },
    natsHindrance: null,
  };
  return {
    schema: 'lookahead.session.v1',
    needsLogin,
    isLoggedIn,
    version: '0.1.0',
    engine: isLoggedIn ? engine : null,
  };
}

function passOn(webSocketPort: number, isCut: () => boolean) {
  const server = new WebSocketServer({ noServer: true });
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isCut() || !(request.url ?? '').startsWith(paths.nats)) {
      socket.destroy();
      return;
    }
    server.handleUpgrade(request, socket, head, (client) => {
      const behind = new WebSocket(`ws://127.0.0.1:${String(webSocketPort)}`);
      const waiting: Buffer[] = [];
      client.on('message', (data: Buffer) => {
        if (behind.readyState === WebSocket.OPEN) behind.send(data);
        else waiting.push(data);
      });
      behind.on('open', () => waiting.forEach((data) => behind.send(data)));
      behind.on('message', (data: Buffer) => {
        // A heartbeat comes twice a second.
        if (isCut()) client.terminate();
        else client.send(data, { binary: true });
      });
      for (const side of [client, behind]) {
        const end = (): void => {
          client.terminate();
          behind.terminate();
        };
        side.on('close', end).on('error', end);
      }
    });
  };
}

async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, colorScheme = 'light' }: OpenOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const errors: string[] = [];
  page.on('console', (message) => {
    // A refusal by the engine is told by the browser too, whatever the page does with it.
    const isRefusal = /^(Failed to load resource|WebSocket connection to)/.test(message.text());
    if (message.type() === 'error' && !isRefusal) errors.push(message.text());
  });
  page.on('pageerror', ({ message }) => errors.push(message));
  await page.goto(url);
  return { page, errors };
}
