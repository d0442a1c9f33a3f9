/** `yard forecast …`: writes what Bayes, or who knows little, would say, in the form that `yard score` reads. */
import { LookaheadError } from '../errors.js';
import { baselines, forecastBy, forecastWithinBy } from '../yard/scoring/baselines.js';
import { readOptions, type Context } from './options.js';
import { examFlags, examOf, examUsage } from './yard-exam.js';

const usage = `./lookahead yard forecast --by ${baselines.join('|')} ${examUsage} [--within, with bayes or prior]`;

/** @throws LookaheadError usage */
export async function yardForecastCommand(
  args: readonly string[],
  context: Pick<Context, 'out' | 'err' | 'signal'>,
): Promise<number> {
  const flags = { ...examFlags, by: { type: 'string' }, within: { type: 'boolean' } } as const;
  const options = readOptions(args, flags, usage, 0);
  const { by: name, within } = options.values;
  const by = baselines.find((known) => known === name);
  if (!by)
    throw new LookaheadError(
      'usage',
      name === undefined ? '--by is missing.' : `--by is ${JSON.stringify(name)}.`,
      usage,
    );
  if (within === true && by !== 'bayes' && by !== 'prior')
    throw new LookaheadError('usage', `--within has no forecasts by ${by}.`, usage);
  const windows = await examOf(options, context, usage);
  for (const window of windows) {
    const line =
      within === true && (by === 'bayes' || by === 'prior')
        ? forecastWithinBy(by, window)
        : forecastBy(by, window);
    context.out.write(`${JSON.stringify(line)}\n`);
  }
  return 0;
}
