/** Live pictures on request: passes what a camera's viewer process sends on to browsers, over this server's own port. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

/** Where live pictures come from; the first viewer of a camera starts them, the last one ends them. */
export interface LivePictures {
  /** Rejects where the camera is unknown or has no picture. */
  open(camera: string): Promise<{ readonly url: string; readonly release: () => void }>;
}

export interface PictureOptions {
  readonly pictures: LivePictures | undefined;
  readonly viewersMax: number;
  /** The camera that is asked for; undefined: refused. */
  readonly cameraOf: (request: IncomingMessage) => string | undefined;
}

/** Of MPEG-1 that a browser has not read; later pictures are of no use to it without the earlier ones. */
const unreadBytesMax = 2 << 20;

export interface Viewers {
  readonly count: number;
  /** Ends all. */
  close(): void;
}

/** Answers upgrade requests of the server. */
export function proxyPictures(server: Server, options: PictureOptions): Viewers {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
  });
  let viewers = 0;

  const refuse = (socket: Duplex, status: string): void => {
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const camera = options.cameraOf(request);
    if (camera === undefined || options.pictures === undefined)
      return refuse(socket, '403 Forbidden');
    if (viewers >= options.viewersMax) return refuse(socket, '503 Service Unavailable');
    viewers += 1;
    socket.once('close', () => (viewers -= 1));
    options.pictures.open(camera).then(
      ({ url, release }) => {
        socket.once('close', release);
        if (socket.destroyed) return release();
        sockets.handleUpgrade(request, socket, head, (viewer) => passOn(url, viewer));
      },
      () => refuse(socket, '404 Not Found'),
    );
  });

  return {
    get count() {
      return viewers;
    },
    close: () => {
      for (const viewer of sockets.clients) viewer.terminate();
      sockets.close();
    },
  };
}

function passOn(url: string, viewer: WebSocket): void {
  const source = new WebSocket(url, { perMessageDeflate: false });
  source.on('message', (data) => {
    viewer.send(data, { binary: true });
    if (viewer.bufferedAmount > unreadBytesMax) viewer.terminate();
  });
  const end = (): void => {
    source.terminate();
    viewer.terminate();
  };
  for (const socket of [source, viewer]) socket.on('error', end).on('close', end);
}
