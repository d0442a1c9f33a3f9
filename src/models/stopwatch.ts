/** Durations of stages one after another, by the monotonic clock, in milliseconds. */
export function stopwatch(): {
  readonly laps: Readonly<Record<string, number>>;
  /** Ends a stage: the time since the last lap, or since the start, is its own. */
  lap(stage: string): void;
} {
  const laps: Record<string, number> = {};
  let last = performance.now();
  return {
    laps,
    lap: (stage) => {
      const now = performance.now();
      laps[stage] = (laps[stage] ?? 0) + now - last;
      last = now;
    },
  };
}
