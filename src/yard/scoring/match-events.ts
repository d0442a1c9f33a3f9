/** An event and when it began, as truth has it or as it was recognised. */
export interface TimedEvent {
  readonly label: string;
  readonly onsetMs: number;
}

export interface EventCounts {
  readonly truths: number;
  readonly found: number;
  /** Pairs of a true and a recognised one. */
  readonly hits: number;
}

/** An event counts as recognised when its onset is this near. */
export const onsetToleranceMs = 1000;

/**
 * Pairs events of one scene, each at most once: same label, onsets within the tolerance. By time, so that no other pairing
 * of a label has more hits.
 *
 * @returns by label, those without any event left out
 */
export function matchEvents(
  truths: readonly TimedEvent[],
  found: readonly TimedEvent[],
): ReadonlyMap<string, EventCounts> {
  const onsetsOf = (events: readonly TimedEvent[], label: string): number[] =>
    events
      .filter((event) => event.label === label)
      .map(({ onsetMs }) => onsetMs)
      .sort((a, b) => a - b);
  const labels = new Set([...truths, ...found].map(({ label }) => label));
  return new Map(
    [...labels].map((label) => {
      const open = onsetsOf(truths, label);
      const said = onsetsOf(found, label);
      return [label, { truths: open.length, found: said.length, hits: countPairs(open, said) }];
    }),
  );
}

/** Both in the order of time. */
function countPairs(truths: readonly number[], found: readonly number[]): number {
  let hits = 0;
  let next = 0;
  for (const onsetMs of found) {
    while (next < truths.length && truths[next]! < onsetMs - onsetToleranceMs) next++;
    if (next === truths.length || truths[next]! > onsetMs + onsetToleranceMs) continue;
    next++;
    hits++;
  }
  return hits;
}
