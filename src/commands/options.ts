/** The command line, read strictly: an unknown, repeated or empty flag is an error that names it. */
import type { Writable } from 'node:stream';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { overrides, type Config } from '../config.js';
import { LookaheadError, messageOf } from '../errors.js';
import { loadConfig } from '../load-config.js';

type Terminal = Writable & { readonly isTTY?: boolean };

/** What a command gets of the process it runs in. */
export interface Context {
  readonly out: Terminal;
  readonly err: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly ffmpegPath: string;
  readonly natsServerPath: string;
  /** Fires at the first Ctrl-C. A command that never asks for it is ended by Ctrl-C at once. */
  readonly signal: AbortSignal;
}

type Flags = NonNullable<ParseArgsConfig['options']>;

/** The flags of `overrides`, and where the configuration comes from. */
export const configFlags: Flags = {
  config: { type: 'string' },
  camera: { type: 'string', multiple: true },
  ...Object.fromEntries(overrides.map(({ flag }) => [flag, { type: 'string' as const }])),
};

/** Of a command that talks to a running engine over NATS. */
export const busFlags = {
  json: { type: 'boolean', default: false },
  site: { type: 'string' },
  nats: { type: 'string' },
  'nats-store': { type: 'string' },
  config: { type: 'string' },
} as const;

export interface Options {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly cameras: readonly string[];
  readonly positionals: readonly string[];
}

/** @throws LookaheadError usage */
export function readOptions(
  args: readonly string[],
  flags: Flags,
  usage: string,
  positionalsMax = Infinity,
): Options {
  const wrong = (what: string, cause?: unknown): LookaheadError =>
    new LookaheadError('usage', what, usage, { cause });
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: flags, allowPositionals: true, tokens: true });
  } catch (error) {
    throw wrong(messageOf(error).split('. ')[0] ?? '', error);
  }
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    if (seen.has(token.name) && flags[token.name]?.multiple !== true) {
      throw wrong(`${token.rawName} stands twice on the command line`);
    }
    seen.add(token.name);
    if (token.value === '') throw wrong(`${token.rawName} needs a value`);
  }
  const extra = parsed.positionals[positionalsMax];
  if (extra !== undefined) throw wrong(`${JSON.stringify(extra)} is not understood here`);
  const { camera, ...values } = parsed.values;
  return {
    values: values as Options['values'],
    cameras: (camera ?? []) as readonly string[],
    positionals: parsed.positionals,
  };
}

/** A flag's whole number. @throws LookaheadError usage when it is none, or below `least` */
export function wholeNumber({ values }: Options, name: string, usage: string, least = 0): number {
  const text = String(values[name]);
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  const what = `--${name} is ${JSON.stringify(text)}, not a whole number from ${String(least)}.`;
  throw new LookaheadError('usage', what, usage);
}

/** The same, or `otherwise` where the flag is left out. @throws LookaheadError usage */
export function wholeNumberOr(
  options: Options,
  name: string,
  otherwise: number,
  usage: string,
  least = 0,
): number {
  return options.values[name] === undefined ? otherwise : wholeNumber(options, name, usage, least);
}

/** @throws LookaheadError config_*, usage */
export function configOf(
  { values, cameras }: Options,
  { env, cwd }: Pick<Context, 'env' | 'cwd'>,
  file = values['config'],
): Config {
  const flags = values as Readonly<Record<string, string | undefined>>;
  return loadConfig({ file: typeof file === 'string' ? file : null, cameras, flags, env, cwd });
}
