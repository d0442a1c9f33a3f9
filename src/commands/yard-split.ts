/** `--split`, which most commands of the yard take. */
import { LookaheadError } from '../errors.js';
import { splits } from '../yard/data/splits.js';
import type { Split } from '../yard/data/splits.js';
import type { Options } from './options.js';

/** @param otherwise where the flag is left out; without one it must be given. @throws LookaheadError usage */
export function splitOf({ values }: Options, usage: string, otherwise?: Split): Split {
  const name = values['split'] ?? otherwise;
  const split = splits.find((known) => known === name);
  if (split) return split;
  const what =
    name === undefined
      ? '--split is missing.'
      : `--split is ${JSON.stringify(name)}, not one of ${splits.join(', ')}.`;
  throw new LookaheadError('usage', what, usage);
}
