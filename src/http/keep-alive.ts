/** Notices a peer that is gone without a word, as when a laptop is shut or a cable pulled. */
import type { WebSocket } from 'ws';

/** From one ping to the next; who has not answered by then is cut off. */
export const pingEveryMs = 30_000;

export function keepAlive(socket: WebSocket, everyMs = pingEveryMs): void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const pinging = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, everyMs);
  socket.once('close', () => clearInterval(pinging));
}
