/** Makes one connection of two WebSockets: ours to a server, and a browser's to us. If one closes, so does the other. */
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

/** Paused, so that the first message waits for whoever is to get it. Rejects with a Refusal of status 502. */
export function openSource(
  url: string,
  whose: string,
): { socket: WebSocket; opened: Promise<void> } {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: handshakeMs,
    maxPayload: messageBytesMax,
  });
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
  viewer.once('close', () => source.close());
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
