/** `bundle use`, `bundle show`: which bundle a running engine watches by, asked over NATS. */
import { firstValueFrom, throwError, timeout } from 'rxjs';
import { BundleShowSchema, type BundleShow } from '../bundle-switch.js';
import { LookaheadError } from '../errors.js';
import { loadConfig } from '../load-config.js';
import { busFlags, readOptions, type Context } from './options.js';
import { openReaderBus } from './reader-bus.js';

const usage =
  './lookahead bundle show | use NAME | use --back [--json] [--site NAME] [--nats nats://HOST:PORT] [--nats-store DIR] [--config FILE]';

const flags = { ...busFlags, back: { type: 'boolean', default: false } } as const;

/** Two processes that load a large language model take their time. */
const answerMaxMs = 300_000;

/**
 * @param args what follows `bundle`
 * @throws LookaheadError usage, config_*, broker_*, and what the engine says: request_invalid, queue_full, bundle_invalid, model_lost
 */
export async function bundleUseCommand(
  args: readonly string[],
  { out, env, cwd }: Pick<Context, 'out' | 'env' | 'cwd'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 2);
  const [verb, name] = options.positionals;
  const { config: file, json, back, ...own } = options.values;
  const wrong = (what: string): LookaheadError => new LookaheadError('usage', what, usage);
  if (verb === 'use' && (name === undefined) === (back !== true))
    throw wrong('bundle use needs a name, or --back, and not both.');
  if (verb === 'show' && (name !== undefined || back === true))
    throw wrong('bundle show takes no name.');
  const config = loadConfig({
    ...{ file: typeof file === 'string' ? file : null, cameras: [], env, cwd },
    flags: own as Record<string, string>,
  });
  const bus = await openReaderBus(config, 'bundle');
  try {
    const request = { schema: 'lookahead.bundle.use.v1', bundle: name ?? null };
    const asked = verb === 'use' ? bus.call('bundle.use', request) : bus.call('bundle.show', {});
    const reply = await firstValueFrom(
      asked.pipe(timeout({ each: answerMaxMs, with: () => throwError(() => silent()) })),
      { defaultValue: null },
    );
    const shown = BundleShowSchema.parse(reply);
    out.write(json === true ? `${JSON.stringify(shown)}\n` : lineOf(shown));
    return 0;
  } finally {
    await bus.close(0);
  }
}

function silent(): LookaheadError {
  return new LookaheadError(
    'request_failed',
    `The engine has not answered within ${String(answerMaxMs / 1000)} s.`,
    'Its log says what it is doing.',
  );
}

function lineOf({ current, since, previous }: BundleShow): string {
  const before = previous === null ? '' : `; before it ${previous}`;
  return `${current.name} ${current.version} (${current.sha256.slice(0, 8)}) since ${since}${before}\n`;
}
