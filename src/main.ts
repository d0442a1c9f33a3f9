/** The command line: finds the command and gives it its surroundings. */
import { bundleBuildOf } from './commands/bundle.js';
import { commands, configOfStart, type Context } from './commands/index.js';
import { errorText } from './console.js';
import { LookaheadError } from './errors.js';
import { endSignal } from './signals.js';

const usage = `Write ./lookahead COMMAND, one of: ${Object.keys(commands).join(', ')}, test, bench, docs.`;

/** As a shell tells of a program that Ctrl-C has ended. */
const interruptedStatus = 130;

/** Nothing at all, flags alone and `run` mean `start`. */
function split(args: readonly string[]): [string, string[]] {
  const [first, ...rest] = args;
  if (first === undefined || /^-(?!-help$|h$)/.test(first)) return ['start', [...args]];
  return [first === 'run' ? 'start' : first, rest];
}

/** The programs that a command line needs. What is wrong with it is said by `main`. */
export function toolsOf(args: readonly string[]): ('ffmpeg' | 'nats-server')[] {
  const [name, rest] = split(args);
  if (['replay', 'evaluate', 'compare'].includes(name)) return ['ffmpeg'];
  if (name === 'yard') return /^(record|watch|perceive)$/.test(rest[0] ?? '') ? ['ffmpeg'] : [];
  if (name === 'setup') return ['ffmpeg', 'nats-server'];
  if (name !== 'start') return [];
  try {
    const { nats } = configOfStart(rest, { env: process.env, cwd: process.cwd() });
    return nats.servers === null ? ['ffmpeg', 'nats-server'] : ['ffmpeg'];
  } catch {
    return [];
  }
}

/** Whether a command line runs Python, which takes 5 GB to set up: never for one that `main` will refuse. */
export function needsTraining(args: readonly string[]): boolean {
  const [name, rest] = split(args);
  if (name !== 'bundle') return false;
  try {
    bundleBuildOf(rest, process.cwd());
    return true;
  } catch {
    return false;
  }
}

/** Resolves with the exit status; errors that a user can act on are printed, others are thrown. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, rest] = split(args);
  const { env } = process;
  let signal: AbortSignal | undefined;
  const context: Context = {
    out: process.stdout,
    err: process.stderr,
    env,
    cwd: process.cwd(),
    ffmpegPath: env['LOOKAHEAD_FFMPEG'] ?? 'ffmpeg',
    natsServerPath: env['LOOKAHEAD_NATS_SERVER'] ?? 'nats-server',
    get signal() {
      return (signal ??= endSignal());
    },
  };
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command !== undefined) return await command(rest, context);
    if (/^(--help|-h|help)$/.test(name)) process.stdout.write(`${usage}\n`);
    else throw new LookaheadError('usage', `There is no command ${JSON.stringify(name)}.`, usage);
    return 0;
  } catch (error) {
    // Ended by the user before it was done: there is nothing to tell.
    if (signal?.aborted === true && error === signal.reason) return interruptedStatus;
    if (!(error instanceof LookaheadError)) throw error;
    process.stderr.write(`${errorText(error)}\n`);
    return error.code === 'usage' ? 2 : 1;
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2));
