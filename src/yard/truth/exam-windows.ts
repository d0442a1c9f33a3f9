/** The exam of a split and seed, worked out by as many processes as there are cores. */
import { availableParallelism } from 'node:os';
import { compiled } from '../jobs/compiled.js';
import { runJobs } from '../jobs/run-jobs.js';
import { openExamCache } from './exam-cache.js';
import { examClips, scenesFor } from './exam.js';
import type { ExamOptions, ExamWindow } from './exam.js';

export interface ExamRun extends ExamOptions {
  readonly windows: number;
  /** Where scenes are kept, so that an interrupted exam goes on where it was. */
  readonly cacheDir: string;
  /** 0: one for each core. */
  readonly workers: number;
  readonly onProgress: (windowsDone: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The first `windows` windows, in order. @throws what `signal` was aborted with */
export async function examWindows(run: ExamRun): Promise<ExamWindow[]> {
  const { split, seed, count, windows, workers, onProgress, signal } = run;
  const cache = await openExamCache(run.cacheDir, { split, seed, count });
  const scenes = Array.from({ length: scenesFor(windows) }, (_, scene) => scene);
  const found = new Map<number, ExamWindow[]>();
  for (const scene of scenes) {
    const kept = await cache.read(scene);
    if (kept) found.set(scene, kept);
  }
  let done = found.size * examClips.length;
  onProgress(Math.min(done, windows));
  const writes: Promise<void>[] = [];
  await runJobs<ExamOptions, number, ExamWindow[]>({
    script: compiled('truth/exam-worker.js'),
    assignment: { split, seed, count },
    jobs: scenes.filter((scene) => !found.has(scene)),
    nameOf: (scene) => `scene ${String(scene)}`,
    workers: workers === 0 ? availableParallelism() : workers,
    onDone: (scene, result) => {
      found.set(scene, result);
      writes.push(cache.write(scene, result));
      done += result.length;
      onProgress(Math.min(done, windows));
    },
    signal,
  });
  await Promise.all(writes);
  return scenes.flatMap((scene) => found.get(scene) ?? []).slice(0, windows);
}
