/** From the configuration file's words to the bus's. */
import type { Config } from '../config.js';
import { type BusLimits, type BusOptions, defaultBusLimits } from './bus.js';
import { storedKinds, type StreamBudgets } from './streams.js';

const hourMs = 3_600_000;
const mebibyte = 2 ** 20;

/** `localUrl`: the server beside the engine, for a configuration that names none. */
export function busOptionsOf(
  config: Pick<Config, 'site' | 'nats' | 'limits'>,
  localUrl = `nats://127.0.0.1:${String(config.nats.port)}`,
): BusOptions & { limits: BusLimits } {
  const { servers, user, password, token, credsFile, caFile, inboxPrefix, streams } = config.nats;
  const budgets = storedKinds.map((kind) => {
    const { maxAgeH, maxMib } = streams[kind];
    return [kind, { maxAgeMs: Math.round(maxAgeH * hourMs), maxBytes: maxMib * mebibyte }] as const;
  });
  return {
    site: config.site,
    servers: servers ?? [localUrl],
    inboxPrefix,
    // The server beside the engine knows no logins, and refuses one that it does not know.
    ...(servers === null
      ? {}
      : {
          user: user ?? undefined,
          pass: password ?? undefined,
          token: token ?? undefined,
          creds: credsFile ?? undefined,
          caFile: caFile ?? undefined,
        }),
    limits: {
      ...defaultBusLimits,
      outboxMessagesMax: config.limits.outboxMessages,
      outboxBytesMax: config.limits.outboxMib * mebibyte,
      streams: Object.fromEntries(budgets) as unknown as StreamBudgets,
    },
  };
}
