/** Whether a NATS server answers at all, before its client is let loose on it. */
import { createConnection } from 'node:net';
import { messageOf } from '../errors.js';
import type { BrokerServer } from './broker-address.js';

/**
 * Resolves with undefined when the server says hello, else with the reason. The nats package leaves a socket open for
 * good each time it tries a server that accepts and stays silent (2.29.3: one for each try), as a frozen one does.
 */
export function greeting(
  server: BrokerServer,
  limitMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: server.host, port: server.port });
    const settle = (reason: string | undefined): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(reason);
    };
    const stop = (): void => settle('we are leaving');
    const limit = setTimeout(() => settle(`it is silent (${limitMs} ms)`), limitMs);
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', (error) => settle(messageOf(error)));
    socket.on('close', () => settle('it closed the connection'));
    socket.on('data', (data) => {
      settle(data.toString('latin1').startsWith('INFO') ? undefined : 'it is no NATS server');
    });
  });
}
