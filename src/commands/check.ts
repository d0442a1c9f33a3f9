/** `check`: says whether a configuration is valid, and what it comes to. */
import { Document, isScalar, visit } from 'yaml';
import type { Config } from '../config.js';
import { sourceOf } from '../ingest/open-camera.js';
import { hidden, redactAddresses } from '../ingest/redact.js';
import { shownAddress } from '../sinks/webhook-config.js';
import { configFlags, configOf, readOptions, type Context } from './options.js';

const usage = './lookahead check [FILE] [--camera NAME=URL]…';

/**
 * Resolves with the exit status.
 * @throws LookaheadError config_*, usage, source_refused
 */
export function checkCommand(args: readonly string[], context: Context): number {
  const options = readOptions(args, configFlags, usage, 1);
  const config = configOf(options, context, options.positionals[0] ?? options.values['config']);
  for (const [name, { url, username, password }] of Object.entries(config.cameras)) {
    sourceOf({ name, url, username: username ?? undefined, password: password ?? undefined });
  }
  context.out.write(`# ok: this is in force\n${asYaml(withoutSecrets(config))}`);
  return 0;
}

/** A corner of a mask stands on one line, as people write it. */
function asYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every((item) => isScalar(item) && typeof item.value === 'number');
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** For people: every secret is hidden, and that there is one can be seen. */
export function withoutSecrets(config: Config): Config {
  const hide = (secret: string | null): string | null => (secret === null ? null : hidden);
  const { nats, http } = config;
  return {
    ...config,
    cameras: Object.fromEntries(
      Object.entries(config.cameras).map(([name, camera]) => [
        name,
        { ...camera, url: redactAddresses(camera.url), password: hide(camera.password) },
      ]),
    ),
    nats: {
      ...nats,
      servers: nats.servers?.map(redactAddresses) ?? null,
      password: hide(nats.password),
      token: hide(nats.token),
      dashboardPassword: hide(nats.dashboardPassword),
    },
    http: { ...http, password: hide(http.password), token: hide(http.token) },
    webhooks: Object.fromEntries(
      Object.entries(config.webhooks).map(([name, webhook]) => [
        name,
        {
          ...webhook,
          url: `${shownAddress(webhook.url)}/${hidden}`,
          headers: Object.fromEntries(Object.keys(webhook.headers).map((key) => [key, hidden])),
          secret: hide(webhook.secret),
        },
      ]),
    ),
  };
}
