/** `calibration`: what a camera has learned of its own chances, version by version, and the way back. */
import { catchError, firstValueFrom, of, timeout } from 'rxjs';
import { BundleShowSchema } from '../bundle-switch.js';
import { LookaheadError } from '../errors.js';
import { loadConfig } from '../load-config.js';
import { TokenSchema } from '../messages.js';
import { bundleDirOf } from '../places.js';
import { openBundle } from '../models/bundle.js';
import {
  calibrationBucket,
  decodeEntry,
  encodeEntry,
  type CalibrationEntry,
  type CalibrationVersion,
} from '../outcomes/calibration-entry.js';
import { bundlesOwn } from '../outcomes/recalibration.js';
import type { Bus } from '../sinks/bus.js';
import type { KeyValues } from '../sinks/key-values.js';
import { busFlags, readOptions, type Context } from './options.js';
import { openReaderBus } from './reader-bus.js';

const usage =
  './lookahead calibration [show | revert VERSION | reset | freeze | thaw] --camera NAME [--json] [--site NAME] [--nats nats://HOST:PORT] [--nats-store DIR] [--config FILE]';

const showMaxMs = 3_000;

const flags = { ...busFlags, camera: { type: 'string', multiple: true } } as const;

const verbs = ['show', 'revert', 'reset', 'freeze', 'thaw'] as const;
type Verb = (typeof verbs)[number];

/**
 * A running engine follows at once; without one it is in force when the next starts.
 * @throws LookaheadError usage, config_*, bundle_invalid, broker_unreachable, broker_refused
 */
export async function calibrationCommand(
  args: readonly string[],
  { out, env, cwd }: Pick<Context, 'out' | 'env' | 'cwd'>,
): Promise<number> {
  const { verb, version, camera, json, options } = parse(args);
  const { config: file, json: _json, ...own } = options.values;
  const config = loadConfig({
    ...{ file: typeof file === 'string' ? file : null, cameras: [], env, cwd },
    flags: own as Record<string, string>,
  });
  const bus = await openReaderBus(config, 'calibration');
  try {
    const sha256 = (await inUse(bus)) ?? (await openBundle(bundleDirOf(config))).sha256;
    const store = bus.keyValues(calibrationBucket.name, calibrationBucket.versions);
    const versions = await versionsOf(store, camera);
    const wanted = wantedBy(verb, versions, version, camera, sha256);
    if (wanted) {
      const made = await store.put(camera, encodeEntry(wanted));
      // Without a condition it is always made.
      if (made !== null) versions.push({ ...wanted, version: made });
    }
    out.write(json ? `${JSON.stringify({ camera, versions })}\n` : table(camera, versions, sha256));
    return 0;
  } finally {
    await bus.close(0);
  }
}

/** Of the bundle that a running engine watches by, which need not be the configured one; null: no engine answers. */
async function inUse(bus: Bus): Promise<string | null> {
  const shown = bus.call('bundle.show', {}).pipe(
    timeout({ first: showMaxMs }),
    catchError(() => of(null)),
  );
  const parsed = BundleShowSchema.safeParse(await firstValueFrom(shown, { defaultValue: null }));
  return parsed.success ? parsed.data.current.sha256 : null;
}

function parse(args: readonly string[]): {
  readonly verb: Verb;
  readonly version: number | null;
  readonly camera: string;
  readonly json: boolean;
  readonly options: ReturnType<typeof readOptions>;
} {
  const options = readOptions(args, flags, usage, 2);
  const [verb = 'show', given] = options.positionals;
  const wrong = (what: string): LookaheadError => new LookaheadError('usage', what, usage);
  if (!verbs.some((one) => one === verb)) throw wrong(`"${verb}" is none of ${verbs.join(', ')}.`);
  if ((verb === 'revert') !== (given !== undefined))
    throw wrong(
      verb === 'revert' ? 'revert needs a version.' : `${verb} takes no "${String(given)}".`,
    );
  const version = given === undefined ? null : Number(given);
  if (version !== null && (!Number.isInteger(version) || version < 1))
    throw wrong(`The version is "${String(given)}"; give a whole number from 1 as show lists it.`);
  const [camera, second] = options.cameras;
  if (camera === undefined) throw wrong('--camera is missing.');
  if (second !== undefined) throw wrong('--camera stands twice; give one.');
  if (!TokenSchema.safeParse(camera).success)
    throw wrong(`--camera is ${JSON.stringify(camera)}, which is no camera's name.`);
  return { verb: verb as Verb, version, camera, json: options.values['json'] === true, options };
}

async function versionsOf(store: KeyValues, camera: string): Promise<CalibrationVersion[]> {
  const stored = await store.history(camera);
  return stored.flatMap(({ data, revision }) => decodeEntry(data, revision) ?? []);
}

/** The version to be written; null: none. */
function wantedBy(
  verb: Verb,
  versions: readonly CalibrationVersion[],
  version: number | null,
  camera: string,
  bundleSha256: string,
): CalibrationEntry | null {
  const by = {
    ...({ schema: 'lookahead.calibration.v1', by: 'person' } as const),
    at: new Date().toISOString(),
  };
  const newest = versions.at(-1);
  const inForce = newest?.bundleSha256 === bundleSha256 ? newest : undefined;
  const own = { ...bundlesOwn, outcomes: 0, bundleSha256, frozen: false };
  switch (verb) {
    case 'show':
      return null;
    case 'reset':
      return { ...own, ...by, frozen: inForce?.frozen ?? false };
    case 'freeze':
    case 'thaw': {
      const { version: _version, ...kept } = inForce ?? { ...own, version: 0 };
      return { ...kept, ...by, frozen: verb === 'freeze' };
    }
    case 'revert': {
      const found = versions.find((one) => one.version === version);
      if (!found)
        throw new LookaheadError(
          'usage',
          `${camera} has no version ${String(version)}; there are ${versions.map((one) => one.version).join(', ') || 'none'}.`,
          usage,
        );
      const { version: _version, ...kept } = found;
      return { ...kept, ...by };
    }
  }
}

function table(camera: string, versions: readonly CalibrationVersion[], sha256: string): string {
  const newest = versions.at(-1);
  if (!newest)
    return `${camera}: nothing was learned yet, the chances of the bundle are published as they are.\n`;
  const rows = versions.map((one) =>
    [
      String(one.version).padStart(7),
      one.temperature.toFixed(3).padStart(11),
      one.nothingBias.toFixed(3).padStart(8),
      String(one.outcomes).padStart(8),
      one.by.padEnd(6),
      one.at,
      one.bundleSha256 === sha256 ? '' : 'of another bundle: not used',
      one.frozen ? 'frozen' : '',
    ]
      .join('  ')
      .trimEnd(),
  );
  const head = 'version  temperature  nothing  outcomes  by      at';
  const force = `${camera}: version ${String(newest.version)} is in force; \`revert VERSION\` goes back, \`freeze\` keeps it.`;
  return `${[head, ...rows, force].join('\n')}\n`;
}
