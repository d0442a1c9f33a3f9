/** Makes one connection of two WebSockets: a browser's to us, and ours to a server. If one ends, so does the other. */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { Refusal } from './reply.js';

export interface JoinOptions {
  /** What a side has not read may come to so much; beyond it both are cut. */
  readonly unreadBytesMax: number;
  /** Whether what the browser says is passed on too. */
  readonly isTwoWay: boolean;
}

const handshakeMs = 5_000;
const messageBytesMax = 16 << 20;

/**
 * Ends with the viewer's connection. `ca`: certificates (PEM) of who vouches for the server, instead of the system's. It is paused, so that the first message waits for whoever is to get it. `opened` rejects
 * with a Refusal of status 502.
 */
export function openSource(
  url: string,
  whose: string,
  viewer: Duplex,
  ca?: string,
): { socket: WebSocket; opened: Promise<void> } {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: handshakeMs,
    maxPayload: messageBytesMax,
    ...(ca === undefined ? {} : { ca }),
  });
  viewer.once('close', () => socket.terminate());
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve();
    });
    socket.on('error', () =>
      reject(
        new Refusal(
          502,
          'request_failed',
          `${whose} does not let the engine in.`,
          'See the log of the engine.',
        ),
      ),
    );
  });
  return { socket, opened };
}

/** `source` as `openSource` gives it. */
export function joinSockets(viewer: WebSocket, source: WebSocket, options: JoinOptions): void {
  const cut = (): void => {
    viewer.terminate();
    source.terminate();
  };
  passOn(source, viewer, options.unreadBytesMax, cut);
  if (options.isTwoWay) passOn(viewer, source, options.unreadBytesMax, cut);
  for (const socket of [viewer, source]) socket.on('error', cut);
  // What is still on its way, such as the reason for the end, arrives first.
  source.once('close', () => viewer.close());
  source.resume();
}

function passOn(from: WebSocket, to: WebSocket, unreadBytesMax: number, cut: () => void): void {
  from.on('message', (data, isBinary) => {
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(data, { binary: isBinary });
    if (to.bufferedAmount > unreadBytesMax) cut();
  });
}
