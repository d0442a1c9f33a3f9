import { LookaheadError } from '../errors.js';
import { recordYard, splits } from '../yard/record.js';
import { readOptions, wholeNumber } from './options.js';

const usage =
  './lookahead yard record --split train|validation|test --out DIR [--scenes 200] [--seconds 40] [--seed 1]';

const flags = {
  split: { type: 'string' },
  out: { type: 'string' },
  scenes: { type: 'string', default: '200' },
  seconds: { type: 'string', default: '40' },
  seed: { type: 'string', default: '1' },
} as const;

/**
 * `yard record …`: writes the yard's data (docs/yard-data.md).
 * @throws LookaheadError usage, ffmpeg_missing, ffmpeg_failed
 */
export async function yardCommand(
  args: readonly string[],
  tools: { readonly ffmpegPath: string },
): Promise<number> {
  const options = readOptions(args, flags, usage, 1);
  const [what] = options.positionals;
  if (what !== 'record') throw wrong(`There is no command "yard ${what ?? ''}".`);
  const { split: name, out } = options.values;
  const split = splits.find((known) => known === name);
  if (!split) throw wrong(`--split is ${JSON.stringify(name ?? null)}.`);
  if (typeof out !== 'string') throw wrong('--out is missing.');
  await recordYard({
    split,
    outDir: out,
    scenes: wholeNumber(options, 'scenes', usage, 1),
    seconds: wholeNumber(options, 'seconds', usage, 2),
    seed: wholeNumber(options, 'seed', usage),
    ffmpegPath: tools.ffmpegPath,
    onProgress: (done, scenes) => {
      if (done % 10 === 0 || done === scenes)
        process.stderr.write(`${String(done)} of ${String(scenes)} scenes\n`);
    },
  });
  return 0;
}

function wrong(what: string): LookaheadError {
  return new LookaheadError('usage', what, usage);
}
