/** `compare A B`: the same recordings through two bundles, and which is better. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { LookaheadError } from '../errors.js';
import { readRecording } from '../ingest/file.js';
import { openBundle, type Bundle } from '../models/bundle.js';
import { createModelPorts, type ModelPorts } from '../models/model-ports.js';
import { noText } from '../models/text-budget.js';
import { defaultLimits } from '../pipeline-config.js';
import { bundleDirOf } from '../places.js';
import { replayRecording } from '../replay.js';
import {
  ComparedOutcomes,
  sides,
  verdictOf,
  type Published,
  type Side,
} from '../yard/scoring/compare-outcomes.js';
import { ForecastSums, own } from '../yard/scoring/forecast-sums.js';
import { truthWindowOf } from '../yard/scoring/recorded-truth.js';
import { medianOf, type Weighed } from '../yard/scoring/median.js';
import { SceneSums, type Measure } from '../yard/scoring/scene-sums.js';
import { examClips } from '../yard/truth/exam.js';
import { yardLabels } from '../yard/world/labels.js';
import type { EvaluateTools } from './evaluate.js';
import { readDataset, videoOf } from '../yard/data/read-recording.js';
import { openForecastModels } from './forecast-models.js';
import { forecastScenes } from './forecast-scenes.js';
import { heldOutScenes, progressOf, type HeldOut } from './held-out-scenes.js';
import { readOptions, wholeNumber, wholeNumberOr } from './options.js';

const usage =
  './lookahead compare A B [--recordings DIR] [--seed 1] [--scenes 45] [--json]; A and B are names under bundles/ or folders';

const flags = {
  recordings: { type: 'string' },
  seed: { type: 'string' },
  scenes: { type: 'string', default: '45' },
  json: { type: 'boolean', default: false },
} as const;

const videos = ['.mp4', '.mkv', '.mov', '.webm', '.avi', '.ts', '.h264'];
const secondsPerScene = 40;

type Two<T> = Readonly<Record<Side, T>>;
interface Row {
  readonly what: string;
  readonly a: Measure | null;
  readonly b: Measure | null;
  /** A's less B's, paired; null where it is not worked out. */
  readonly difference: Measure | null;
}
interface Report {
  readonly judge: string;
  readonly windows: number;
  readonly rows: readonly Row[];
  readonly verdict: string;
}

/**
 * Without `--recordings`, or with a folder of yard scenes: against pBayes. With a folder of videos: by what each bundle itself
 * recognises, both ways.
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed
 */
export async function compareCommand(
  args: readonly string[],
  tools: Omit<EvaluateTools, 'bundleDir'> & { readonly cwd: string },
): Promise<number> {
  const options = readOptions(args, flags, usage, 2);
  const [a, b] = options.positionals;
  if (a === undefined || b === undefined)
    throw new LookaheadError('usage', 'compare needs two bundles.', usage);
  const scenes = wholeNumber(options, 'scenes', usage, 1);
  const seed = wholeNumberOr(options, 'seed', 1, usage);
  const bundles = {
    a: await openBundle(bundleDirOf({ bundle: a })),
    b: await openBundle(bundleDirOf({ bundle: b })),
  };
  checkComparable(bundles);
  const { recordings: given, json } = options.values;
  const dir = typeof given === 'string' ? resolve(tools.cwd, given) : null;
  const files = dir === null ? [] : await videosIn(dir);
  const isYard = files.length === 0;
  const reports = !isYard
    ? await ofVideos(files, bundles, tools)
    : [await ofYard(await yardOf(dir, seed, scenes, bundles.a, tools), scenes, bundles, tools)];
  tools.out.write(
    json === true
      ? `${JSON.stringify({ a, b, reports, verdict: together(reports) })}\n`
      : printed(a, b, reports),
  );
  return 0;
}

/** What both must share for windows and outcomes to be the same. */
function checkComparable({ a, b }: Two<Bundle>): void {
  const wrong = (what: string): LookaheadError =>
    new LookaheadError('usage', what, 'Compare bundles of the same labels and times.');
  for (const key of ['framesPerSecond', 'framesPerClip', 'clipsPerWindow', 'horizonMs'] as const) {
    const [ofA, ofB] = [a, b].map(({ manifest }) => manifest.geometry[key]);
    if (ofA !== ofB)
      throw wrong(
        `The bundles look at other windows: ${key} is ${String(ofA)} in A, ${String(ofB)} in B.`,
      );
  }
  const textsOf = ({ manifest }: Bundle): string[] => manifest.labels.map(({ text }) => text);
  const odd = (one: Bundle, other: Bundle): string | undefined =>
    textsOf(one).find((text) => !textsOf(other).includes(text));
  const label = odd(a, b) ?? odd(b, a);
  if (label === undefined) return;
  throw wrong(
    `The bundles speak of different things: the label ${JSON.stringify(label)} is one of only one of them.`,
  );
}

