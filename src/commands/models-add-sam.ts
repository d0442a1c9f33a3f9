/** `models add sam …`: checks an image encoder and a point decoder, and puts them into a copy of a bundle (docs/bundle.md). */
import { LookaheadError } from '../errors.js';
import { addSegmenter, type AddedSegmenter } from '../models/add-segmenter.js';
import { cpuClockMs } from '../models/stopwatch.js';
import { bundleDirOf } from '../places.js';
import { readOptions, type Context, type Options } from './options.js';

const usage =
  './lookahead models add sam --encoder FILE.onnx --decoder FILE.onnx [--bundle DIR] --out DIR';
const flags = {
  encoder: { type: 'string' },
  decoder: { type: 'string' },
  bundle: { type: 'string' },
  out: { type: 'string' },
} as const;

/**
 * Resolves with the exit status.
 * @throws LookaheadError usage, bundle_invalid, model_failed
 */
export async function modelsAddSamCommand(
  args: readonly string[],
  { out }: Pick<Context, 'out'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const [encoder, decoder] = [required(options, 'encoder'), required(options, 'decoder')];
  const target = required(options, 'out');
  const bundleDir = bundleDirOf({ bundle: String(options.values['bundle'] ?? 'yard') });
  const graphs = { encoder, decoder };
  const added = await addSegmenter(bundleDir, graphs, target, { threads: 1, clock: cpuClockMs });
  out.write(`${report(added, target)}\n`);
  return 0;
}

function required({ values }: Options, name: keyof typeof flags): string {
  const value = values[name];
  if (typeof value === 'string') return value;
  throw new LookaheadError('usage', `--${name} is missing.`, usage);
}

function report(
  { layout, manifest, encodeMs, decodeMs, points }: AddedSegmenter,
  target: string,
): string {
  const { segmenter, geometry, preprocessing } = manifest;
  const clipMs = (geometry.framesPerClip / geometry.framesPerSecond) * 1000;
  const cores = ((encodeMs + decodeMs) / clipMs).toFixed(2);
  const runs = layout.isBatched ? Math.ceil(points / segmenter.pointsPerBatch) : points;
  const takes =
    layout.sidePx === null
      ? 'the frame as it is'
      : `the picture in ${layout.sidePx} x ${layout.sidePx} px`;
  return [
    `layout     ${layout.name}; the encoder takes ${takes}, of frames of ${preprocessing.widthPx} x ${preprocessing.heightPx} px`,
    `masks      ${geometry.maskColumns} x ${geometry.maskRows} cells over the frame`,
    `parameters predIouThresh ${segmenter.predIouThresh}, stabilityScoreThresh ${segmenter.stabilityScoreThresh},` +
      ` stabilityScoreOffset ${segmenter.stabilityScoreOffset}, boxNmsThresh ${segmenter.boxNmsThresh}`,
    `cost       ${encodeMs.toFixed(0)} ms of CPU to encode a picture, ${decodeMs.toFixed(0)} ms for the ${points} points of the grid` +
      ` in ${runs} runs: ${cores} cores a camera, at a clip every ${clipMs} ms`,
    `written    ${target}; nothing was trained or measured with this segmenter, so no quality is stated and no chance is called calibrated`,
  ].join('\n');
}
