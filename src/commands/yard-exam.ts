/** What `yard score` and `yard forecast` share: which windows are asked for, and their truth. */
import { cacheDir } from '../places.js';
import { showProgress } from '../yard/data/progress.js';
import { splits } from '../yard/data/splits.js';
import { examWindows } from '../yard/truth/exam-windows.js';
import type { ExamWindow } from '../yard/truth/exam.js';
import { wholeNumber, type Context, type Options } from './options.js';
import { splitOf } from './yard-split.js';

export const examFlags = {
  split: { type: 'string' },
  seed: { type: 'string', default: '1' },
  windows: { type: 'string', default: '400' },
  futures: { type: 'string', default: '1024' },
  workers: { type: 'string', default: '0' },
} as const;

export const examUsage = `--split ${splits.join('|')} [--seed 1] [--windows 400] [--futures 1024]
  [--workers N, by default one for each core]`;

/** Works out the truth: minutes; what was worked out before is kept. @throws LookaheadError usage; what `signal` was aborted with */
export async function examOf(
  options: Options,
  { err, signal }: Pick<Context, 'err' | 'signal'>,
  usage: string,
): Promise<readonly ExamWindow[]> {
  const split = splitOf(options, usage);
  const number = (flag: keyof typeof examFlags, least: number): number =>
    wholeNumber(options, flag, usage, least);
  const asked = number('windows', 1);
  const progress = showProgress({
    out: err,
    total: asked,
    unit: 'windows',
    nowMs: () => performance.now(),
  });
  try {
    return await examWindows({
      ...{ split, seed: number('seed', 0), windows: asked, signal, cacheDir },
      count: number('futures', 1),
      workers: number('workers', 0),
      onProgress: progress.note,
    });
  } finally {
    progress.end();
  }
}
