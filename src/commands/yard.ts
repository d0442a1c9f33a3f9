import { parseArgs } from 'node:util';
import { LookaheadError, messageOf } from '../errors.js';
import { recordYard, splits } from '../yard/record.js';

const usage =
  './lookahead yard record --split train|validation|test --out DIR [--scenes 200] [--seconds 40] [--seed 1]';

/**
 * `yard record …`: writes the yard's data (docs/yard-data.md).
 * @throws LookaheadError usage, ffmpeg_missing, ffmpeg_failed
 */
export async function yardCommand(
  args: string[],
  tools: { readonly ffmpegPath: string },
): Promise<number> {
  const { values, positionals } = parse(args);
  if (positionals.length !== 1 || positionals[0] !== 'record')
    throw wrong(`"yard ${positionals.join(' ')}" is not a command.`);
  const split = splits.find((name) => name === values.split);
  if (!split) throw wrong(`--split is ${JSON.stringify(values.split ?? null)}.`);
  if (values.out === undefined) throw wrong('--out is missing.');
  await recordYard({
    split,
    outDir: values.out,
    scenes: whole('scenes', values.scenes),
    seconds: whole('seconds', values.seconds),
    seed: whole('seed', values.seed),
    ffmpegPath: tools.ffmpegPath,
    onProgress: (done, scenes) => {
      if (done % 10 === 0 || done === scenes)
        process.stderr.write(`${String(done)} of ${String(scenes)} scenes\n`);
    },
  });
  return 0;
}

function parse(args: string[]): {
  values: { split?: string; out?: string; scenes: string; seconds: string; seed: string };
  positionals: string[];
} {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        split: { type: 'string' },
        out: { type: 'string' },
        scenes: { type: 'string', default: '200' },
        seconds: { type: 'string', default: '40' },
        seed: { type: 'string', default: '1' },
      },
    });
  } catch (error) {
    throw wrong(messageOf(error), error);
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw wrong(`--${name} is "${text}", not a whole number.`);
  return Number(text);
}

function wrong(message: string, cause?: unknown): LookaheadError {
  return new LookaheadError('usage', message, `Use: ${usage}`, { cause });
}
