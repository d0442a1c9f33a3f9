/** Every command by its name, loaded when it is used. */
import type { Config } from '../config.js';
import { bundleDirOf, cacheDir } from '../places.js';
import { configFlags, configOf, readOptions, type Context } from './options.js';

export type { Context } from './options.js';

type Command = (args: string[], context: Context) => Promise<number> | number;

export const commands: Readonly<Record<string, Command>> = {
  start: async (args, context) => {
    const config = configOfStart(args, context);
    return (await import('./start.js')).startCommand(config, context);
  },
  setup: async (args, context) => (await import('./setup.js')).setupCommand(args, context),
  check: async (args, context) => (await import('./check.js')).checkCommand(args, context),
  tail: async (args, context) => (await import('./tail.js')).tailCommand(args, context),
  ask: async (args, context) => (await import('./ask.js')).askCommand(args, context),
  report: async (args, context) => (await import('./report.js')).reportCommand(args, context),
  replay: async (args, context) => (await import('./replay.js')).replayCommand(args, context),
  harvest: async (args, context) => (await import('./harvest.js')).harvestCommand(args, context),
  compare: async (args, { ffmpegPath, out, err, cwd }) =>
    (await import('./compare.js')).compareCommand(args, { ffmpegPath, out, err, cwd, cacheDir }),
  calibration: async (args, context) =>
    (await import('./calibration.js')).calibrationCommand(args, context),
  yard: async (args, context) => (await import('./yard.js')).yardCommand(args, context),
  models: async (args, context) => (await import('./models.js')).modelsCommand(args, context),
  bundle: async (args, context) => {
    if (args[0] === 'use' || args[0] === 'show')
      return (await import('./bundle-use.js')).bundleUseCommand(args, context);
    return (await import('./bundle.js')).bundleCommand(args, context);
  },
  evaluate: async (args, context) => {
    const { ffmpegPath, out, err, env } = context;
    const bundleDir = bundleDirOf({ bundle: 'yard' });
    const tools = { ffmpegPath, out, err, cacheDir, bundleDir };
    const [name, ...rest] = args;
    if (name === 'perception')
      return (await import('./evaluate-perception.js')).evaluatePerceptionCommand(rest, tools);
    if (name === 'forecasts')
      return (await import('./evaluate-forecasts.js')).evaluateForecastsCommand(rest, tools);
    if (name === 'recalibration')
      return (await import('./evaluate-recalibration.js')).evaluateRecalibrationCommand(
        rest,
        tools,
      );
    if (name === 'judge') {
      const key = env['LOOKAHEAD_JUDGE_KEY'] ?? null;
      return (await import('./judge.js')).judgeCommand(rest, { out, err, key });
    }
    return (await import('./evaluate.js')).evaluateCommand(args, tools);
  },
};

const startUsage =
  './lookahead start [--config FILE] [--camera NAME=URL]… [--nats nats://HOST:PORT] [--http-port PORT]';

/** @throws LookaheadError config_*, usage */
export function configOfStart(
  args: readonly string[],
  context: Pick<Context, 'env' | 'cwd'>,
): Config {
  return configOf(readOptions(args, configFlags, startUsage, 0), context);
}
