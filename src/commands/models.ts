/** `models …`: changes what a bundle is made of, each command loaded when it is used. */
import { LookaheadError } from '../errors.js';
import type { Context } from './options.js';

const usage = 'Write ./lookahead models add sam --encoder FILE --decoder FILE --out DIR.';

/** @throws LookaheadError what the command throws; usage, when there is no such command */
export async function modelsCommand(args: readonly string[], context: Context): Promise<number> {
  const [verb, what, ...rest] = args;
  if (verb === 'add' && what === 'sam') {
    return (await import('./models-add-sam.js')).modelsAddSamCommand(rest, context);
  }
  const asked = ['models', verb, what].filter((word) => word !== undefined).join(' ');
  throw new LookaheadError('usage', `There is no command "${asked}".`, usage);
}
