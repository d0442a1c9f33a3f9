/** `evaluate perception`: what the bundle sees of held-out yard scenes, from H.264 through ffmpeg, and what that costs. */
import { LookaheadError } from '../errors.js';
import { openBundle } from '../models/bundle.js';
import { Perceiver } from '../models/perceiver.js';
import { cpuClockMs } from '../models/stopwatch.js';
import { TrackForecaster } from '../models/track-forecaster.js';
import { readTruth } from '../yard/data/read-recording.js';
import { PerceptionSums } from '../yard/scoring/perception-sums.js';
import { perceptionReport } from '../yard/scoring/perception-report.js';
import { printPerception } from '../yard/scoring/print-perception.js';
import { SymbolicExam } from '../yard/scoring/symbolic-exam.js';
import { scenesFor } from '../yard/truth/exam.js';
import type { EvaluateTools } from './evaluate.js';
import { heldOutScenes, progressOf } from './held-out-scenes.js';
import { perceiveAll, readClips } from './perceive-scene.js';
import { readOptions, wholeNumber, wholeNumberOr } from './options.js';
import { splitOf } from './yard-split.js';

const usage =
  './lookahead evaluate perception --seed N [--windows 720] [--split test] [--bundle DIR] [--detail] [--json], or with --data DIR in place of --seed and --split';

const flags = {
  bundle: { type: 'string' },
  data: { type: 'string' },
  windows: { type: 'string', default: '720' },
  seed: { type: 'string' },
  split: { type: 'string' },
  detail: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/** The exam's last window of a scene ends with its clip 39. */
const secondsPerScene = 40;
/** Of one core: so that CPU time is that of the graphs, whatever the machine. */
const threads = 1;

/**
 * @param args what follows `evaluate perception`
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed, model_failed
 */
export async function evaluatePerceptionCommand(
  args: readonly string[],
  tools: EvaluateTools,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { bundle: bundleGiven, data, json, detail, seed, split } = options.values;
  const windows = wholeNumber(options, 'windows', usage, 1);
  const isGiven = typeof data === 'string';
  if (isGiven && (seed !== undefined || split !== undefined))
    throw new LookaheadError('usage', '--data has a seed and a split of its own.', usage);
  const bundle = await openBundle(typeof bundleGiven === 'string' ? bundleGiven : tools.bundleDir);
  const { manifest } = bundle;
  const scenes = scenesFor(windows);
  const asked = isGiven
    ? data
    : {
        ...{ scenes, seconds: secondsPerScene, split: splitOf(options, usage, 'test') },
        seed: wholeNumberOr(options, 'seed', 1, usage),
      };
  const { dir, dataset } = await heldOutScenes(asked, manifest, tools);
  const count = Math.min(scenes, dataset.scenes);

  const perceiver = await Perceiver.open(bundle, { threads, clock: cpuClockMs });
  const forecaster = await TrackForecaster.open(bundle, { threads });
  const labels = manifest.labels.map(({ text }) => text);
  const sums = new PerceptionSums(dataset);
  const exam = new SymbolicExam(dataset, labels, windows, forecaster);
  const progress = progressOf(tools.err, count, 'scenes watched');
  try {
    for (let scene = 0; scene < count; scene++) {
      const clips = await readClips(dir, scene, manifest, tools.ffmpegPath);
      // A first run allocates what later ones share.
      if (scene === 0) await perceiveAll(clips.slice(0, 1), 'warm-up', perceiver, manifest);
      const seen = await perceiveAll(clips, String(scene), perceiver, manifest);
      const truth = await readTruth(dir, scene);
      sums.add(truth, seen, labels);
      await exam.add(truth, seen);
      progress.note(scene + 1);
    }
  } finally {
    progress.end();
    await perceiver.dispose();
    await forecaster?.dispose();
  }
  const report = perceptionReport({ bundle, dataset, sums, symbolic: exam.result() });
  tools.out.write(
    json === true ? `${JSON.stringify(report)}\n` : printPerception(report, detail === true),
  );
  return 0;
}
