/** The broker of one engine: a server of its own where none is configured, and the connection. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Subscription } from 'rxjs';
import type { AppOptions } from './app.js';
import type { Closers } from './closers.js';
import type { Config } from './config.js';
import type { Console } from './console.js';
import { LookaheadError, messageOf } from './errors.js';
import type { Metrics } from './metrics/registry.js';
import { countBusEvent } from './metrics/report.js';
import { startNatsServer } from './nats-server.js';
import { addressFile, root } from './places.js';
import { busOptionsOf } from './sinks/bus-config.js';
import { connectBus, type Bus } from './sinks/bus.js';

/** The address of the server that was started beside us; undefined where one is configured. */
export async function openNatsServer(
  { config, tools, console }: AppOptions,
  closers: Closers,
): Promise<string | undefined> {
  if (config.nats.servers !== null) return undefined;
  const start = (port: number): ReturnType<typeof startNatsServer> =>
    startNatsServer({
      path: tools.natsServerPath,
      port,
      storeDir: config.nats.storeDir ?? join(root, '.cache/nats'),
    });
  const server = await start(config.nats.port).catch((error: unknown) => {
    // Many machines have a NATS server of their own on the usual port; ours goes elsewhere and says where.
    if (!(error instanceof LookaheadError) || error.code !== 'port_taken') throw error;
    if (config.nats.port !== 4222) throw error;
    console.log('warn', `${error.message} Another one is taken.`);
    return start(0);
  });
  let isClosing = false;
  void server.lost.then((how) => {
    if (!isClosing) console.log('error', `The NATS server is lost: ${how}. Start again.`);
  });
  closers.add(() => {
    isClosing = true;
    return server.close();
  });
  mkdirSync(dirname(addressFile), { recursive: true });
  writeFileSync(addressFile, server.url);
  closers.add(() => rmSync(addressFile, { force: true }));
  return server.url;
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
