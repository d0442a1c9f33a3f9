/** Pictures for the page: a still, and a live one as node-rtsp-stream would send it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createCanvas } from '@napi-rs/canvas';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LivePictures } from '../../src/http/pictures.js';

export interface TestPictures extends LivePictures {
  close(): void;
}

/** Of every camera the same test card. */
export async function startTestPictures(): Promise<TestPictures> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', playTestCard);
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    open: () => Promise.resolve({ url, release: () => undefined }),
    close: () => {
      server.clients.forEach((viewer) => viewer.terminate());
      server.close();
    },
  };
}

function playTestCard(viewer: WebSocket): void {
  const args =
    '-v error -re -f lavfi -i testsrc=size=320x180:rate=25 -c:v mpeg1video -bf 0 -f mpegts -';
  const child = spawn('ffmpeg', args.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.on('data', (data: Buffer) => viewer.send(data));
  child.on('error', () => viewer.terminate());
  child.on('close', () => viewer.terminate());
  viewer.on('close', () => child.kill('SIGKILL'));
}

/** 160 x 90: a wall, a pavement, a road, a lawn, a gate and a door. */
export function madeUpStill(): Buffer {
  const canvas = createCanvas(160, 90);
  const context = canvas.getContext('2d');
  const area = (colour: string, x: number, y: number, width: number, height: number): void => {
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  };
  area('#8d7a66', 0, 0, 160, 40);
  area('#b9b2a6', 0, 40, 160, 8);
  area('#5b5f66', 0, 48, 160, 22);
  area('#5d8a4a', 0, 70, 160, 20);
  area('#c9a94f', 19, 13, 32, 25);
  area('#5f8f73', 96, 18, 13, 22);
  return canvas.toBuffer('image/png');
}
