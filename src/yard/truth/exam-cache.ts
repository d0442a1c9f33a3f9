/** The truth of scenes that was worked out before: it takes seconds a scene, and the same exam is asked for again and again. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../data/write-whole.js';
import { worldVersion } from '../world/version.js';
import { truthVersion } from './exam.js';
import type { ExamOptions, ExamWindow } from './exam.js';

export interface ExamCache {
  /** @returns null when the scene is not there, or not whole */
  readonly read: (scene: number) => Promise<ExamWindow[] | null>;
  readonly write: (scene: number, windows: readonly ExamWindow[]) => Promise<void>;
}

/** A file a scene, in a folder for each exam, world and way to work out the truth. */
export async function openExamCache(
  cacheDir: string,
  { split, seed, count }: ExamOptions,
): Promise<ExamCache> {
  const exam = `exam-world${String(worldVersion)}-truth${String(truthVersion)}-${split}-seed${String(seed)}-${String(count)}futures`;
  const folder = join(cacheDir, exam);
  await mkdir(folder, { recursive: true });
  const pathOf = (scene: number): string => join(folder, `scene-${String(scene)}.json`);
  return {
    read: async (scene) => {
      try {
        return JSON.parse(await readFile(pathOf(scene), 'utf8')) as ExamWindow[];
      } catch {
        return null;
      }
    },
    write: async (scene, windows) => {
      try {
        await writeWhole(pathOf(scene), JSON.stringify(windows));
      } catch {
        // What cannot be kept is worked out again next time.
      }
    },
  };
}
