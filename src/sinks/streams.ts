/** The JetStream streams of one site: one for each stored kind, each with a budget. */
import { subjects, type MessageKind } from '../messages.js';
import type { StoredKind } from './outbox.js';

export interface StreamBudget {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

export type StreamBudgets = Readonly<Record<StoredKind, StreamBudget>>;

const dayMs = 86_400_000;
const mebibyte = 2 ** 20;

/** A forecast is about 3 kB and comes every 2 s: 16 cameras fill 1 GiB in about 12 hours. */
export const defaultBudgets: StreamBudgets = {
  forecast: { maxAgeMs: 7 * dayMs, maxBytes: 1024 * mebibyte },
  within: { maxAgeMs: dayMs, maxBytes: 256 * mebibyte },
  event: { maxAgeMs: 7 * dayMs, maxBytes: 256 * mebibyte },
  outcome: { maxAgeMs: 7 * dayMs, maxBytes: 256 * mebibyte },
  score: { maxAgeMs: 30 * dayMs, maxBytes: 256 * mebibyte },
  state: { maxAgeMs: 30 * dayMs, maxBytes: 16 * mebibyte },
};

/** Longer than any retry that follows a restart of the broker; the server removes doubles within it. */
export const duplicateWindowMs = 120_000;

/** Names are case-sensitive in NATS, so the site's letters stay as they are: "A" and "a" are two sites. */
export function streamName(site: string, kind: StoredKind): string {
  return `LOOKAHEAD_${site}_${kind}`;
}

export const storedKinds: readonly StoredKind[] = [
  'forecast',
  'within',
  'event',
  'outcome',
  'score',
  'state',
];

export function isStored(kind: MessageKind): kind is StoredKind {
  return kind !== 'scene';
}

/** In NATS' own words and units (nanoseconds), as the server answers them, so that drift can be seen. */
export interface StreamSettings {
  readonly name: string;
  readonly description: string;
  readonly subjects: string[];
  readonly max_age: number;
  readonly max_bytes: number;
  readonly duplicate_window: number;
  /** The last message of a camera can be read from any replica without a consumer (ADR-31). */
  readonly allow_direct: true;
}

export function streamSettings(
  site: string,
  kind: StoredKind,
  budgets: StreamBudgets,
): StreamSettings {
  const nanoseconds = (milliseconds: number): number => milliseconds * 1_000_000;
  const { maxAgeMs, maxBytes } = budgets[kind];
  return {
    name: streamName(site, kind),
    description: `Lookahead: ${kind} messages of the site ${site}`,
    subjects: [subjects.all(site, kind)],
    max_age: nanoseconds(maxAgeMs),
    max_bytes: maxBytes,
    // The server refuses a duplicate window that is longer than the stream's age.
    duplicate_window: nanoseconds(Math.min(duplicateWindowMs, maxAgeMs)),
    allow_direct: true,
  };
}

/** Names of the settings that differ from what the server has. */
export function drift(
  wanted: StreamSettings,
  actual: Readonly<Partial<Record<keyof StreamSettings, unknown>>>,
): (keyof StreamSettings)[] {
  return (Object.keys(wanted) as (keyof StreamSettings)[]).filter(
    (key) => JSON.stringify(wanted[key]) !== JSON.stringify(actual[key]),
  );
}
