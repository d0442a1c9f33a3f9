/** `yard …`: everything about the simulated yard (docs/yard.md), each command loaded when it is used. */
import { LookaheadError } from '../errors.js';
import type { Context } from './options.js';

type Command = (args: readonly string[], context: Context) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  watch: async (args, context) => (await import('./yard-watch.js')).yardWatchCommand(args, context),
  record: async (args, context) =>
    (await import('./yard-record.js')).yardRecordCommand(args, context),
  perceive: async (args, context) =>
    (await import('./yard-perceive.js')).yardPerceiveCommand(args, context),
  forecast: async (args, context) =>
    (await import('./yard-forecast.js')).yardForecastCommand(args, context),
  robot: async (args, context) => (await import('./yard-robot.js')).yardRobotCommand(args, context),
  score: async (args, context) => (await import('./yard-score.js')).yardScoreCommand(args, context),
};

export const yardCommands = Object.keys(commands);

const usage = `Write ./lookahead yard COMMAND, one of: ${yardCommands.join(', ')}.`;

/** @throws LookaheadError what the command throws; usage, when there is no such command */
export async function yardCommand(args: readonly string[], context: Context): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command(rest, context);
  throw new LookaheadError(
    'usage',
    name === '' ? 'The command of the yard is missing.' : `There is no command "yard ${name}".`,
    usage,
  );
}
