/** Outcomes as they were stored, oldest first, for whoever adds them up again. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { OutcomeSchema, type Outcome } from '../messages.js';
import type { Bus, HistoryRange } from './bus-types.js';

/** Parsed in one go: some milliseconds, in which nothing else runs. */
const parsedMax = 64;

/**
 * What is no outcome of version 1 is left out and told. Cameras are watched meanwhile: every few messages all else has its turn.
 * @throws LookaheadError broker_unreachable, broker_refused, also on the way
 */
export async function* storedOutcomes(
  bus: Pick<Bus, 'history'>,
  range: HistoryRange,
  onUnreadable: (subject: string) => void = () => undefined,
): AsyncGenerator<Outcome> {
  const decoder = new TextDecoder();
  let parsed = 0;
  for await (const { subject, data } of bus.history('outcome', range)) {
    const outcome = OutcomeSchema.safeParse(jsonOf(decoder.decode(data)));
    if (outcome.success) yield outcome.data;
    else onUnreadable(subject);
    parsed += 1;
    if (parsed % parsedMax === 0) await nextTurn();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
