/** `evaluate`: the bundle on held-out yard scenes, from H.264 through ffmpeg, perceiver and reasoner to messages. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { lastValueFrom, toArray } from 'rxjs';
import { LookaheadError } from '../errors.js';
import { readRecording } from '../ingest/file.js';
import type { Message } from '../messages.js';
import { openBundle } from '../models/bundle.js';
import type { Manifest } from '../models/manifest.js';
import { createModelPorts, type ModelPorts } from '../models/model-ports.js';
import { noText } from '../models/text-budget.js';
import { defaultLimits } from '../pipeline-config.js';
import { replayRecording } from '../replay.js';
import { framesPerClip, framesPerSecond, horizonMs } from '../yard/data/film-scene.js';
import { showProgress, type Progress } from '../yard/data/progress.js';
import { readDataset, readTruth, videoOf } from '../yard/data/read-recording.js';
import { defaultsOf, ffmpegVersion, recordScenes } from '../yard/data/record-scenes.js';
import { sceneFolder } from '../yard/data/record-scene.js';
import type { Dataset } from '../yard/data/schema.js';
import { measureScenes, type MeasuredScene, type Quality } from '../yard/scoring/measure.js';
import { yardLabels } from '../yard/world/labels.js';
import { worldVersion } from '../yard/world/version.js';
import { readOptions, wholeNumber, wholeNumberOr, type Context } from './options.js';

const usage =
  './lookahead evaluate [--bundle DIR] [--scenes 80] [--seconds 40] [--seed 1] [--json] [--write], or with --data DIR in place of --seconds and --seed';

const flags = {
  bundle: { type: 'string' },
  data: { type: 'string' },
  scenes: { type: 'string', default: '80' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;

interface Tools extends Pick<Context, 'ffmpegPath' | 'out' | 'err'> {
  readonly bundleDir: string;
  readonly cacheDir: string;
}

/**
 * Without `--data` the scenes are those of the split test, drawn once and kept in the cache.
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed
 */
export async function evaluateCommand(args: string[], tools: Tools): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { bundle, data: given, json, write, seconds, seed } = options.values;
  const scenes = wholeNumber(options, 'scenes', usage, 1);
  const isGiven = typeof given === 'string';
  if (isGiven && (seconds !== undefined || seed !== undefined))
    throw new LookaheadError('usage', '--data has a seed and a length of its own.', usage);
  const bundleDir = typeof bundle === 'string' ? bundle : tools.bundleDir;
  const { manifest } = await openBundle(bundleDir);
  // What does not fit is told before the long work.
  if (!isGiven) checkFit(manifest, ownYard);
  const asked = (name: string, otherwise: number): number =>
    wholeNumberOr(options, name, otherwise, usage, 1);
  const data = isGiven
    ? given
    : await drawnScenes({ scenes, seconds: asked('seconds', 40), seed: asked('seed', 1) }, tools);
  const dataset = await readDataset(data);
  checkFit(manifest, dataset);
  const count = Math.min(scenes, dataset.scenes);

  const ports = await createModelPorts({
    bundleDir,
    budget: noText, // Scores need no prose.
  });
  const progress = progressOf(tools.err, count, 'scenes watched');
  try {
    const measured: MeasuredScene[] = [];
    for (let scene = 0; scene < count; scene++) {
      const messages = await watch(videoOf(data, scene), sceneFolder(scene), ports, tools);
      measured.push({ truth: await readTruth(data, scene), messages });
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

/** What is asked of the drawing; another world, another ffmpeg or another length draws anew. */
async function drawnScenes(
  { scenes, seconds, seed }: { scenes: number; seconds: number; seed: number },
  { ffmpegPath, cacheDir, err }: Tools,
): Promise<string> {
  const ffmpeg = (await ffmpegVersion(ffmpegPath)).replaceAll(/[^\w.+-]/g, '_');
  const key = `world${worldVersion}-seed${seed}-${scenes}x${seconds}s-ffmpeg${ffmpeg}`;
  const outDir = join(cacheDir, `evaluate-${key}`);
  const progress = progressOf(err, scenes, 'scenes drawn');
  try {
    await recordScenes({
      ...{ split: 'test', scenes, secondsPerScene: seconds, seed, outDir, ffmpegPath },
      bayes: defaultsOf('test').bayes,
      ...{ causes: 'none', texts: 0, tracks: false },
      workers: availableParallelism(),
      onProgress: progress.note,
    });
  } finally {
    progress.end();
  }
  return outDir;
}

type Yard = Pick<Dataset, 'framesPerSecond' | 'framesPerClip' | 'horizonMs'> & {
  readonly labels: readonly { readonly text: string }[];
};
const ownYard: Yard = { framesPerSecond, framesPerClip, horizonMs, labels: yardLabels };

/** A bundle of another yard would be measured by words and times that are not its own. */
function checkFit({ name, labels, geometry }: Manifest, yard: Yard): void {
  const wrong = (what: string): LookaheadError =>
    new LookaheadError(
      'bundle_invalid',
      `The bundle ${name} does not fit the scenes: ${what}.`,
      'Train a bundle on the yard of this version, or give --data with scenes of its own.',
    );
  const texts = yard.labels.map(({ text }) => text);
  const [odd] = labels.filter(({ text }) => !texts.includes(text));
  if (odd) throw wrong(`its label ${JSON.stringify(odd.text)} is none of theirs`);
  for (const key of ['framesPerSecond', 'framesPerClip', 'horizonMs'] as const)
    if (geometry[key] !== yard[key])
      throw wrong(`${key} is ${geometry[key]}, theirs is ${yard[key]}`);
}

/** @param camera a folder's name has letters, digits and "-" only, so it can name a camera */
async function watch(
  video: string,
  camera: string,
  ports: ModelPorts,
  { ffmpegPath }: Tools,
): Promise<readonly Message[]> {
  const { manifest, sha256 } = ports.bundle;
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerSecond } = manifest.geometry;
  const frames = readRecording(video, {
    camera,
    ffmpegPath,
    widthPx,
    heightPx,
    framesPerSecond,
    privacyMasks: [],
  });
  const config = {
    ...{ site: 'evaluate', epoch: 0, manifest, bundleSha256: sha256 },
    limits: defaultLimits,
  };
  const messages$ = replayRecording(camera, frames, config, ports).pipe(toArray());
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
  outcomeAgreement: 'outcomes that agree with the truth',
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

function progressOf(out: Writable, total: number, unit: string): Progress {
  return showProgress({ out, total, unit, nowMs: () => performance.now() });
}
