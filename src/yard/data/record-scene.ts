/** Writes one scene's folder. It appears when it is whole, so that whatever is there can be kept. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeH264 } from '../encode.js';
import { filmScene, framesPerSecond } from './film-scene.js';
import type { SceneOptions, SceneTruth } from './film-scene.js';
import { partialOf } from './write-whole.js';

export interface SceneTarget {
  readonly outDir: string;
  readonly ffmpegPath: string;
}

export const sceneFolder = (index: number): string => `scene-${String(index).padStart(5, '0')}`;

/** @throws LookaheadError ffmpeg_missing, ffmpeg_failed */
export async function recordScene(
  options: SceneOptions,
  index: number,
  { outDir, ffmpegPath }: SceneTarget,
): Promise<void> {
  const folder = join(outDir, sceneFolder(index));
  const partial = partialOf(folder);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  const encoder = encodeH264(ffmpegPath, join(partial, 'video.h264'), framesPerSecond);
  const ids: Uint8Array[] = [];
  let truth: SceneTruth | undefined;
  try {
    for (const item of filmScene(options, index)) {
      if (item.kind === 'picture') await encoder.write(item.pixels);
      else if (item.kind === 'ids') ids.push(item.ids);
      else truth = item.truth;
    }
  } finally {
    await encoder.end();
  }
  if (!truth) throw new Error('filmScene ends with the truth.');
  const write = (name: string, content: string | Buffer): Promise<void> =>
    writeFile(join(partial, name), content);
  await write('ids.u8.gz', gzipSync(Buffer.concat(ids)));
  await write('clips.jsonl', jsonLines(truth.clips));
  await write('events.jsonl', jsonLines(truth.events));
  await write('windows.jsonl', jsonLines(truth.windows));
  await write('scene.json', jsonLines([truth.scene]));
  await rename(partial, folder);
}

export function jsonLines(items: readonly object[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('');
}

export function json(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
