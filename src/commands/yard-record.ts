/** `yard record …`: writes the yard's data (docs/yard-data.md). */
import { availableParallelism } from 'node:os';
import { LookaheadError } from '../errors.js';
import { showProgress } from '../yard/data/progress.js';
import { defaultsOf, recordScenes } from '../yard/data/record-scenes.js';
import { splits } from '../yard/data/splits.js';
import { readOptions, wholeNumberOr, type Context } from './options.js';
import { splitOf } from './yard-split.js';

const usage = `./lookahead yard record --split ${splits.join('|')} --out DIR [--scenes 200] [--seconds 40] [--seed 1]
  [--workers N, by default one for each core] [--tracks, no video] [--texts LINES]
  [--bayes-count FUTURES, 0 for none] [--bayes-every CLIPS] [--causes-pairs PAIRS, 0 for none]`;

const flags = {
  split: { type: 'string' },
  out: { type: 'string' },
  scenes: { type: 'string', default: '200' },
  seconds: { type: 'string', default: '40' },
  seed: { type: 'string', default: '1' },
  workers: { type: 'string' },
  tracks: { type: 'boolean', default: false },
  texts: { type: 'string' },
  'bayes-count': { type: 'string' },
  'bayes-every': { type: 'string' },
  'causes-pairs': { type: 'string' },
} as const;

/**
 * @param args what follows `yard record`
 * @throws LookaheadError usage, ffmpeg_missing, ffmpeg_failed
 */
export async function yardRecordCommand(
  args: readonly string[],
  { ffmpegPath, err }: Pick<Context, 'ffmpegPath' | 'err'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { out, tracks } = options.values;
  const split = splitOf(options, usage);
  if (typeof out !== 'string') throw new LookaheadError('usage', '--out is missing.', usage);
  const number = (flag: keyof typeof flags, otherwise: number, least = 0): number =>
    wholeNumberOr(options, flag, otherwise, usage, least);
  const { bayes, causes, texts } = defaultsOf(split);
  const count = number('bayes-count', bayes === 'none' ? 0 : bayes.count);
  const every = number('bayes-every', bayes === 'none' ? 4 : bayes.every, 1);
  const pairs = number('causes-pairs', causes === 'none' ? 0 : causes.pairs);
  const scenes = number('scenes', 0, 1);
  const progress = showProgress({
    out: err,
    total: scenes,
    unit: 'scenes',
    nowMs: () => performance.now(),
  });
  try {
    await recordScenes({
      split,
      scenes,
      outDir: out,
      seed: number('seed', 0),
      secondsPerScene: number('seconds', 0, 1),
      workers: number('workers', availableParallelism(), 1),
      texts: number('texts', texts),
      tracks: tracks === true,
      bayes: count === 0 ? 'none' : { count, every },
      causes: pairs === 0 ? 'none' : { pairs },
      ffmpegPath,
      onProgress: progress.note,
    });
  } finally {
    progress.end();
  }
  return 0;
}
