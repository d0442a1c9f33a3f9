/** Messages as they were stored, oldest first, for whoever takes up what earlier runs left. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { z } from 'zod';
import { OutcomeSchema, type Outcome } from '../messages.js';
import type { Bus, HistoryRange } from './bus-types.js';
import type { StoredKind } from './outbox.js';

/** Parsed in one go: some milliseconds, in which nothing else runs. */
const parsedMax = 64;

/**
 * What is no message of version 1 is left out and told. Cameras are watched meanwhile: every few messages all else has its turn.
 * @throws LookaheadError broker_unreachable, broker_refused, also on the way
 */
export async function* storedMessages<Schema extends z.ZodType>(
  bus: Pick<Bus, 'history'>,
  kind: StoredKind,
  schema: Schema,
  range: HistoryRange,
  onUnreadable: (subject: string) => void = () => undefined,
): AsyncGenerator<z.output<Schema>> {
  const decoder = new TextDecoder();
  let parsed = 0;
  for await (const { subject, data } of bus.history(kind, range)) {
    const message = schema.safeParse(jsonOf(decoder.decode(data)));
    if (message.success) yield message.data;
    else onUnreadable(subject);
    parsed += 1;
    if (parsed % parsedMax === 0) await nextTurn();
  }
}

export function storedOutcomes(
  bus: Pick<Bus, 'history'>,
  range: HistoryRange,
  onUnreadable?: (subject: string) => void,
): AsyncGenerator<Outcome> {
  return storedMessages(bus, 'outcome', OutcomeSchema, range, onUnreadable);
}

/** Undefined: it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
