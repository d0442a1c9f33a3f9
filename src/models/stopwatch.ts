/** The time in milliseconds from any fixed moment on. */
export type ClockMs = () => number;

export interface Stopwatch {
  readonly laps: Readonly<Record<string, number>>;
  /** Ends a stage: the time since the last lap, or since the start, is its own. */
  lap(stage: string): void;
}

/** Durations of stages one after another, in milliseconds; by the monotonic clock unless another is given. */
export function stopwatch(clock: ClockMs = () => performance.now()): Stopwatch {
  const laps: Record<string, number> = {};
  let last = clock();
  return {
    laps,
    lap: (stage) => {
      const now = clock();
      laps[stage] = (laps[stage] ?? 0) + now - last;
      last = now;
    },
  };
}

/** CPU time of this process, user and system: other work on the machine counts for little. */
export const cpuClockMs: ClockMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
