/** `replay`: runs recordings through the code that watches live cameras; equal input gives equal output. */
import { basename, resolve } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { gateOf, type Config } from '../config.js';
import { createConsole } from '../console.js';
import { LookaheadError, messageOf } from '../errors.js';
import { readRecording } from '../ingest/file.js';
import type { Polygon } from '../ingest/privacy-masks.js';
import type { Message } from '../messages.js';
import { createModelPorts, type ModelPorts } from '../models/model-ports.js';
import { unhurriedBudget } from '../models/text-budget.js';
import { addressBeside } from '../nats-address.js';
import { followTable } from '../outcomes/within.js';
import { defaultLimits } from '../pipeline-config.js';
import { bundleDirOf } from '../places.js';
import { polygonsOf } from '../privacy-mask-schema.js';
import { replayRecording, silentReport } from '../replay.js';
import { busOptionsOf } from '../sinks/bus-config.js';
import { connectBus, type Bus } from '../sinks/bus.js';
import { openJsonl } from '../sinks/jsonl.js';
import type { Ports, PublishReceipt } from '../types.js';
import { configFlags, configOf, readOptions, type Context, type Options } from './options.js';

export const replayUsage =
  './lookahead replay FILE… [--speed N|max] [--text] [--publish] [--masks-of CAMERA] [--config FILE] [--bundle NAME] [--site NAME]\n' +
  '--publish sends FILE as camera replay-FILE, so that no robot takes a recording for a live camera.\n' +
  '--masks-of blackens what the privacy masks of that camera in the configuration hide.';

/**
 * One message a line, as JSON, on standard output. Resolves with the exit status: 1 where a recording cannot be read.
 * @throws LookaheadError usage, config_*, bundle_invalid, model_lost, broker_unreachable
 */
export async function replayCommand(args: readonly string[], context: Context): Promise<number> {
  const flags = {
    ...configFlags,
    speed: { type: 'string', default: 'max' },
    text: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    'masks-of': { type: 'string' },
  } as const;
  const options = readOptions(args, flags, replayUsage);
  const files = options.positionals;
  if (files.length === 0)
    throw new LookaheadError('usage', 'There is no file to replay.', replayUsage);
  const speed = speedOf(options);
  const config = configOf(options, context);
  const isPublished = options.values['publish'] === true;
  const names = recordingNames(files, isPublished);
  const masks = files.map((file) => masksFor(resolve(context.cwd, file), options, config));
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const isEnded = (): boolean => stop.signal.aborted;
  context.signal.addEventListener('abort', end);
  const console = createConsole({
    ...context,
    level: config.log.level,
    cameras: names,
    onClosed: end,
  });
  const models = await createModelPorts({
    bundleDir: bundleDirOf(config),
    budget: unhurriedBudget,
    child: { device: config.models.device },
  });
  let bus: Bus | undefined;
  let status = 0;
  try {
    if (isPublished) {
      bus = await connectBus(busOptionsOf(config, await addressBeside(config)));
      await bus.ready(10_000);
    }
    const jsonl = openJsonl(context.out);
    void jsonl.closed.then(end);
    const isText = options.values['text'] === true;
    const publish = async (message: Message): Promise<PublishReceipt> => {
      await bus?.publish(message);
      if (!isText) return jsonl.publish(message);
      console.message(message, null);
      return { ackedAtMs: Date.now() };
    };
    for (const [index, file] of files.entries()) {
      if (isEnded()) break;
      const job = {
        file: resolve(context.cwd, file),
        camera: names[index]!,
        privacyMasks: masks[index]!,
        speed,
        config,
        models,
      };
      const failed = await replayOne(job, context.ffmpegPath, publish, stop.signal);
      // Who no longer reads, or pressed Ctrl-C, knows why it ended.
      if (failed === undefined || isEnded()) continue;
      console.log('error', `${file}: ${messageOf(failed)}`);
      status = 1;
    }
  } finally {
    await bus?.close();
    await models.close();
  }
  return status;
}

