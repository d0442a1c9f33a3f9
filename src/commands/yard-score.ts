/** `yard score …`: scores any forecaster's file on the yard (docs/yard.md). */
import { readFile } from 'node:fs/promises';
import { LookaheadError, messageOf } from '../errors.js';
import { readForecasts } from '../yard/scoring/forecast-file.js';
import { printReport } from '../yard/scoring/print-report.js';
import { scoreFile } from '../yard/scoring/score-file.js';
import { readOptions, type Context } from './options.js';
import { examFlags, examOf, examUsage } from './yard-exam.js';

const usage = `./lookahead yard score FILE.jsonl ${examUsage} [--json]`;

/** @throws LookaheadError usage */
export async function yardScoreCommand(
  args: readonly string[],
  context: Pick<Context, 'out' | 'err' | 'signal'>,
): Promise<number> {
  const options = readOptions(args, { ...examFlags, json: { type: 'boolean' } }, usage, 1);
  const [path] = options.positionals;
  if (path === undefined) throw new LookaheadError('usage', 'The FILE.jsonl is missing.', usage);
  // A file that cannot be read is told before the long work.
  const lines = readForecasts(await textOf(path));
  const windows = await examOf(options, context, usage);
  const report = scoreFile(windows, lines);
  context.out.write(
    options.values['json'] === true
      ? `${JSON.stringify(report, null, 2)}\n`
      : `${printReport(report)}\n`,
  );
  return 0;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new LookaheadError(
      'usage',
      `${path} cannot be read: ${messageOf(cause)}`,
      'Name a file of forecasts, one JSON object a line; docs/yard.md describes it.',
      { cause },
    );
  }
}