/** Empty: no video lies there, so that it may be a folder of yard scenes. */
async function videosIn(dir: string): Promise<string[]> {
  const found = await stat(dir).catch(() => null);
  if (!found?.isDirectory())
    throw new LookaheadError('usage', `--recordings is ${dir}, where no folder is.`, usage);
  const names = (await readdir(dir)).sort();
  if (!names.includes('dataset.json'))
    return names
      .filter((name) => videos.includes(extname(name).toLowerCase()))
      .map((name) => join(dir, name));
  // Of what cameras have recognised nobody knows the truth: its pictures are recordings like any other.
  const { truth, scenes } = await readDataset(dir);
  if (truth !== 'recognised') return [];
  return Array.from({ length: scenes }, (_, scene) => videoOf(dir, scene));
}

function yardOf(
  dir: string | null,
  seed: number,
  scenes: number,
  { manifest }: Bundle,
  tools: Omit<EvaluateTools, 'bundleDir'>,
): Promise<HeldOut> {
  const asked = { split: 'test', scenes, seconds: secondsPerScene, seed } as const;
  return heldOutScenes(dir ?? asked, manifest, tools);
}

async function ofYard(
  heldOut: HeldOut,
  scenes: number,
  bundles: Two<Bundle>,
  tools: Omit<EvaluateTools, 'bundleDir'>,
): Promise<Report> {
  const { dataset } = heldOut;
  const count = Math.min(scenes, dataset.scenes);
  const said = { a: new Map<string, readonly number[]>(), b: new Map<string, readonly number[]>() };
  const alone = { a: new ForecastSums(yardLabels), b: new ForecastSums(yardLabels) };
  const both = new ForecastSums(yardLabels);
  const cpu: Two<Weighed[]> = { a: [], b: [] };
  for (const side of sides) {
    const models = await openForecastModels(bundles[side]);
    const progress = progressOf(tools.err, count, `scenes forecast by ${side.toUpperCase()}`);
    try {
      const asking = { heldOut, sight: 'pixels', clips: examClips, isExplained: false } as const;
      let done = 0;
      for await (const { truth, windows } of forecastScenes(asking, count, models, tools)) {
        for (const { clip, chances, scoreCpuMs } of windows) {
          const line = truth.windows.find((window) => window.clip === clip);
          const window = line && truthWindowOf(line, truth, dataset);
          if (!window) continue;
          const key = `${String(window.scene)} ${String(clip)}`;
          said[side].set(key, chances);
          cpu[side].push({ scene: window.scene, value: scoreCpuMs });
          alone[side].add(window, { [own]: chances });
          const ofA = said.a.get(key);
          if (side === 'b' && ofA) both.add(window, { a: ofA, b: chances });
        }
        progress.note(++done);
      }
    } finally {
      progress.end();
      await models.dispose();
    }
  }
  const gain = both.logScoreGain('b', 'a');
  if (!gain)
    throw new LookaheadError(
      'recording_unusable',
      `${heldOut.dir} holds no window whose chances are known.`,
      'Record it with --bayes, or give a folder of videos.',
    );
  const row = (what: string, of: (sums: ForecastSums) => Measure | null): Row => ({
    ...{ what, a: of(alone.a), b: of(alone.b), difference: null },
  });
  return {
    judge: 'the true chances',
    windows: both.windows,
    rows: [
      {
        ...{ what: 'skill', a: both.skill('a'), b: both.skill('b') },
        difference: both.skillGain('a', 'b'),
      },
      {
        ...{ what: 'log score, nats', a: both.logScore('a'), b: both.logScore('b') },
        difference: both.logScoreGain('a', 'b'),
      },
      {
        ...{ what: 'top-1 share', a: both.topShare(1, 'a'), b: both.topShare(1, 'b') },
        difference: both.topShareGain(1, 'a', 'b'),
      },
      row('calibration error', (sums) => sums.calibration()?.ece ?? null),
      { what: 'CPU, ms', a: medianOver(cpu.a), b: medianOver(cpu.b), difference: null },
    ],
    verdict: verdictOf(gain, both.windows, count),
  };
}