interface Job {
  readonly file: string;
  readonly camera: string;
  readonly privacyMasks: readonly Polygon[];
  readonly speed: number;
  readonly config: Config;
  readonly models: ModelPorts;
}

/** Resolves with what kept the recording from being read, if anything did. */
async function replayOne(
  { file, camera, privacyMasks, speed, config, models }: Job,
  ffmpegPath: string,
  publish: Ports['publish'],
  signal: AbortSignal,
): Promise<unknown> {
  const { manifest, sha256 } = models.bundle;
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerSecond } = manifest.geometry;
  const frames = readRecording(file, {
    camera,
    ffmpegPath,
    widthPx,
    heightPx,
    framesPerSecond,
    privacyMasks,
  });
  async function* untilStopped(): typeof frames {
    for await (const frame of frames) {
      if (signal.aborted) return;
      yield frame;
    }
  }
  let failed: unknown;
  const pipeline = {
    site: config.site,
    // Nothing of a replay may depend on when it runs.
    epoch: 0,
    manifest,
    bundleSha256: sha256,
    gate: gateOf(config.gate),
    within: config.within ? { table: followTable(models.bundle) } : undefined,
    limits: { ...defaultLimits, explainChangeMin: config.gate.explainChangeMin },
  };
  const ports = {
    perceive: models.perceive,
    score: models.score,
    carry: manifest.files.trackForecaster === undefined ? undefined : models.carry,
    explain: config.gate.explain ? models.explain : undefined,
    report: {
      ...silentReport,
      failed: (_stage: unknown, error: unknown) => void (failed ??= error),
    },
    publish,
  };
  await lastValueFrom(replayRecording(camera, untilStopped(), pipeline, ports, { speed }), {
    defaultValue: undefined,
  }).catch((error: unknown) => {
    if (!(error instanceof LookaheadError)) throw error;
    failed = error;
  });
  return failed;
}

/** Of the camera that was named, and of every camera in the configuration that is this very recording. */
export function masksFor(
  file: string,
  { values }: Pick<Options, 'values'>,
  { cameras }: Pick<Config, 'cameras'>,
): Polygon[] {
  const named = values['masks-of'];
  if (typeof named === 'string' && !Object.hasOwn(cameras, named)) {
    throw new LookaheadError(
      'usage',
      `--masks-of: there is no camera ${JSON.stringify(named)} in the configuration.`,
      `Name one that there is (${Object.keys(cameras).join(', ') || 'none'}), with --config FILE.`,
    );
  }
  return Object.entries(cameras)
    .filter(
      ([name, { url }]) => name === named || url.replace(/^file:/i, 'file:') === `file:${file}`,
    )
    .flatMap(([, { privacyMasks }]) => polygonsOf(privacyMasks));
}

function speedOf({ values }: Options): number {
  const { speed } = values;
  if (speed === 'max') return Infinity;
  const number = Number(speed);
  if (number > 0 && number <= 1000) return number;
  throw new LookaheadError('usage', `--speed is ${JSON.stringify(speed)}.`, replayUsage);
}

/**
 * A file's name as a token of subjects; two files of one name get numbers. What is published says that it is a replay:
 * a recording named like a live camera must not speak in that camera's place, with times of 1970.
 */
export function recordingNames(files: readonly string[], isPublished: boolean): string[] {
  const used = new Set<string>();
  return files.map((file) => {
    const stem = basename(file).replace(/\.[^.]*$/, '');
    const token = stem.replace(/[^A-Za-z0-9_-]+/g, '-') || 'recording';
    const base = isPublished ? `replay-${token}` : token;
    const numbered = (suffix: string): string => base.slice(0, 64 - suffix.length) + suffix;
    let name = base === 'svc' ? 'svc-1' : numbered('');
    for (let copy = 2; used.has(name); copy++) name = numbered(`-${copy}`);
    used.add(name);
    return name;
  });
}
