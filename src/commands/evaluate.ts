/** `evaluate`: the bundle on held-out yard scenes, from H.264 through ffmpeg, perceiver and reasoner to messages. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { LookaheadError } from '../errors.js';
import type { Message } from '../messages.js';
import { openBundle } from '../models/bundle.js';
import { createModelPorts, type ModelPorts } from '../models/model-ports.js';
import { noText } from '../models/text-budget.js';
import { defaultLimits } from '../pipeline-config.js';
import { replayRecording } from '../replay.js';
import { readTruth } from '../yard/data/read-recording.js';
import type { Dataset } from '../yard/data/schema.js';
import { measureScenes, type MeasuredScene, type Quality } from '../yard/scoring/measure.js';
import { heldOutScenes, playScene, progressOf, type SceneTools } from './held-out-scenes.js';
import { readOptions, wholeNumber, wholeNumberOr, type Context } from './options.js';

const usage =
  './lookahead evaluate [--bundle DIR] [--scenes 80] [--seconds 40] [--seed 1] [--json] [--write], or with --data DIR in place of --seconds and --seed; ./lookahead evaluate perception measures what is seen alone';

const flags = {
  bundle: { type: 'string' },
  data: { type: 'string' },
  scenes: { type: 'string', default: '80' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;

export interface EvaluateTools extends SceneTools, Pick<Context, 'out'> {
  readonly bundleDir: string;
}

/**
 * Without `--data` the scenes are those of the split test, drawn once and kept in the cache.
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed
 */
export async function evaluateCommand(args: string[], tools: EvaluateTools): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { bundle, data: given, json, write, seconds, seed } = options.values;
  const scenes = wholeNumber(options, 'scenes', usage, 1);
  const isGiven = typeof given === 'string';
  if (isGiven && (seconds !== undefined || seed !== undefined))
    throw new LookaheadError('usage', '--data has a seed and a length of its own.', usage);
  const bundleDir = typeof bundle === 'string' ? bundle : tools.bundleDir;
  const { manifest } = await openBundle(bundleDir);
  const number = (name: string, otherwise: number): number =>
    wholeNumberOr(options, name, otherwise, usage, 1);
  const asked = isGiven
    ? given
    : { split: 'test' as const, scenes, seconds: number('seconds', 40), seed: number('seed', 1) };
  const { dir, dataset } = await heldOutScenes(asked, manifest, tools);
  const count = Math.min(scenes, dataset.scenes);

  const ports = await createModelPorts({
    bundleDir,
    budget: noText, // Scores need no prose.
  });
  const progress = progressOf(tools.err, count, 'scenes watched');
  try {
    const measured: MeasuredScene[] = [];
    for (let scene = 0; scene < count; scene++) {
      const messages = await watch(dir, scene, ports, tools);
      measured.push({ truth: await readTruth(dir, scene), messages });
      progress.note(measured.length);
    }
    const quality = measureScenes(measured, dataset);
    const command = isGiven
      ? `./lookahead evaluate --data DIR --scenes ${count}`
      : `./lookahead evaluate --seed ${dataset.seed} --scenes ${count} --seconds ${dataset.secondsPerScene}`;
    if (write === true) await writeQuality(bundleDir, quality, command, dataset);
    tools.out.write(json === true ? `${JSON.stringify(quality)}\n` : table(quality));
    return 0;
  } finally {
    progress.end();
    await ports.close();
  }
}

async function watch(
  dir: string,
  scene: number,
  ports: ModelPorts,
  { ffmpegPath }: SceneTools,
): Promise<readonly Message[]> {
  const { manifest, sha256 } = ports.bundle;
  const { camera, frames } = playScene(dir, scene, manifest, ffmpegPath);
  const config = {
    ...{ site: 'evaluate', epoch: 0, manifest, bundleSha256: sha256 },
    limits: defaultLimits,
  };
  // Every forecast in the rhythm is reasoned: what is measured is the reasoner. What the gate costs: npm run bench -- gate.
  const { perceive, score } = ports;
  const messages$ = replayRecording(camera, frames, config, { perceive, score }).pipe(toArray());
  return lastValueFrom(messages$, { defaultValue: [] });
}

/** What a bundle is worth is what this command measured, and nothing else: `--write` puts it into the manifest. */
async function writeQuality(
  bundleDir: string,
  { windows, measures }: Quality,
  command: string,
  { split, seed, versions }: Dataset,
): Promise<void> {
  const path = join(bundleDir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { training: object };
  const evaluate = `${command}: split ${split}, seed ${seed}, world ${versions.world}, ${windows} windows, ${asScored}`;
  const written = { ...manifest, training: { ...manifest.training, evaluate }, quality: measures };
  await writeFile(path, `${JSON.stringify(written, null, 2)}\n`);
}

const asScored = 'as published, in expectation under pBayes';

const meanings: Readonly<Record<string, string>> = {
  skill: 'skill on the next event: 0 base rates, 1 the best that could be known',
  logScore: 'log score, nats (lower is better)',
  logScorePrior: "log score of the template's base rates",
  logScoreBayes: 'log score of the best that could be known',
  gain: 'nats won over the base rates',
  brier: 'Brier score (lower is better)',
  brierPrior: 'Brier score of the base rates',
  brierBayes: 'Brier score of the best that could be known',
  top1Share: 'chance that the first answer comes true',
  top1SharePrior: 'the same, always naming the most frequent answer',
  top1ShareBayes: 'the same, of the best that could be known',
  ece: 'calibration error by what did come, 15 equal-mass bins',
  eventF1: 'recognised events, F1 at 1 s',
  outcomeAgreement: 'decided outcomes that agree with the truth',
  outcomesDecided: 'outcomes that could be decided: perception was not in doubt',
  maskIou: 'mean IoU of masks',
  objectRecall: 'things found at IoU 0.5',
  classAccuracy: 'their classes right',
  familiarity: 'mean familiarity',
};

function table({ windows, measures }: Quality): string {
  const lines = Object.entries(measures).map(([key, { value, interval }]) => {
    const [low, high] = interval.map((bound) => bound.toFixed(3));
    const range = `[${low ?? ''}, ${high ?? ''}]`;
    return `${key.padEnd(18)}${value.toFixed(3).padStart(7)}  ${range.padEnd(18)}${meanings[key] ?? ''}`;
  });
  const head = `${windows} windows; forecasts are scored ${asScored}`;
  return `${[head, ...lines].join('\n')}\n`;
}
