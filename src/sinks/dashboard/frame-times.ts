/** The ends of the seconds of a window, oldest first. Pure. */
const clipMs = 1_000;

/** @param earliestMs what is older is gone; the newest is at the window's end */
export function frameTimes(from: string, to: string, earliestMs: number): readonly number[] {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const times: number[] = [];
  for (let atMs = toMs; atMs > fromMs && atMs >= earliestMs; atMs -= clipMs) times.unshift(atMs);
  return times;
}
