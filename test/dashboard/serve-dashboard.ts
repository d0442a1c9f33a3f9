/** The page, stills, live pictures and the way to NATS on one port, as the engine serves them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createCanvas } from '@napi-rs/canvas';
import { WebSocket, WebSocketServer } from 'ws';
import { site } from './made-up-camera.js';

export interface ServedDashboard {
  readonly url: string;
  /** Live pictures that are being watched. */
  readonly viewers: () => number;
  /** Ends every connection and answers nothing, or goes on. */
  readonly shut: (isShut: boolean) => void;
  close(): Promise<void>;
}

const dist = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));
const viewersMax = 4;
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param natsUrl WebSocket of the NATS server */
export async function serveDashboard(natsUrl: string): Promise<ServedDashboard> {
  let isShut = false;
  const png = madeUpStill();
  const sockets = new Set<Duplex>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (isShut) {
      request.socket.destroy();
      return;
    }
    const reply = (status: number, type: string, body: string | Buffer, more = {}): void => {
      response.writeHead(status, {
        'content-type': type,
        'content-security-policy': policy,
        ...more,
      });
      response.end(body);
    };
    if (pathname === '/session') return reply(200, 'application/json', JSON.stringify(session));
    if (pathname === '/still') {
      const at = searchParams.get('at') ?? new Date().toISOString();
      return reply(200, 'image/png', png, { 'x-lookahead-at': at });
    }
    const file = join(dist, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return reply(404, 'text/plain', 'nothing here');
    reply(200, types[extname(file)] ?? 'application/octet-stream', readFileSync(file));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const viewers = new Set<WebSocket>();
  const upgrades = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    upgrades.handleUpgrade(request, socket, head, (viewer) => {
      if (request.url?.startsWith('/picture') === true) {
        viewers.add(viewer);
        viewer.on('close', () => viewers.delete(viewer));
        playTestPicture(viewer);
      } else passOn(natsUrl, viewer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const endAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${port}/`,
    viewers: () => viewers.size,
    shut: (now) => {
      isShut = now;
      if (now) endAll();
    },
    close: async () => {
      endAll();
      upgrades.close();
      server.close();
      await once(server, 'close');
    },
  };
}

const session = {
  schema: 'lookahead.session.v1',
  needsLogin: false,
  isLoggedIn: true,
  version: '0.1.0',
  engine: { site, viewersMax, nats: { user: null, password: null }, natsHindrance: null },
};

function passOn(url: string, viewer: WebSocket): void {
  const source = new WebSocket(url);
  const waiting: Buffer[] = [];
  viewer.on('message', (data: Buffer) => {
    if (source.readyState === WebSocket.OPEN) source.send(data);
    else waiting.push(data);
  });
  source.on('open', () => waiting.forEach((data) => source.send(data)));
  source.on('message', (data) => viewer.send(data, { binary: true }));
  const end = (): void => {
    source.terminate();
    viewer.terminate();
  };
  for (const socket of [source, viewer]) socket.on('error', end).on('close', end);
}

/** What node-rtsp-stream would send, of a test card. */
function playTestPicture(viewer: WebSocket): void {
  const args =
    '-v error -re -f lavfi -i testsrc=size=320x180:rate=25 -c:v mpeg1video -bf 0 -f mpegts -';
  const child = spawn('ffmpeg', args.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.on('data', (data: Buffer) => viewer.send(data));
  child.on('error', () => viewer.terminate());
  child.on('close', () => viewer.terminate());
  viewer.on('close', () => child.kill('SIGKILL'));
}

/** 160 x 96 with three black rows above and below, as the models see a picture of 16:9. */
function madeUpStill(): Buffer {
  const canvas = createCanvas(160, 96);
  const context = canvas.getContext('2d');
  const area = (colour: string, x: number, y: number, width: number, height: number): void => {
    context.fillStyle = colour;
    context.fillRect(x, y + 3, width, height);
  };
  context.fillStyle = '#000';
  context.fillRect(0, 0, 160, 96);
  area('#8d7a66', 0, 0, 160, 40);
  area('#b9b2a6', 0, 40, 160, 8);
  area('#5b5f66', 0, 48, 160, 22);
  area('#5d8a4a', 0, 70, 160, 20);
  area('#c9a94f', 19, 13, 32, 25);
  area('#5f8f73', 96, 18, 13, 22);
  return canvas.toBuffer('image/png');
}
