/** The last words to a connection that nobody here will speak to: a status, and the end. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** It is not left to the other side to close. */
export function closeWith(socket: Duplex, status: number): void {
  socket.once('finish', () => socket.destroy());
  const line = `${status} ${STATUS_CODES[status] ?? ''}`;
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
