/** `ask`: a question about what a camera shows now, answered by the engine as it thinks. */
import { parseArgs } from 'node:util';
import { lastValueFrom, takeWhile, tap, throwError, timeout } from 'rxjs';
import { LookaheadError, messageOf } from '../errors.js';
import { printable } from '../console.js';
import { loadConfig } from '../load-config.js';
import { TokenSchema } from '../messages.js';
import { AnswerPieceSchema } from '../sinks/services.js';
import type { TailContext } from './tail.js';
import { busFlags } from './options.js';
import { openReaderBus } from './reader-bus.js';

type AskContext = Pick<TailContext, 'out' | 'env' | 'cwd'>;

export const askUsage =
  './lookahead ask CAMERA ["QUESTION"] [--json] [--site NAME] [--nats nats://HOST:PORT] [--nats-store DIR] [--config FILE]';

/** Beyond the engine's own deadline, which says more. */
const silenceSpareMs = 5_000;

/**
 * Resolves with the exit status.
 * @throws LookaheadError usage, config_*, broker_*, and what the engine says: camera_unknown, window_missing, queue_full,
 * language_missing, model_late
 */
export async function askCommand(args: readonly string[], context: AskContext): Promise<number> {
  const { camera, question, json, config: file, ...flags } = parse(args);
  const { out, env, cwd } = context;
  const config = loadConfig({ file: file ?? null, cameras: [], flags, env, cwd });
  const bus = await openReaderBus(config, 'ask');
  try {
    const request = { camera, ...(question === undefined ? {} : { question }) };
    const silenceMs = config.ask.deadlineMs + silenceSpareMs;
    await lastValueFrom(
      bus.call('ask', request).pipe(
        timeout({ each: silenceMs, with: () => throwError(() => silent(silenceMs)) }),
        tap((reply) => {
          if (json) out.write(`${JSON.stringify(reply)}\n`);
        }),
        takeWhile((reply) => {
          const { text, more } = AnswerPieceSchema.parse(reply);
          if (!json) out.write(more ? printable(text) : '\n');
          return more;
        }, true),
      ),
      { defaultValue: undefined },
    );
    return 0;
  } finally {
    await bus.close(0);
  }
}

function silent(silenceMs: number): LookaheadError {
  return new LookaheadError(
    'request_failed',
    `The engine said nothing for ${silenceMs} ms.`,
    'See its log; ./lookahead tail shows whether it is heard.',
  );
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: busFlags,
    });
    const [camera, question, ...more] = positionals;
    if (camera === undefined) throw new Error('which camera?');
    if (more.length > 0) throw new Error(`"${more.join(' ')}" is too much; quote the question`);
    if (!TokenSchema.safeParse(camera).success)
      throw new Error(`${JSON.stringify(camera.slice(0, 80))} is no name of a camera`);
    return { ...values, camera, question };
  } catch (error) {
    throw new LookaheadError('usage', `ask: ${messageOf(error)}.`, askUsage, { cause: error });
  }
}
