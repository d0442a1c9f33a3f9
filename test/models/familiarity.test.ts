/** What the shipped bundle calls familiar, through H.264 and ffmpeg: the yard in other weather and from other poses; nothing else. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { perceiveAll, readClips } from '../../src/commands/perceive-scene.js';
import { openBundle, type Bundle } from '../../src/models/bundle.js';
import { Perceiver } from '../../src/models/perceiver.js';
import { recordScenes } from '../../src/yard/data/record-scenes.js';
import { runFfmpeg } from '../../src/yard/run-ffmpeg.js';
import { yardDir } from './yard-bundle.js';

const ffmpegPath = process.env['LOOKAHEAD_FFMPEG'] ?? 'ffmpeg';
const recorded = fileURLToPath(new URL('../../../shared/data/video', import.meta.url));
const videos = existsSync(recorded)
  ? readdirSync(recorded).filter((it) => it.endsWith('.mp4'))
  : [];
const size = 's=320x180:r=8:d=2';

let folder: string;
let bundle: Bundle;
let perceiver: Perceiver;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lookahead-familiarity-'));
  bundle = await openBundle(yardDir);
  perceiver = await Perceiver.open(bundle, { threads: 1 });
});
afterAll(async () => {
  await perceiver.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function familiarities(dir: string, scene = 0): Promise<number[]> {
  const clips = await readClips(dir, scene, bundle.manifest, ffmpegPath);
  const seen = await perceiveAll(clips, `${dir}-${scene}`, perceiver, bundle.manifest);
  expect(seen.length).toBeGreaterThan(0);
  return seen.map(({ familiarity }) => familiarity);
}

/** As a camera's picture would come: H.264 of 320 x 180, 8 a second. */
async function filmed(name: string, input: readonly string[]): Promise<string> {
  const dir = join(folder, name);
  mkdirSync(join(dir, 'scene-00000'), { recursive: true });
  const video = join(dir, 'scene-00000', 'video.h264');
  const coded = ['-t', '3', '-r', '8', '-s', '320x180', '-c:v', 'libx264', '-f', 'h264', video];
  await runFfmpeg(ffmpegPath, ['-v', 'error', ...input, '-an', '-pix_fmt', 'yuv420p', ...coded]);
  return dir;
}

describe('familiarity', () => {
  const strange = (values: readonly number[]): void => {
    for (const value of values) expect(value).toBeLessThan(bundle.manifest.domain.familiarityMin);
  };

  it.each([
    ['noise', `nullsrc=${size},geq=random(1)*255:128:128`],
    ['bars', `smptebars=${size}`],
    ['a black picture', `color=black:${size}`],
  ])('is not given to %s', async (name, source) => {
    strange(await familiarities(await filmed(name, ['-f', 'lavfi', '-i', source])));
  });

  it.skipIf(videos.length === 0).each(videos)('is not given to %s', async (video) => {
    strange(await familiarities(await filmed(video, ['-i', join(recorded, video)])));
  });

  it('is given to yards of an appearance that training never saw', async () => {
    const outDir = join(folder, 'appearance');
    await recordScenes({
      ...{ split: 'appearance', scenes: 4, secondsPerScene: 6, seed: 9, outDir, ffmpegPath },
      ...{ bayes: 'none', causes: 'none', texts: 0, tracks: false, workers: 1 },
      onProgress: () => undefined,
    });
    const all: number[] = [];
    for (let scene = 0; scene < 4; scene++) all.push(...(await familiarities(outDir, scene)));
    const known = all.filter((value) => value >= bundle.manifest.domain.familiarityMin);
    // One in sixty of such clips lies beyond.
    expect(known.length).toBeGreaterThanOrEqual(all.length - 2);
  });
});
