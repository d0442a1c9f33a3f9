/** Events and outcomes of the last minute as one list, newest first. Pure. */
import type { EventMessage, Outcome } from '../../messages.js';

export type RecentRow =
  | {
      readonly kind: 'event';
      readonly key: string;
      readonly at: string;
      readonly event: EventMessage;
    }
  | {
      readonly kind: 'outcome';
      readonly key: string;
      readonly at: string;
      readonly outcome: Outcome;
    };

const rowsMax = 14;
const lastMs = 60_000;

export function recentRows(
  events: readonly EventMessage[],
  outcomes: ReadonlyMap<string, Outcome>,
  nowMs: number,
): readonly RecentRow[] {
  const rows: RecentRow[] = [
    ...events.map((event) => ({ kind: 'event' as const, key: event.id, at: event.onset, event })),
    ...[...outcomes.values()].map((outcome) => ({
      kind: 'outcome' as const,
      key: `outcome ${outcome.id}`,
      at: outcome.decidedAt,
      outcome,
    })),
  ];
  return rows
    .filter(({ at }) => nowMs - Date.parse(at) < lastMs)
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, rowsMax);
}
