/** `yard perceive …`: what a bundle sees of a recording, as track files (docs/yard-data.md). */
import { LookaheadError } from '../errors.js';
import { openBundle } from '../models/bundle.js';
import { Perceiver } from '../models/perceiver.js';
import { historyShapeOf } from '../models/track-history.js';
import { bundleDirOf, cacheDir } from '../places.js';
import { PerceivedTracks } from '../yard/data/perceived-tracks.js';
import { readTruth } from '../yard/data/read-recording.js';
import { heldOutScenes, progressOf } from './held-out-scenes.js';
import { perceiveAll, readClips } from './perceive-scene.js';
import { readOptions, wholeNumberOr, type Context } from './options.js';

const usage =
  './lookahead yard perceive --data DIR --out DIR [--bundle DIR] [--from 0] [--scenes N, by default all from there]';

const flags = {
  data: { type: 'string' },
  out: { type: 'string' },
  bundle: { type: 'string' },
  from: { type: 'string' },
  scenes: { type: 'string' },
} as const;

/**
 * @param args what follows `yard perceive`
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed, model_failed
 */
export async function yardPerceiveCommand(
  args: readonly string[],
  { ffmpegPath, err }: Pick<Context, 'ffmpegPath' | 'err'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { data, out, bundle: given } = options.values;
  if (typeof data !== 'string' || typeof out !== 'string')
    throw new LookaheadError('usage', '--data and --out are both needed.', usage);
  const bundle = await openBundle(
    typeof given === 'string' ? given : bundleDirOf({ bundle: 'yard' }),
  );
  const { manifest } = bundle;
  const { dir, dataset } = await heldOutScenes(data, manifest, {
    ...{ ffmpegPath, err, cacheDir },
    mayBeRecognised: true,
  });
  const from = wholeNumberOr(options, 'from', 0, usage);
  const last = Math.min(
    dataset.scenes,
    from + wholeNumberOr(options, 'scenes', dataset.scenes, usage, 1),
  );
  if (from >= last)
    throw new LookaheadError('usage', `--from ${from}: there are ${dataset.scenes} scenes.`, usage);
  const perceiver = await Perceiver.open(bundle, { threads: 1 });
  const tracks = new PerceivedTracks(
    dataset,
    historyShapeOf(manifest),
    manifest.geometry.visionDim,
  );
  const progress = progressOf(err, last - from, 'scenes watched');
  try {
    for (let scene = from; scene < last; scene++) {
      const clips = await readClips(dir, scene, manifest, ffmpegPath);
      const seen = await perceiveAll(clips, String(scene), perceiver, manifest);
      tracks.add(await readTruth(dir, scene), seen);
      progress.note(scene + 1 - from);
    }
  } finally {
    progress.end();
    await perceiver.dispose();
  }
  await tracks.write(out);
  return 0;
}
