/** `evaluate recalibration`: yards watched for an hour, then under other rules; what is learned from outcomes on the way. */
import { openBundle } from '../models/bundle.js';
import { watchYardShift, type WatchedYard } from '../yard/data/shifted-yard.js';
import { proofOf, type ProofRow } from '../yard/scoring/recalibration-proof.js';
import type { Measure } from '../yard/scoring/scene-sums.js';
import { yardLabels } from '../yard/world/labels.js';
import { shifts, shiftTexts } from '../yard/world/shift.js';
import type { EvaluateTools } from './evaluate.js';
import { progressOf } from './held-out-scenes.js';
import { openTrackForecaster } from './open-track-forecaster.js';
import { readOptions, wholeNumber, wholeNumberOr } from './options.js';

const usage =
  './lookahead evaluate recalibration [--seed 1] [--yards 16] [--futures 32] [--bundle DIR] [--json]';

const flags = {
  bundle: { type: 'string' },
  seed: { type: 'string' },
  yards: { type: 'string', default: '16' },
  futures: { type: 'string', default: '32' },
  json: { type: 'boolean', default: false },
} as const;

/** An hour of forecasts. */
const forecastsBefore = 1800;
/** In so many it is learned. */
const forecastsLearning = 500;
const forecastsAfter = 1300;

interface Row extends ProofRow {
  /** As `ratio`, with the outcomes in which it was learned. */
  readonly ratioFromStart: Measure;
}

/**
 * By the bundle's track forecaster over true tracks: what is measured is what outcomes teach, not what pixels hide.
 * @throws LookaheadError usage, bundle_invalid
 */
export async function evaluateRecalibrationCommand(
  args: readonly string[],
  { bundleDir, out, err }: EvaluateTools,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { bundle: given, json } = options.values;
  const seed = wholeNumberOr(options, 'seed', 1, usage);
  const count = wholeNumber(options, 'yards', usage, 2);
  const futures = wholeNumber(options, 'futures', usage, 1);
  const bundle = await openBundle(typeof given === 'string' ? given : bundleDir);
  const { manifest } = bundle;
  const model = await openTrackForecaster(bundle);
  const words = manifest.labels.map(({ text }) => text);
  const progress = progressOf(err, count, 'yards watched');
  try {
    const yards: WatchedYard[] = [];
    for (let scene = 0; scene < count; scene++) {
      const yard = await watchYardShift({
        ...{ split: 'test', seed, scene, forecastsBefore, forecastsAfter, shifts, futures },
        ...{ bayesEvery: 2, manifest },
        forecast: async (window) => {
          const chances = await model.chances(window);
          return yardLabels.map(({ text }) => chances[words.indexOf(text)] ?? 0);
        },
      });
      yards.push(yard);
      progress.note(yards.length);
    }
    const rows = shifts.map((shift): Row => ({
      ...proofOf(yards, shift, forecastsLearning),
      ratioFromStart: proofOf(yards, shift, 0).ratio,
    }));
    out.write(json === true ? `${JSON.stringify({ seed, rows })}\n` : table(rows));
    return 0;
  } finally {
    progress.end();
    await model.dispose();
  }
}

function table(rows: readonly Row[]): string {
  const cell = ({ value, interval: [low, high] }: Measure): string =>
    `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
  const lines = rows.flatMap(({ shift, before, own, recalibrated, ratio, rise, ...it }) => [
    `${shift}: ${shiftTexts[shift]}`,
    `  eceBayes in the hour before       ${cell(before)}`,
    `  after it, the bundle's own        ${cell(own)}`,
    `  after it, recalibrated            ${cell(recalibrated)}`,
    `  of the bundle's own are left      ${cell(ratio)}`,
    `  the same from the shift itself on ${cell(it.ratioFromStart)}`,
    `  rise                              ${cell(rise)}`,
  ]);
  const [first] = rows;
  const head = `${String(first?.yards)} yards; from the ${String(forecastsLearning)}th outcome after the shift on; [95 %, bootstrap over yards]`;
  return `${[head, ...lines].join('\n')}\n`;
}
