/** `harvest`: lists, exports or deletes the windows that the engine has kept (docs/harvest.md). */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { printable } from '../console.js';
import { LookaheadError, messageOf } from '../errors.js';
import { exportItems } from '../harvest/export-items.js';
import { deleteItem } from '../harvest/harvest-folder.js';
import type { Item } from '../harvest/item-schema.js';
import { harvestDirOf } from '../harvest/open-harvester.js';
import { listItems, type ItemFilter, type ItemList } from '../harvest/read-items.js';
import { doubtOf } from '../harvest/why-keep.js';
import { loadConfig } from '../load-config.js';
import { TokenSchema } from '../messages.js';
import { removePartials } from '../yard/data/recording-file.js';
import { readOptions, type Context, type Options } from './options.js';

export const harvestUsage =
  './lookahead harvest [list | export DIR | clear] [--camera NAME]… [--since 7d] [--config FILE]';

const flags = {
  camera: { type: 'string', multiple: true },
  since: { type: 'string' },
  config: { type: 'string' },
} as const;

/**
 * Resolves with the exit status: 1 where an item cannot be read.
 * @throws LookaheadError usage, config_*, harvest_unusable
 */
export async function harvestCommand(
  args: readonly string[],
  context: Pick<Context, 'out' | 'err' | 'env' | 'cwd'>,
): Promise<number> {
  const options = readOptions(args, flags, harvestUsage, 2);
  const [verb = 'list', target, ...more] = options.positionals;
  if (!/^(list|export|clear)$/.test(verb)) throw wrong(`There is no "harvest ${printable(verb)}".`);
  if ((verb === 'export') !== (target !== undefined) || more.length > 0)
    throw wrong(verb === 'export' ? 'The folder to write is missing.' : `"${target}" is too much.`);
  const filter = { cameras: camerasOf(options), sinceMs: sinceOf(options, Date.now()) };
  const { out, err, env, cwd } = context;
  const file = options.values['config'];
  const config = loadConfig({
    ...{ file: typeof file === 'string' ? file : null, cameras: [], flags: {}, env, cwd },
  });
  const dir = harvestDirOf(config);
  const found = await listItems(dir, filter);
  const told = ((): Promise<string> | string => {
    switch (verb) {
      case 'export':
        return exported(dir, found, resolve(cwd, target ?? ''), filter);
      case 'clear':
        return cleared(dir, found, filter);
      default:
        return listed(dir, found, config.harvest.enabled);
    }
  })();
  out.write(`${await told}\n`);
  const isCleared = verb === 'clear' && filter.cameras.length === 0;
  if (isCleared) return 0;
  for (const { why } of found.broken) err.write(`left out: ${why}\n`);
  return found.broken.length > 0 ? 1 : 0;
}

function wrong(what: string): LookaheadError {
  return new LookaheadError('usage', what, harvestUsage);
}

function camerasOf({ cameras }: Options): readonly string[] {
  for (const name of cameras)
    if (!TokenSchema.safeParse(name).success)
      throw wrong(
        `--camera is ${JSON.stringify(name.slice(0, 80))}, which is no name of a camera.`,
      );
  return cameras;
}

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function sinceOf({ values: { since } }: Options, nowMs: number): number | null {
  if (since === undefined) return null;
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(String(since)) ?? [];
  if (count === undefined)
    throw wrong(`--since is ${JSON.stringify(since)}, not a time such as 90m, 24h or 7d.`);
  return nowMs - Number(count) * unitsMs[unit as keyof typeof unitsMs];
}

function listed(dir: string, { items }: ItemList, isEnabled: boolean): string {
  const mib = items.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
  const rows = items.map(({ item, bytes }) => rowOf(item, bytes));
  const consent = isEnabled ? '' : '; nothing more is kept: harvest.enabled is false';
  return [
    ...rows,
    `${items.length} ${items.length === 1 ? 'window' : 'windows'}, ${mib.toFixed(1)} MiB in ${dir}${consent}`,
  ].join('\n');
}

function rowOf({ to, camera, why, forecast, outcome }: Item, bytes: number): string {
  const came = outcome.observed ?? 'undecidable';
  const score = outcome.logScore === null ? '' : `, ${outcome.logScore.toFixed(1)} nats`;
  const said = `${outcome.predicted} ${Math.round(100 * (1 - doubtOf(forecast)))} %`;
  const size = `${Math.ceil(bytes / 1024)} KiB`;
  return printable(`${to}  ${camera}  ${why.join(', ')}: ${said}, then ${came}${score}  ${size}`);
}

async function exported(
  dir: string,
  { items }: ItemList,
  outDir: string,
  filter: ItemFilter,
): Promise<string> {
  if (items.length === 0) {
    const narrow = filter.cameras.length > 0 || filter.sinceMs !== null;
    throw new LookaheadError(
      'harvest_unusable',
      `There is nothing to export in ${dir}${narrow ? ' that --camera and --since leave' : ''}.`,
      'See ./lookahead harvest list; windows are kept where harvest.enabled is true.',
    );
  }
  await exportItems(
    dir,
    items.map(({ item }) => item),
    outDir,
  );
  return `${items.length} ${items.length === 1 ? 'scene' : 'scenes'} in ${outDir}: recognised, not true`;
}

/** Without a camera named those that cannot be read go, too: nobody knows whom they show. */
async function cleared(
  dir: string,
  { items, broken }: ItemList,
  { cameras, sinceMs }: ItemFilter,
): Promise<string> {
  const names = [...items, ...(cameras.length === 0 ? broken : [])].map(({ name }) => name);
  try {
    for (const name of names) await deleteItem(dir, name);
    // What a crash has left half is of a camera that nobody knows.
    if (cameras.length === 0 && sinceMs === null && existsSync(dir)) await removePartials(dir);
  } catch (cause) {
    throw new LookaheadError(
      'harvest_unusable',
      `Not all of ${dir} could be deleted: ${messageOf(cause)}.`,
      'Run this as the user that the engine runs as.',
      { cause },
    );
  }
  return `${names.length} ${names.length === 1 ? 'window' : 'windows'} deleted in ${dir}`;
}
