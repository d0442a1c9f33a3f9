/** Live pictures on request: passes what a camera's viewer process sends on to browsers, over this server's own port. */
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { WebSocketServer, type WebSocket } from 'ws';
import { LookaheadError } from '../errors.js';
import { TokenSchema } from '../messages.js';
import { joinSockets, openSource } from './join-sockets.js';
import { keepAlive } from './keep-alive.js';
import { readQuery } from './query.js';
import { Refusal } from './reply.js';
import type { Upgrade } from './upgrades.js';

/** Where live pictures come from; the first viewer of a camera starts them, the last one ends them. */
export interface LivePictures {
  /** Rejects where the camera is unknown or has no picture. */
  open(camera: string): Promise<{ readonly url: string; readonly release: () => void }>;
}

/** Of MPEG-1 that a browser has not read; later pictures are of no use to it without the earlier ones. */
const unreadBytesMax = 2 << 20;

const QuerySchema = z.strictObject({ camera: TokenSchema });

export interface Pictures {
  /** Live pictures that are being watched. */
  readonly viewers: number;
  readonly upgrade: Upgrade;
}

export function showPictures(pictures: LivePictures, viewersMax: number): Pictures {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
  });
  let viewers = 0;
  return {
    get viewers() {
      return viewers;
    },
    upgrade: ({ request, query }, socket, head) => {
      const { camera } = readQuery(query, QuerySchema);
      if (viewers >= viewersMax) {
        throw new Refusal(
          503,
          'queue_full',
          `At most ${viewersMax} live pictures are shown at once.`,
          'Close one, or raise limits.viewersMax.',
        );
      }
      viewers += 1;
      socket.once('close', () => (viewers -= 1));
      // At once: a browser opens its WebSockets to an address one after the other, and a camera takes its time.
      sockets.handleUpgrade(request, socket, head, (viewer) => {
        viewer.on('error', () => viewer.terminate());
        keepAlive(viewer);
        show(pictures, camera, socket, viewer).catch((error: unknown) => {
          const code = error instanceof LookaheadError ? error.code : 'request_failed';
          viewer.close(internalError, code);
        });
      });
      return Promise.resolve();
    },
  };
}

/** Of RFC 6455: the server cannot do what was asked. */
const internalError = 1011;

async function show(
  pictures: LivePictures,
  camera: string,
  connection: Duplex,
  viewer: WebSocket,
): Promise<void> {
  const { url, release } = await pictures.open(camera);
  if (connection.destroyed) {
    release();
    return;
  }
  connection.once('close', release);
  const { socket: source, opened } = openSource(url, `The picture of ${camera}`, connection);
  await opened;
  joinSockets(viewer, source, { unreadBytesMax, isTwoWay: false });
}
