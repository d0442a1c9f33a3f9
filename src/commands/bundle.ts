/** `bundle build …`: a bundle of the paper's size from released weights, by `training/build_bundle.py` (docs/paper-bundle.md). */
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LookaheadError } from '../errors.js';
import { root } from '../places.js';
import { readOptions, type Context, type Options } from './options.js';

const usage =
  './lookahead bundle build paper --vision FILE --sam FILE --llm DIR [--fusion FILE] [--labels FILE] --out DIR';
const flags = {
  vision: { type: 'string' },
  sam: { type: 'string' },
  llm: { type: 'string' },
  fusion: { type: 'string' },
  labels: { type: 'string' },
  out: { type: 'string' },
} as const;

/** What lies in the folder of a language model. */
const ofLanguageModel = ['config.json', 'tokenizer.json'];

/**
 * The arguments of `build_bundle.py`, with whole paths.
 *
 * @throws LookaheadError usage: a flag is missing, or names nothing that can be read
 */
export function bundleBuildOf(args: readonly string[], cwd: string): readonly string[] {
  const [verb, size, ...rest] = args;
  if (verb !== 'build' || size !== 'paper') {
    const asked = ['bundle', verb, size].filter((word) => word !== undefined).join(' ');
    throw new LookaheadError('usage', `There is no command "${asked}".`, usage);
  }
  const options = readOptions(rest, flags, usage, 0);
  const path = (name: string): string => resolve(cwd, required(options, name));
  const given = (name: string): readonly string[] =>
    options.values[name] === undefined ? [] : [`--${name}`, file(name, path(name))];
  return [
    size,
    ...['--vision', file('vision', path('vision'))],
    ...['--sam', file('sam', path('sam'))],
    ...['--llm', languageModel(path('llm'))],
    ...given('fusion'),
    ...given('labels'),
    ...['--out', emptyFolder(path('out'))],
  ];
}

/**
 * Resolves with the exit status of Python, which says itself what is wrong with a file.
 *
 * @throws LookaheadError usage
 */
export async function bundleCommand(
  args: readonly string[],
  { cwd, env, out, err, signal }: Pick<Context, 'cwd' | 'env' | 'out' | 'err' | 'signal'>,
): Promise<number> {
  const parameters = bundleBuildOf(args, cwd);
  // The launcher has set it up and says where.
  const python = env['LOOKAHEAD_PYTHON'] ?? join(root, 'training/.venv/bin/python');
  const script = join(root, 'training/build_bundle.py');
  return await new Promise((done, fail) => {
    const child = spawn(python, [script, ...parameters], {
      cwd: join(root, 'training'),
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    child.stdout.pipe(out, { end: false });
    child.stderr.pipe(err, { end: false });
    child.once('error', (cause) => {
      if (signal.aborted) return fail(signal.reason as Error);
      const what = `${python} cannot be run.`;
      const remedy = 'Start this command by ./lookahead, which sets Python up.';
      fail(new LookaheadError('usage', what, remedy, { cause }));
    });
    child.once('close', (status) => done(status ?? 1));
  });
}

function required({ values }: Options, name: string): string {
  const value = values[name];
  if (typeof value === 'string') return value;
  throw new LookaheadError('usage', `--${name} is missing.`, usage);
}

function file(name: string, path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  throw new LookaheadError('usage', `--${name} is ${path}, where no file is.`, usage);
}

function languageModel(path: string): string {
  const names = namesIn(path);
  const missing = ofLanguageModel.find((name) => names?.includes(name) !== true);
  const has = names?.some((name) => name.endsWith('.safetensors')) === true;
  if (missing === undefined && has) return path;
  throw new LookaheadError(
    'usage',
    `--llm is ${path}, where there is no ${missing ?? '*.safetensors'}.`,
    'Name a folder as transformers keeps it: config.json, tokenizer.json, *.safetensors.',
  );
}

function emptyFolder(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path;
  const first = found.isDirectory() ? namesIn(path)?.[0] : 'no folder';
  if (first === undefined) return path;
  const what = `--out is ${path}, which is not empty: ${first}.`;
  throw new LookaheadError('usage', what, 'Name another folder with --out, or empty this one.');
}

/** Null where it is no folder that can be read. */
function namesIn(path: string): readonly string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}
