import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { lastValueFrom, toArray } from 'rxjs';
import { readRecording } from '../ingest/file.js';
import type { Message } from '../messages.js';
import { createModelPorts } from '../models/model-ports.js';
import { noText } from '../models/text-budget.js';
import { defaultLimits } from '../pipeline-config.js';
import { replayRecording } from '../replay.js';
import { measureScenes, type MeasuredScene, type Quality } from '../yard/measure.js';
import { recordYard, type SceneTruth } from '../yard/record.js';
import { readOptions, wholeNumber } from './options.js';

const usage =
  './lookahead evaluate [--bundle DIR] [--scenes 80] [--seconds 40] [--seed 1] [--data DIR] [--json] [--write]';

const flags = {
  bundle: { type: 'string' },
  data: { type: 'string' },
  scenes: { type: 'string', default: '80' },
  seconds: { type: 'string', default: '40' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;

/**
 * `evaluate`: the bundle on held-out yard scenes, from H.264 through ffmpeg, perceiver and reasoner to messages.
 * @throws LookaheadError usage, bundle_invalid, ffmpeg_missing, ffmpeg_failed
 */
export async function evaluateCommand(
  args: string[],
  tools: { readonly ffmpegPath: string; readonly bundleDir: string; readonly cacheDir: string },
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const [scenes, seconds, seed] = ['scenes', 'seconds', 'seed'].map((name) =>
    wholeNumber(options, name, usage, 1),
  ) as [number, number, number];
  const { bundle, data: given, json } = options.values;
  const bundleDir = typeof bundle === 'string' ? bundle : tools.bundleDir;
  const data =
    typeof given === 'string'
      ? given
      : join(tools.cacheDir, `evaluate-${String(seed)}-${String(seconds)}s`);
  if (data !== given)
    await recordYard({
      split: 'test',
      scenes,
      seconds,
      seed,
      outDir: data,
      ffmpegPath: tools.ffmpegPath,
      onProgress: (done) => progress('drawn', done, scenes),
    });

  const ports = await createModelPorts({
    bundleDir,
    budget: noText, // Scores need no prose.
  });
  try {
    const { manifest, sha256 } = ports.bundle;
    const { geometry, preprocessing } = manifest;
    const folders = (await readdir(data)).filter((name) => /^scene-\d{5}$/.test(name)).sort();
    const measured: MeasuredScene[] = [];
    for (const folder of folders.slice(0, scenes)) {
      // Letters, digits and "-": a folder's name is a camera's name.
      const frames = readRecording(join(data, folder, 'video.h264'), {
        camera: folder,
        ffmpegPath: tools.ffmpegPath,
        widthPx: preprocessing.widthPx,
        heightPx: preprocessing.heightPx,
        framesPerSecond: geometry.framesPerSecond,
      });
      const config = {
        site: 'evaluate',
        epoch: 0,
        manifest,
        bundleSha256: sha256,
        limits: defaultLimits,
      };
      const messages$ = replayRecording(folder, frames, config, ports);
      const messages: Message[] = await lastValueFrom(messages$.pipe(toArray()), {
        defaultValue: [],
      });
      measured.push({
        truth: JSON.parse(await readFile(join(data, folder, 'truth.json'), 'utf8')) as SceneTruth,
        ids: gunzipSync(await readFile(join(data, folder, 'ids.u8.gz'))),
        messages,
      });
      progress('watched', measured.length, Math.min(scenes, folders.length));
    }
    const quality = measureScenes(measured, manifest.labels);
    if (options.values['write'] === true) await writeQuality(bundleDir, quality, options.values);
    process.stdout.write(json === true ? `${JSON.stringify(quality)}\n` : table(quality));
    return 0;
  } finally {
    await ports.close();
  }
}

/** What a bundle is worth is what this command measured, and nothing else: `--write` puts it into the manifest. */
async function writeQuality(
  bundleDir: string,
  { windows, measures }: Quality,
  { seed, scenes, seconds }: Readonly<Record<string, unknown>>,
): Promise<void> {
  const path = join(bundleDir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { training: object };
  const evaluate = `./lookahead evaluate --seed ${String(seed)} --scenes ${String(scenes)} --seconds ${String(seconds)}: ${String(windows)} windows`;
  const written = { ...manifest, training: { ...manifest.training, evaluate }, quality: measures };
  await writeFile(path, `${JSON.stringify(written, null, 2)}\n`);
}

const meanings: Readonly<Record<string, string>> = {
  skill: 'skill on the next event: 0 base rates, 1 the best that could be known',
  logScore: 'log score, nats (lower is better)',
  logScorePrior: 'log score of the base rates',
  logScoreBayes: 'log score of the best that could be known',
  gain: 'nats won over the base rates',
  brier: 'Brier score (lower is better)',
  brierPrior: 'Brier score of the base rates',
  brierBayes: 'Brier score of the best that could be known',
  top1Share: 'chance that the first answer comes true',
  top1SharePrior: 'the same, always naming the most frequent answer',
  ece: 'calibration error, 15 equal-mass bins',
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
  return `${[`${String(windows)} windows`, ...lines].join('\n')}\n`;
}

function progress(what: string, done: number, all: number): void {
  if (done % 10 === 0 || done === all)
    process.stderr.write(`${what} ${String(done)} of ${String(all)} scenes\n`);
}
