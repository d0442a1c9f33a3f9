/** The broker of one engine: a server of its own where none is configured, and the connection. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Subscription } from 'rxjs';
import type { AppOptions } from './app.js';
import type { Closers } from './closers.js';
import type { Config } from './config.js';
import type { Console } from './console.js';
import { LookaheadError, messageOf } from './errors.js';
import type { Metrics } from './metrics/registry.js';
import { countBusEvent } from './metrics/report.js';
import { knownAddress, rememberAddress } from './nats-address.js';
import type { BesideServer } from './nats-gate.js';
import { startNatsServer, type NatsServer } from './nats-server.js';
import { defaultStoreDir } from './places.js';
import { busOptionsOf } from './sinks/bus-config.js';
import { connectBus, type Bus } from './sinks/bus.js';

const restartMs = 1_000;

/** The server that was started beside us; undefined where one is configured. */
export async function openNatsServer(
  { config, tools, console }: AppOptions,
  closers: Closers,
): Promise<BesideServer | undefined> {
  if (config.nats.servers !== null) return undefined;
  const storeDir = config.nats.storeDir ?? defaultStoreDir;
  const other = await knownAddress(storeDir);
  if (other !== undefined) {
    throw new LookaheadError(
      'config_invalid',
      `The store ${storeDir} is in use by another Lookahead, whose NATS server is ${other}.`,
      `Use that server with --nats ${other}, or another folder with --nats-store DIR.`,
    );
  }
  const dashboardPassword = randomBytes(32).toString('base64url');
  const start = (port: number, websocketPort = 0): Promise<NatsServer> =>
    startNatsServer({
      ...{ path: tools.natsServerPath, port, websocketPort },
      ...{ storeDir, site: config.site, dashboardPassword },
    });
  let server = await start(config.nats.port).catch((error: unknown) => {
    // Many machines have a NATS server of their own on the usual port; ours goes elsewhere and says where.
    if (!(error instanceof LookaheadError) || error.code !== 'port_taken') throw error;
    if (config.nats.port !== 4222) throw error;
    console.log('warn', `${error.message} Another one is taken.`);
    return start(0);
  });
  const { url } = server;
  closers.add(rememberAddress(storeDir, url));
  const closing = new AbortController();
  let websocketUrl: string | undefined = server.websocketUrl;
  const restartWhenLost = async (): Promise<void> => {
    for (;;) {
      const how = await server.lost;
      websocketUrl = undefined;
      await delay(restartMs, undefined, { signal: closing.signal });
      console.log('error', `The NATS server was lost (${how}); it is started again.`);
      const ports = [url, server.websocketUrl].map((address) => Number(new URL(address).port));
      const started = await start(...(ports as [number, number])).catch((error: unknown) => {
        console.log('error', messageOf(error));
        return undefined;
      });
      websocketUrl = started?.websocketUrl;
      server = started ?? server;
      if (closing.signal.aborted) return server.close();
    }
  };
  // Ends with the abort, which is the only way that it can end.
  const restarting = restartWhenLost().catch(() => undefined);
  closers.add(async () => {
    closing.abort();
    await server.close();
    await restarting;
  });
  return { url, dashboardPassword, websocketUrl: () => websocketUrl };
}

export async function openBus(
  config: Config,
  natsUrl: string | undefined,
  { closers, metrics, console }: { closers: Closers; metrics: Metrics; console: Console },
): Promise<Bus> {
  const bus = await connectBus(busOptionsOf(config, natsUrl));
  const watching = new Subscription();
  watching.add(
    bus.status$.subscribe({
      next: ({ state, why, error }) => {
        metrics.set('lookahead_broker_up', {}, state === 'connected' ? 1 : 0);
        if (state === 'closed' || state === 'connected') return;
        console.log(
          'warn',
          `NATS: ${state}: ${why}${error === undefined ? '' : ` ${error.remedy}`}`,
        );
      },
      error: (error: unknown) => console.log('error', messageOf(error)),
    }),
  );
  watching.add(
    bus.events$.subscribe({
      next: (event) => countBusEvent(metrics, event),
      error: (error: unknown) => console.log('error', messageOf(error)),
    }),
  );
  closers.add(async () => {
    await bus.close(config.limits.drainMs / 2);
    watching.unsubscribe();
  });
  return bus;
}
