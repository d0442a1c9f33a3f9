/** A recorded scene's H.264 through ffmpeg and the perceiver, in this process: for measures, not for the engine. */
import { from, lastValueFrom, map, toArray } from 'rxjs';
import type { Mask } from '../models/automatic-masks.js';
import type { Manifest } from '../models/manifest.js';
import type { Perceiver } from '../models/perceiver.js';
import { joinFrames, pictureOf } from '../models/preprocess.js';
import { slideClips, toClip } from '../operators/slide-clips.js';
import { defaultLimits } from '../pipeline-config.js';
import type { Clip, Scene } from '../types.js';
import { playScene } from './held-out-scenes.js';

/** All of them before the first is perceived, so that no CPU time of reading is taken for the models'. */
export function readClips(
  dir: string,
  scene: number,
  manifest: Manifest,
  ffmpegPath: string,
): Promise<Clip[]> {
  const { camera, frames } = playScene(dir, scene, manifest, ffmpegPath);
  const { framesPerClip } = manifest.geometry;
  const limits = { framesPerClip, gapMaxMs: defaultLimits.frameGapMaxMs };
  return lastValueFrom(
    from(frames).pipe(
      slideClips(limits, () => undefined),
      map((clip, index) => toClip(camera, index, clip)),
      toArray(),
    ),
    { defaultValue: [] },
  );
}

/** @param masksOf a clip's key frame, in place of the segmenter's; none: the segmenter is asked */
export async function perceiveAll(
  clips: readonly Clip[],
  camera: string,
  perceiver: Perceiver,
  manifest: Manifest,
  masksOf?: (clip: number) => readonly Mask[],
): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for (const clip of clips) {
    const { index, fromMs, toMs, frames } = clip;
    const input = {
      ...{ camera, epoch: 0, clip: index, fromMs, toMs, trackFloor: 0 },
      picture: pictureOf(clip, manifest),
      pixels: joinFrames(frames),
      ...(masksOf && { masks: masksOf(index) }),
    };
    scenes.push(...(await perceiver.scenes([input])));
  }
  return scenes;
}
