/** Ctrl-C and its like: the first asks to end, the second ends. */
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm passes on a Ctrl-C that the terminal has sent us already; both together are one. */
const sameMs = 700;

/** Fires at the first signal. A second one ends the process at once; its exit handlers kill the children. */
export function endSignal(): AbortSignal {
  const end = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (signal: (typeof signals)[number]): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      end.abort();
    } else if (now - firstAt > sameMs) {
      process.exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  return end.signal;
}
