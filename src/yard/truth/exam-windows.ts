/** The exam of a split and seed, worked out by as many processes as there are cores. */
import { availableParallelism } from 'node:os';
import { compiled } from '../jobs/compiled.js';
import { runJobs } from '../jobs/run-jobs.js';
import { scenesFor } from './exam.js';
import type { ExamOptions, ExamWindow } from './exam.js';

export interface ExamRun extends ExamOptions {
  readonly windows: number;
  /** 0: one for each core. */
  readonly workers: number;
  readonly onProgress: (windowsDone: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The first `windows` windows, in order. @throws what `signal` was aborted with */
export async function examWindows(run: ExamRun): Promise<ExamWindow[]> {
  const { split, seed, count, windows, workers, onProgress, signal } = run;
  const scenes = Array.from({ length: scenesFor(windows) }, (_, scene) => scene);
  const found = new Map<number, ExamWindow[]>();
  let done = 0;
  onProgress(0);
  await runJobs<ExamOptions, number, ExamWindow[]>({
    script: compiled('truth/exam-worker.js'),
    assignment: { split, seed, count },
    jobs: scenes,
    nameOf: (scene) => `scene ${String(scene)}`,
    workers: workers === 0 ? availableParallelism() : workers,
    onDone: (scene, result) => {
      found.set(scene, result);
      done += result.length;
      onProgress(Math.min(done, windows));
    },
    signal,
  });
  return scenes.flatMap((scene) => found.get(scene) ?? []).slice(0, windows);
}
