/** Live pictures on request: passes what a camera's viewer process sends on to browsers, over this server's own port. */
import { z } from 'zod';
import { WebSocketServer } from 'ws';
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
    upgrade: async ({ request, query }, socket, head) => {
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
      const { url, release } = await pictures.open(camera);
      if (socket.destroyed) {
        release();
        return;
      }
      const { socket: source, opened } = openSource(url, `The picture of ${camera}`, socket);
      socket.once('close', release);
      await opened;
      sockets.handleUpgrade(request, socket, head, (viewer) => {
        keepAlive(viewer);
        joinSockets(viewer, source, { unreadBytesMax, isTwoWay: false });
      });
    },
  };
}
