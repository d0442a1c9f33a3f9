/** `report`: how good the forecasts of a while were, as tables, as JSON, as a page. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LookaheadError, messageOf } from '../errors.js';
import { loadConfig } from '../load-config.js';
import { OutcomeSchema, TokenSchema, type Outcome } from '../messages.js';
import { reportPage } from '../outcomes/report-page.js';
import { ReportSums } from '../outcomes/report-sums.js';
import { reportTables } from '../outcomes/report-tables.js';
import type { Bus } from '../sinks/bus-types.js';
import { jsonOf, storedOutcomes } from '../sinks/stored-messages.js';
import { durationMs } from './duration.js';
import { busFlags, readOptions, type Context } from './options.js';
import { openReaderBus } from './reader-bus.js';

export const reportUsage =
  './lookahead report [--camera NAME]… [--since 24h] [--html FILE] [--json] [--site NAME] [--nats nats://HOST:PORT] [--nats-store DIR] [--config FILE]';

/** About what a week of sixteen cameras comes to, twice over. */
const outcomesMax = 10_000_000;

export type ReportContext = Pick<Context, 'out' | 'err' | 'env' | 'cwd' | 'signal'> & {
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
};

/**
 * Resolves with the exit status; a while without outcomes is no error, and says what to do.
 * @throws LookaheadError usage, config_*, broker_unreachable, broker_refused
 */
export async function reportCommand(
  args: readonly string[],
  context: ReportContext,
): Promise<number> {
  const { cameras, since, json, html, config: file, flags } = parse(args);
  const { out, err, env, cwd, signal, now = Date.now } = context;
  const toMs = now();
  const fromMs = toMs - durationMs('since', since, reportUsage);
  const sums = new ReportSums(fromMs, toMs);
  const config = loadConfig({ file, cameras: [], flags, env, cwd });
  const bus = await openReaderBus(config, 'report');
  let unreadable = 0;
  try {
    for (const camera of cameras.length === 0 ? [undefined] : cameras) {
      const range = { camera, sinceMs: fromMs, max: outcomesMax };
      for await (const outcome of storedOutcomes(bus, range, () => (unreadable += 1))) {
        signal.throwIfAborted();
        sums.add(outcome);
      }
    }
    const report = sums.report(config.site);
    const empty =
      report.cameras.length > 0
        ? []
        : emptyLines(
            { site: config.site, since, cameras, outside: sums.outside },
            await heard(bus),
          );
    if (html !== null) await writePage(resolve(cwd, html), reportPage(report, empty));
    if (json) out.write(`${JSON.stringify(report)}\n`);
    else if (empty.length > 0) out.write(`${empty.join('\n')}\n`);
    else out.write(reportTables(report));
    if (unreadable > 0) err.write(`warn: ${unreadable} messages were no outcomes of version 1.\n`);
    return 0;
  } finally {
    await bus.close(0);
  }
}

function parse(args: readonly string[]) {
  const flags = {
    ...busFlags,
    camera: { type: 'string', multiple: true },
    since: { type: 'string', default: '24h' },
    html: { type: 'string' },
  } as const;
  const { values, cameras } = readOptions(args, flags, reportUsage, 0);
  for (const camera of cameras) {
    if (TokenSchema.safeParse(camera).success) continue;
    const what = `--camera ${JSON.stringify(camera.slice(0, 80))} is no name of a camera.`;
    throw new LookaheadError('usage', what, reportUsage);
  }
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    cameras: [...new Set(cameras)],
    since: text('since') ?? '',
    json: values['json'] === true,
    html: text('html') ?? null,
    config: text('config') ?? null,
    flags: { site: text('site'), nats: text('nats'), 'nats-store': text('nats-store') },
  };
}

/** No more of an outcome than is told: older ones have less. */
const HeardSchema = OutcomeSchema.pick({ camera: true, decidedAt: true });

/** Cameras of which any outcome is stored, with the time of the last. */
async function heard(bus: Bus): Promise<Pick<Outcome, 'camera' | 'decidedAt'>[]> {
  const last = await bus.last('outcome');
  return last.flatMap(({ data }) => {
    const outcome = HeardSchema.safeParse(jsonOf(new TextDecoder().decode(data)));
    return outcome.success ? [outcome.data] : [];
  });
}

function emptyLines(
  asked: { site: string; since: string; cameras: readonly string[]; outside: number },
  known: readonly Pick<Outcome, 'camera' | 'decidedAt'>[],
): string[] {
  const { site, since, cameras, outside } = asked;
  const whose =
    cameras.length === 0 ? `the site ${site}` : `${cameras.join(', ')} on the site ${site}`;
  const last = known.map(({ camera, decidedAt }) => `${camera} (last ${decidedAt})`).sort();
  return [
    `There is no outcome of ${whose} in the last ${since}.`,
    ...(outside === 1 ? ['1 outcome is of another time, as those of recordings are.'] : []),
    ...(outside > 1 ? [`${outside} outcomes are of other times, as those of recordings are.`] : []),
    last.length === 0
      ? 'None is stored at all: start an engine with ./lookahead start, wait for the first horizons to pass, and see with ./lookahead tail that it forecasts. Another site is asked for with --site NAME.'
      : `There are outcomes of ${last.join(', ')}: ask for a longer time with --since 7d, or for one of these with --camera NAME.`,
  ];
}

/** @throws LookaheadError usage */
async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch (error) {
    const what = `--html: ${JSON.stringify(path)} cannot be written: ${messageOf(error)}.`;
    const remedy = 'Name a file in a folder that is there and can be written to.';
    throw new LookaheadError('usage', what, remedy, { cause: error });
  }
}
