/** The dashboard's way to NATS over this server's own port, so that one address, one login and one certificate do. */
import { WebSocketServer } from 'ws';
import { joinSockets, openSource } from './join-sockets.js';
import { keepAlive } from './keep-alive.js';
import type { NatsGate } from './ports.js';
import { Refusal } from './reply.js';
import type { Upgrade } from './upgrades.js';

const clientsMax = 64;

/** NATS cuts slow readers too, but knows only what this proxy reads. */
const unreadBytesMax = 8 << 20;

/** The dashboard only asks; NATS's own bound on a message is 1 MiB. */
const messageBytesMax = 2 << 20;

/**
 * Bytes pass as they are. Which of them a client may send is the server's affair: the dashboard's account reads and asks, and
 * no other password leaves the engine.
 */
export function proxyNats(gate: NatsGate): Upgrade {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
  });
  let clients = 0;
  return async ({ request }, socket, head) => {
    const way = gate.address();
    if ('hindrance' in way) {
      throw new Refusal(503, 'broker_unreachable', way.hindrance, 'See GET /session.');
    }
    if (clients >= clientsMax) {
      throw new Refusal(
        503,
        'queue_full',
        `At most ${clientsMax} pages are connected at once.`,
        'Close one.',
      );
    }
    clients += 1;
    socket.once('close', () => (clients -= 1));
    const { socket: source, opened } = openSource(way.url, 'The NATS server', socket, way.ca);
    await opened;
    sockets.handleUpgrade(request, socket, head, (client) => {
      keepAlive(client);
      joinSockets(client, source, { unreadBytesMax, isTwoWay: true });
    });
  };
}
