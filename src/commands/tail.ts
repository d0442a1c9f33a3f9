/** `tail`: forecasts, outcomes and states as they are published, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { createConsole, type Output } from '../console.js';
import { LookaheadError, messageOf } from '../errors.js';
import { loadConfig } from '../load-config.js';
import { TokenSchema } from '../messages.js';
import { tail } from '../sinks/tail.js';
import { busFlags } from './options.js';
import { openReaderBus } from './reader-bus.js';

export const tailUsage =
  './lookahead tail [CAMERA] [--json] [--site NAME] [--nats nats://HOST:PORT] [--nats-store DIR] [--config FILE]';

export interface TailContext {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends it, as Ctrl-C does. */
  readonly signal: AbortSignal;
}

/**
 * Resolves with the exit status when the signal fires or nobody reads its output any more.
 * @throws LookaheadError usage, config_*, broker_unreachable, broker_refused
 */
export async function tailCommand(args: readonly string[], context: TailContext): Promise<number> {
  const { camera, json, config: file, ...flags } = parse(args);
  const { out, err, env, cwd } = context;
  const config = loadConfig({ file: file ?? null, cameras: [], flags, env, cwd });
  const bus = await openReaderBus(config, 'tail');
  try {
    const known = await bus.last('forecast', camera);
    const ended = new AbortController();
    const end = (): void => ended.abort();
    context.signal.addEventListener('abort', end, { once: true });
    if (context.signal.aborted) end();
    const console = createConsole({
      out,
      err,
      env,
      level: 'info',
      cameras: known.map(({ subject }) => subject.split('.')[3] ?? ''),
      onClosed: end,
    });
    const raw = json ? (line: string): unknown => out.write(`${line}\n`) : undefined;
    const stop = await tail(bus, { camera, console, raw });
    await new Promise<void>((resolve) => {
      if (ended.signal.aborted) resolve();
      ended.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    stop();
    return 0;
  } finally {
    await bus.close(0);
  }
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: busFlags,
    });
    const [camera, ...more] = positionals;
    if (more.length > 0) throw new Error(`"${more.join(' ')}" is one camera too many`);
    if (camera !== undefined && !TokenSchema.safeParse(camera).success) {
      throw new Error(`${JSON.stringify(camera.slice(0, 80))} is no name of a camera`);
    }
    return { ...values, camera };
  } catch (error) {
    throw new LookaheadError('usage', `tail: ${messageOf(error)}.`, tailUsage, { cause: error });
  }
}
