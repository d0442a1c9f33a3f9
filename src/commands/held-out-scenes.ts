/** The yard's scenes that `evaluate` watches: drawn once and kept in the cache, or given as a folder. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { LookaheadError } from '../errors.js';
import { readRecording } from '../ingest/file.js';
import type { Manifest } from '../models/manifest.js';
import type { Frame } from '../types.js';
import { framesPerClip, framesPerSecond, horizonMs } from '../yard/data/film-scene.js';
import { showProgress, type Progress } from '../yard/data/progress.js';
import { readDataset, videoOf } from '../yard/data/read-recording.js';
import { ffmpegVersion, recordScenes } from '../yard/data/record-scenes.js';
import { sceneFolder } from '../yard/data/record-scene.js';
import type { Dataset } from '../yard/data/schema.js';
import { drawnSplit, type Split } from '../yard/data/splits.js';
import { yardLabels } from '../yard/world/labels.js';
import { worldVersion } from '../yard/world/version.js';
import type { Context } from './options.js';

export interface SceneTools extends Pick<Context, 'ffmpegPath' | 'err'> {
  readonly cacheDir: string;
  /** Where nothing is measured: what cameras recognised will do. */
  readonly mayBeRecognised?: boolean;
}

/** As many as `yard record` takes for pBayes. */
const futuresOfBayes = 1024;

/** What of a recording decides what is drawn. */
export interface Asked {
  readonly split: Split;
  readonly scenes: number;
  readonly seconds: number;
  readonly seed: number;
  /** pBayes of each clip whose number plus 1 is a multiple of this; 4 unless told otherwise. */
  readonly bayesEvery?: number;
  /** Pairs of re-simulations for causes by intervention; 0, none, unless told otherwise. */
  readonly causesPairs?: number;
}

export interface HeldOut {
  readonly dir: string;
  readonly dataset: Dataset;
}

/**
 * What does not fit is told before the long work.
 *
 * @param asked a folder that `yard record` has written, or what to draw
 * @throws LookaheadError bundle_invalid, recording_unusable, usage, ffmpeg_missing, ffmpeg_failed
 */
export async function heldOutScenes(
  asked: string | Asked,
  manifest: Manifest,
  { mayBeRecognised, ...tools }: SceneTools,
): Promise<HeldOut> {
  if (typeof asked !== 'string') checkFit(manifest, ownYard);
  const dir = typeof asked === 'string' ? asked : await drawnScenes(asked, tools);
  const dataset = await readDataset(dir);
  if (mayBeRecognised !== true) drawnSplit(dataset.split);
  checkFit(manifest, dataset);
  return { dir, dataset };
}

/** Another world, another ffmpeg or another length draws anew. */
async function drawnScenes(
  { split, scenes, seconds, seed, bayesEvery = 4, causesPairs = 0 }: Asked,
  { ffmpegPath, cacheDir, err }: SceneTools,
): Promise<string> {
  const ffmpeg = (await ffmpegVersion(ffmpegPath)).replaceAll(/[^\w.+-]/g, '_');
  const of = split === 'test' ? '' : `-${split}`;
  const further = `${bayesEvery === 4 ? '' : `-every${bayesEvery}`}${causesPairs === 0 ? '' : `-causes${causesPairs}`}`;
  const key = `world${worldVersion}${of}-seed${seed}-${scenes}x${seconds}s-ffmpeg${ffmpeg}${further}`;
  const outDir = join(cacheDir, `evaluate-${key}`);
  const progress = progressOf(err, scenes, 'scenes drawn');
  try {
    await recordScenes({
      ...{ split, scenes, secondsPerScene: seconds, seed, outDir, ffmpegPath },
      // Of every split: without it no window of train could be scored.
      bayes: { count: futuresOfBayes, every: bayesEvery },
      causes: causesPairs === 0 ? 'none' : { pairs: causesPairs },
      ...{ texts: 0, tracks: false },
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

/** A scene's H.264 through ffmpeg. A folder's name has letters, digits and "-" only, so it can name a camera. */
export function playScene(
  dir: string,
  scene: number,
  { preprocessing, geometry }: Manifest,
  ffmpegPath: string,
): { readonly camera: string; readonly frames: AsyncIterable<Frame> } {
  const camera = sceneFolder(scene);
  const { widthPx, heightPx } = preprocessing;
  const { framesPerSecond } = geometry;
  const options = { camera, ffmpegPath, widthPx, heightPx, framesPerSecond, privacyMasks: [] };
  return { camera, frames: readRecording(videoOf(dir, scene), options) };
}

export function progressOf(out: Writable, total: number, unit: string): Progress {
  return showProgress({ out, total, unit, nowMs: () => performance.now() });
}
