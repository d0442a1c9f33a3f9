/** So much of one kind of work at once, and no more. */
import { Refusal } from './reply.js';

const retryAfterS = 5;

/** Nothing waits: what is beyond the limit is refused with status 429. */
export function atMost(max: number, what: string): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  return async (work) => {
    if (running >= max) {
      throw new Refusal(
        429,
        'queue_full',
        `At most ${max} ${what} at once.`,
        'Wait for the others to end.',
        { 'retry-after': String(retryAfterS) },
      );
    }
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  };
}
