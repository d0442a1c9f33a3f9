/** How the dashboard, which is a web page, reaches NATS: through a WebSocket, with a login that may only read and ask. */
import type { Config } from './config.js';
import type { NatsGate } from './http/ports.js';
import { parseServer, readLoginFile } from './sinks/broker-address.js';

/** The server that was started beside the engine. */
export interface BesideServer {
  readonly url: string;
  /** Of the user `dashboard`, who may only read and ask. */
  readonly dashboardPassword: string;
  /** Where its WebSocket listens now. Undefined: the server was lost and is being started again. */
  readonly websocketUrl: () => string | undefined;
}

/**
 * The engine's own login never gets out here: without one of its own the dashboard stays outside.
 *
 * @param beside asked at each call; undefined: not started yet
 * @throws LookaheadError config_invalid, config_unreadable
 */
export function natsGate(
  { nats }: Pick<Config, 'nats'>,
  beside: () => BesideServer | undefined,
): NatsGate {
  if (nats.servers === null) {
    return {
      address: () => {
        const server = beside();
        const url = server?.websocketUrl();
        if (server !== undefined && url !== undefined) {
          return { url, user: 'dashboard', password: server.dashboardPassword };
        }
        return { hindrance: 'The NATS server beside the engine is being started. Wait for it.' };
      },
    };
  }
  const { websocket: url, dashboardUser: user, dashboardPassword: password } = nats;
  const engineUsers = [nats.user, ...nats.servers.map((server) => parseServer(server).user)];
  if (user !== null && engineUsers.includes(user)) {
    const hindrance =
      "nats.dashboardUser is the engine's own user, which the dashboard must not have. Set it to a login that may only read (deploy/nats/README.md).";
    return { address: () => ({ hindrance }) };
  }
  if (url !== null) {
    const ca = nats.caFile === null ? undefined : readLoginFile('CA', nats.caFile).toString('utf8');
    return { address: () => ({ url, user, password, ...(ca === undefined ? {} : { ca }) }) };
  }
  const hindrance =
    'nats.websocket is not set: a browser has no way to the configured NATS server. Set it to the address of its WebSocket listener, and nats.dashboardUser and nats.dashboardPassword to a login that may only read (deploy/nats/README.md).';
  return { address: () => ({ hindrance }) };
}
