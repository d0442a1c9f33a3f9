/** What a bundle says of recorded scenes, scene by scene; what was worked out is kept, so that an evaluation goes on where it was. */
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cpuClockMs } from '../models/stopwatch.js';
import type { Scene, Window } from '../types.js';
import { readTruth, type RecordedTruth } from '../yard/data/read-recording.js';
import { trueScenes } from '../yard/data/true-scenes.js';
import { writeWhole } from '../yard/data/write-whole.js';
import { messageOf } from '../errors.js';
import type { ForecastedScene, ForecastedWindow } from '../yard/scoring/forecast-results.js';
import { givenMasks } from '../yard/scoring/given-masks.js';
import type { ForecastModels } from './forecast-models.js';
import type { HeldOut, SceneTools } from './held-out-scenes.js';
import { perceiveAll, readClips } from './perceive-scene.js';

/** Raised when the same bundle would say other things of the same scene, or results have another form. */
const resultsVersion = 2;

/** `pixels`: the real path. `trueMasks`: the same but for the segmenter. `trueTracks`: no picture at all. */
export type Sight = 'pixels' | 'trueMasks' | 'trueTracks';

export interface Asking {
  readonly heldOut: HeldOut;
  readonly sight: Sight;
  /** Last clips of the windows that are asked for, in each scene. */
  readonly clips: readonly number[];
  readonly isExplained: boolean;
}

export interface Forecasted {
  readonly truth: RecordedTruth;
  readonly windows: readonly ForecastedWindow[];
}

/** @throws LookaheadError recording_unusable, ffmpeg_missing, ffmpeg_failed, model_failed */
export async function* forecastScenes(
  asking: Asking,
  scenes: number,
  models: ForecastModels,
  tools: SceneTools,
): AsyncGenerator<Forecasted> {
  const folder = join(tools.cacheDir, keyOf(asking, models));
  await mkdir(folder, { recursive: true });
  let isWarm = false;
  for (let scene = 0; scene < scenes; scene++) {
    const truth = await readTruth(asking.heldOut.dir, scene);
    const path = join(folder, `scene-${String(scene)}.json`);
    let windows = await readKept(path);
    if (!windows) {
      // A first run allocates what later ones share.
      if (!isWarm) await forecastScene(asking, truth, models, tools, 1);
      isWarm = true;
      windows = await forecastScene(asking, truth, models, tools);
      await keep(path, { scene, windows }, tools);
    }
    yield { truth, windows };
  }
}

function keyOf({ heldOut, sight, clips, isExplained }: Asking, { bundle }: ForecastModels): string {
  const asked = `${String(clips[0])}-${String(clips.at(-1))}x${String(clips.length)}`;
  const told = isExplained ? '-explained' : '';
  const of = basename(heldOut.dir).replace(/^evaluate-/, '');
  return `forecasts-v${String(resultsVersion)}-${bundle.sha256.slice(0, 12)}-${sight}-${of}-clips${asked}${told}`;
}

async function readKept(path: string): Promise<readonly ForecastedWindow[] | null> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as ForecastedScene).windows;
  } catch {
    return null;
  }
}

async function keep(path: string, result: ForecastedScene, { err }: SceneTools): Promise<void> {
  try {
    await writeWhole(path, JSON.stringify(result));
  } catch (error) {
    err.write(`${path} cannot be kept, the scene will be worked out again: ${messageOf(error)}\n`);
  }
}

/** @param windowsMax fewer than all, to warm up */
async function forecastScene(
  { heldOut: { dir, dataset }, sight, clips, isExplained }: Asking,
  truth: RecordedTruth,
  models: ForecastModels,
  { ffmpegPath }: SceneTools,
  windowsMax = Infinity,
): Promise<readonly ForecastedWindow[]> {
  const { bundle, perceiver, tracksOnly } = models;
  const { manifest } = bundle;
  const reasoner = sight === 'trueTracks' ? models.ofTrueTracks : models.reasoner;
  const { maskRows, maskColumns, clipsPerWindow } = manifest.geometry;
  const words = manifest.labels.map(({ text }) => text);
  const inOrder = (chances: readonly number[]): number[] =>
    dataset.labels.map(({ text }) => chances[words.indexOf(text)] ?? 0);
  const { scene } = truth.scene;
  let scenes: readonly Scene[];
  if (sight === 'trueTracks') {
    scenes = trueScenes(truth, dataset, manifest);
  } else {
    const read = await readClips(dir, scene, manifest, ffmpegPath);
    const masksOf =
      sight === 'trueMasks'
        ? (clip: number) => givenMasks(truth, clip, [maskRows, maskColumns])
        : undefined;
    scenes = await perceiveAll(read, `${sight}-${String(scene)}`, perceiver, manifest, masksOf);
  }
  const windows: ForecastedWindow[] = [];
  for (const clip of clips) {
    const window = windowAt(scenes, clip, clipsPerWindow);
    if (!window || windows.length >= windowsMax) continue;
    const beginMs = cpuClockMs();
    const scored = await reasoner.score(window);
    const scoredMs = cpuClockMs();
    const told = isExplained ? await reasoner.explain(window, scored) : null;
    const cpuMs = cpuClockMs() - scoredMs;
    windows.push({
      clip,
      chances: inOrder(scored.probabilities),
      tracksOnly: tracksOnly ? inOrder(await tracksOnly.chances(window)) : null,
      scoreCpuMs: scoredMs - beginMs,
      explained: told && { cpuMs, ...told },
    });
  }
  return windows;
}

/** Null where that clip was not perceived. */
function windowAt(scenes: readonly Scene[], clip: number, length: number): Window | null {
  const window = scenes.filter((scene) => scene.clip <= clip && scene.clip > clip - length);
  return window.at(-1)?.clip === clip ? window : null;
}
