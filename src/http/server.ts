/** Dashboard, its ways to NATS and pictures, cameras on request, metrics and health, on one port. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { LookaheadError, messageOf } from '../errors.js';
import { accessProblems, type Access } from './access.js';
import { cameraRoutes } from './camera-routes.js';
import { closeWith } from './close-with.js';
import { paths } from './contract.js';
import { dashboardRoutes } from './dashboard-files.js';
import { createGuard } from './guard.js';
import { healthRoutes, type HealthOptions } from './health-routes.js';
import { createLogin } from './login.js';
import { proxyNats } from './nats-proxy.js';
import { showPictures, type LivePictures } from './pictures.js';
import type { CameraPort, NatsGate, Stills } from './ports.js';
import { failure, send } from './reply.js';
import { answer, askedOf, type Asked, type Routes } from './routes.js';
import { sessionRoutes } from './session-route.js';
import { stillRoutes } from './still-route.js';
import { answerUpgrades, type Upgrade } from './upgrades.js';

export interface HttpOptions extends Access, Pick<HealthOptions, 'metrics' | 'hindrances'> {
  /** 0: any free one. */
  readonly port: number;
  readonly version: string;
  readonly site: string;
  readonly viewersMax: number;
  /** Of the built dashboard. */
  readonly dashboardDir: string;
  /** What is absent is not served. */
  readonly pictures?: LivePictures | undefined;
  readonly stills?: Stills | undefined;
  readonly cameras?: CameraPort | undefined;
  readonly natsGate?: NatsGate | undefined;
  /** Programming errors; whoever asked is told nothing of them. */
  readonly onError?: (error: unknown) => void;
  /** Ms of a clock that never goes back. */
  readonly now?: () => number;
}

export interface HttpServer {
  readonly url: string;
  /** Live pictures that are being watched. */
  readonly viewers: number;
  close(): Promise<void>;
}

/**
 * Rejects with `port_taken`, or `config_invalid` where the address is none of this machine, or lets others in who need no
 * login.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const [problem] = accessProblems(options);
  if (problem !== undefined) {
    throw new LookaheadError(
      'config_invalid',
      `http.${problem.key}: ${problem.why}.`,
      'Correct it; deploy/lookahead.example.yaml explains every key.',
    );
  }
  const onError = options.onError ?? (() => undefined);
  const guard = createGuard(options);
  const now = options.now ?? (() => performance.now());
  let { port } = options;
  const login = createLogin(options, now, () => port);
  const asked = (request: IncomingMessage): Asked => askedOf(request, login);
  const routes: Routes = new Map([
    ...dashboardRoutes(options.dashboardDir),
    ...login.routes,
    ...healthRoutes({ ...options, access: options, login }),
    ...sessionRoutes({ ...options, login }),
    ...stillRoutes(options.stills),
    ...cameraRoutes(options.cameras),
  ]);
  const server = createServer(limits, (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const { host } = request.headers;
    const one = asked(request);
    answer(one, routes, guard)
      .catch((error: unknown) => {
        const reply = failure(error, one.path);
        if (reply.status === 500) onError(error);
        return reply;
      })
      .then((reply) => send(response, reply, host))
      .catch(onError);
  });
  server.maxConnections = 256;
  server.on('clientError', ({ code }: NodeJS.ErrnoException, socket) => {
    const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[code ?? ''] ?? 400;
    if (socket.writable) closeWith(socket, status);
  });
  const upgrades = new Map<string, Upgrade>();
  const { pictures, natsGate } = options;
  const shown = pictures === undefined ? undefined : showPictures(pictures, options.viewersMax);
  if (shown !== undefined) upgrades.set(paths.picture, shown.upgrade);
  if (natsGate !== undefined) upgrades.set(paths.nats, proxyNats(natsGate));
  const endUpgrades = answerUpgrades(server, { upgrades, guard, askedOf: asked, onError });

  try {
    await listen(server, options);
  } catch (error) {
    login.close();
    throw error;
  }
  // Such as no file descriptor left for one more connection: nobody listening to it would end the process.
  server.on('error', onError);
  ({ port } = server.address() as AddressInfo);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/`,
    get viewers() {
      return shown?.viewers ?? 0;
    },
    close: async () => {
      login.close();
      endUpgrades();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const limits = {
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  // Without it the two above are looked at only every 30 s.
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8_192,
};

async function listen(server: Server, { host, port }: HttpOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        new LookaheadError(
          taken ? 'port_taken' : 'config_invalid',
          taken
            ? `Port ${port} on ${host} is taken by another program (perhaps another Lookahead).`
            : `The page cannot listen on ${host}, port ${port}: ${messageOf(error)}.`,
          'Choose another one with --http-port PORT (0: any free one).',
          { cause: error },
        ),
      );
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}
