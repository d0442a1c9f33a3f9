/** `start`: watches all cameras until Ctrl-C. */
import { startApp, type App } from '../app.js';
import { cameraNamesOf, type Config } from '../config.js';
import { createConsole, errorText, type Console } from '../console.js';
import { openWatchdog } from '../watchdog.js';
import type { Context } from './options.js';

/**
 * Resolves with the exit status when everything is closed: 1 where something could not be, or after a programming
 * error. Ends the process where closing takes longer than `limits.drainMs`.
 * @throws LookaheadError port_taken, bundle_invalid, broker_unreachable, model_lost
 */
export async function startCommand(config: Config, context: Context): Promise<number> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  context.signal.addEventListener('abort', end);
  if (context.signal.aborted) end();
  let status = 0;
  const console = createConsole({
    ...context,
    level: config.log.level,
    cameras: cameraNamesOf(config),
    onClosed: end,
  });
  const watchdog = openWatchdog({
    env: context.env,
    isHealthy: () => status === 0,
    say: (text) => console.log('warn', text),
  });
  const { drainMs } = config.limits;
  const late = endProcessAfter(drainMs, stop.signal, () => {
    console.log('error', `Not everything was closed within ${drainMs} ms.`);
  });
  try {
    let app: App;
    try {
      app = await startApp({
        config,
        tools: context,
        console,
        signal: stop.signal,
        onFatal: (error) => {
          status = 1;
          console.log('error', errorText(error));
          end();
        },
      });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      // Half-started things fail when they are told to stop; only what could not be closed is worth saying.
      return error instanceof AggregateError ? couldNotClose(error, console) : status;
    }
    watchdog.ready(() => app.hindrances());
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    }
    console.log('info', 'stopping');
    watchdog.stopping();
    await app.close().catch((error: unknown) => (status = couldNotClose(error, console)));
    return status;
  } finally {
    late.forget();
    watchdog.close();
  }
}

function couldNotClose(error: unknown, console: Console): 1 {
  const failures: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  for (const failure of failures) console.log('error', `While closing: ${errorText(failure)}`);
  return 1;
}

/** What hangs would keep the process alive after the command has given up; leaving kills the children. */
function endProcessAfter(
  limitMs: number,
  signal: AbortSignal,
  say: () => void,
): { forget(): void } {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => {
      say();
      process.exit(1);
    }, limitMs);
  };
  signal.addEventListener('abort', begin);
  if (signal.aborted) begin();
  return {
    forget: () => {
      signal.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}
