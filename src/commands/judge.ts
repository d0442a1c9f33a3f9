/** `evaluate judge`: a language model marks what `evaluate forecasts --texts` has written. */
import { readFile } from 'node:fs/promises';
import { LookaheadError, messageOf } from '../errors.js';
import { TextLineSchema, type TextLine } from '../yard/scoring/forecast-texts.js';
import { markdownTable, measureText } from '../yard/scoring/plain-table.js';
import { SceneSums, type Measure } from '../yard/scoring/scene-sums.js';
import type { EvaluateTools } from './evaluate.js';
import { progressOf } from './held-out-scenes.js';
import { JudgeClient, markNames, type JudgeOptions, type Marks } from './judge-client.js';
import { readOptions, wholeNumber } from './options.js';

const usage =
  './lookahead evaluate judge --texts FILE --url http://HOST/v1 --model NAME [--requests-max 200] [--timeout-seconds 60] [--json]; the key stands in LOOKAHEAD_JUDGE_KEY';

const flags = {
  texts: { type: 'string' },
  url: { type: 'string' },
  model: { type: 'string' },
  'requests-max': { type: 'string', default: '200' },
  'timeout-seconds': { type: 'string', default: '60' },
  json: { type: 'boolean', default: false },
} as const;

export type JudgeTools = Pick<EvaluateTools, 'out' | 'err'> & Pick<JudgeOptions, 'key' | 'sleep'>;

export interface JudgeReport {
  readonly model: string;
  readonly texts: number;
  readonly marked: number;
  readonly unreadable: number;
  readonly requests: number;
  /** By kind of text; means with intervals by bootstrap over scenes. */
  readonly marks: Readonly<
    Record<string, { readonly texts: number } & Readonly<Record<keyof Marks, Measure | null>>>
  >;
}

/** @throws LookaheadError usage, judge_failed */
export async function judgeCommand(args: readonly string[], tools: JudgeTools): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { texts, url, model, json } = options.values;
  if (typeof texts !== 'string' || typeof url !== 'string' || typeof model !== 'string')
    throw new LookaheadError('usage', '--texts, --url and --model are needed.', usage);
  const requestsMax = wholeNumber(options, 'requests-max', usage, 1);
  const timeoutMs = wholeNumber(options, 'timeout-seconds', usage, 1) * 1000;
  const client = new JudgeClient({
    ...{ url, model, requestsMax, timeoutMs, key: tools.key },
    ...(tools.sleep && { sleep: tools.sleep }),
  });
  const all = await readLines(texts);
  const chosen = spread(all, requestsMax);
  const sums = new SceneSums();
  const kinds = [...new Set(chosen.map(({ kind }) => kind))].sort();
  const progress = progressOf(tools.err, chosen.length, 'texts marked');
  let [marked, unreadable] = [0, 0];
  try {
    for (const line of chosen) {
      const judgement = await client.mark(line);
      if (judgement.how === 'spent') break;
      if (judgement.how === 'unreadable') {
        unreadable++;
        continue;
      }
      progress.note(++marked);
      sums.add(line.scene, line.kind, 1);
      for (const name of markNames)
        sums.add(line.scene, `${line.kind} ${name}`, judgement.marks[name]);
    }
  } finally {
    progress.end();
  }
  const report: JudgeReport = {
    ...{ model, texts: all.length, marked, unreadable, requests: client.requests },
    marks: Object.fromEntries(
      kinds.map((kind) => {
        const mean = (name: keyof Marks) => sums.ratio(`${kind} ${name}`, kind);
        const [grounding, coherence, insight] = [
          mean('grounding'),
          mean('coherence'),
          mean('insight'),
        ];
        return [kind, { texts: sums.total(kind), grounding, coherence, insight }];
      }),
    ),
  };
  tools.out.write(json === true ? `${JSON.stringify(report)}\n` : print(report));
  return 0;
}

/** As many as may be asked, evenly over the file: a file's beginning is its first scenes. */
export function spread<Item>(items: readonly Item[], countMax: number): Item[] {
  const count = Math.min(items.length, countMax);
  return Array.from(
    { length: count },
    (_, index) => items[Math.floor((index * items.length) / count)]!,
  );
}

async function readLines(path: string): Promise<TextLine[]> {
  const wrong = (what: string, cause?: unknown): LookaheadError =>
    new LookaheadError(
      'usage',
      `--texts is ${path}: ${what}.`,
      'Give a file that ./lookahead evaluate forecasts --texts FILE has written.',
      { cause },
    );
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    throw wrong(messageOf(error), error);
  }
  const lines = content.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [TextLineSchema.parse(JSON.parse(line))];
    } catch (error) {
      throw wrong(`line ${String(index + 1)} is none of its lines`, error);
    }
  });
  if (lines.length === 0) throw wrong('it holds no text');
  return lines;
}

function print({ model, texts, marked, unreadable, requests, marks }: JudgeReport): string {
  const head = `${model}: ${String(marked)} of ${String(texts)} texts marked from 1 to 10 in ${String(requests)} requests, ${String(unreadable)} answers unreadable; [95 % intervals by bootstrap over scenes]`;
  const rows = Object.entries(marks).map(([kind, it]) => [
    ...[kind, String(it.texts)],
    ...markNames.map((name) => measureText(it[name])),
  ]);
  const columns = ['', 'texts', 'factual grounding', 'logical coherence', 'insight'];
  return `${[head, '', ...markdownTable([columns, ...rows])].join('\n')}\n`;
}
