/** `start`: watches all cameras until Ctrl-C. */
import { startApp } from '../app.js';
import { cameraNamesOf, type Config } from '../config.js';
import { createConsole, errorText } from '../console.js';
import type { Context } from './options.js';

/**
 * Resolves with the exit status when everything is closed.
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
  try {
    const app = await startApp({
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
    if (!stop.signal.aborted) {
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    }
    console.log('info', 'stopping');
    if (await isLate(app.close(), config.limits.drainMs)) {
      console.log('error', `Not everything was closed within ${config.limits.drainMs} ms.`);
      status = 1;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return status;
}

async function isLate(work: Promise<void>, limitMs: number): Promise<boolean> {
  const limit = new AbortController();
  const late = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(true), limitMs);
    limit.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const result = await Promise.race([work.then(() => false), late]);
  limit.abort();
  return result;
}