/** Of one core and one window, when its forecast was worked out: of kept ones that was another day. */
function medianOver(times: readonly Weighed[]): Measure | null {
  const sums = new SceneSums();
  for (const { scene } of times) sums.add(scene, 'windows', 1);
  return sums.measureDrawn(medianOf(times));
}

async function ofVideos(
  files: readonly string[],
  bundles: Two<Bundle>,
  { ffmpegPath, err }: Omit<EvaluateTools, 'bundleDir'>,
): Promise<Report[]> {
  const published: Readonly<Record<Side, Published[]>> = { a: [], b: [] };
  for (const side of sides) {
    const ports = await createModelPorts({ bundleDir: bundles[side].dir, budget: noText });
    const progress = progressOf(err, files.length, `recordings watched by ${side.toUpperCase()}`);
    try {
      for (const file of files) {
        published[side].push(await watch(file, ports, ffmpegPath));
        progress.note(published[side].length);
      }
    } finally {
      progress.end();
      await ports.close();
    }
  }
  const sums = new ComparedOutcomes({
    a: bundles.a.manifest.labels,
    b: bundles.b.manifest.labels,
  });
  for (const [index, a] of published.a.entries()) {
    const b = published.b[index];
    if (b) sums.add({ a, b });
  }
  return sides.map((judge): Report => {
    const marks = sums.judgedBy(judge);
    const name = `what ${judge.toUpperCase()} recognises`;
    if (!marks) return { judge: name, windows: 0, rows: [], verdict: 'no window could be decided' };
    const negated = ({ value, interval: [low, high] }: Measure): Measure => ({
      value: -value,
      interval: [-high, -low],
    });
    return {
      ...{ judge: name, windows: marks.windows },
      rows: [
        {
          ...{ what: 'log score, nats', ...marks.logScore },
          difference: negated(marks.logScoreGain),
        },
        { ...{ what: 'Brier score', ...marks.brier }, difference: negated(marks.brierGain) },
      ],
      verdict: verdictOf(marks.logScoreGain, marks.windows, marks.minutes),
    };
  });
}

async function watch(file: string, ports: ModelPorts, ffmpegPath: string): Promise<Published> {
  const { manifest, sha256 } = ports.bundle;
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerSecond } = manifest.geometry;
  const camera = 'compared';
  const size = { ffmpegPath, widthPx, heightPx, framesPerSecond };
  const frames = readRecording(file, { camera, privacyMasks: [], ...size });
  const config = {
    ...{ site: 'compare', epoch: 0, manifest, bundleSha256: sha256, limits: defaultLimits },
  };
  const { perceive, score } = ports;
  const messages = await lastValueFrom(
    replayRecording(camera, frames, config, { perceive, score }).pipe(toArray()),
    { defaultValue: [] },
  );
  return {
    forecasts: messages.flatMap((one) => (one.schema === 'lookahead.forecast.v1' ? [one] : [])),
    outcomes: messages.flatMap((one) => (one.schema === 'lookahead.outcome.v1' ? [one] : [])),
  };
}

/** A bundle that recognises what it expects looks better than it is: only what all judges say counts. */
function together(reports: readonly Report[]): string {
  const [first] = reports;
  const sides = new Set(reports.map(({ verdict }) => verdict.split(':')[0]));
  if (reports.length < 2 || !first) return first?.verdict ?? 'no window could be decided';
  return sides.size === 1
    ? `both judges: ${[...sides].join('')}${reports.some(({ verdict }) => verdict.includes('too narrow')) ? ', of few scenes alone' : ''}`
    : 'the judges disagree: no difference can be told';
}

function printed(a: string, b: string, reports: readonly Report[]): string {
  const cell = (measure: Measure | null): string => {
    if (!measure) return '-'.padEnd(24);
    const { value, interval } = measure;
    return `${value.toFixed(3)} [${interval.map((it) => it.toFixed(3)).join(', ')}]`.padEnd(24);
  };
  const lines = reports.flatMap(({ judge, windows, rows, verdict }) => [
    `judged by ${judge}, ${String(windows)} windows`,
    `${''.padEnd(20)}${'A'.padEnd(24)}${'B'.padEnd(24)}A less B`,
    ...rows.map((row) =>
      `${row.what.padEnd(20)}${cell(row.a)}${cell(row.b)}${cell(row.difference)}`.trimEnd(),
    ),
    verdict,
    '',
  ]);
  return `A: ${a}\nB: ${b}\n[95 %, bootstrap over scenes; differences by the same windows]\n\n${lines.join('\n')}${reports.length > 1 ? `${together(reports)}\n` : ''}`;
}
