/** How far a long run is, how fast it goes and how long it will take: one line, rewritten on a terminal. */
import type { Writable } from 'node:stream';

export interface Progress {
  /** @param done of all, those of an earlier run too */
  readonly note: (done: number) => void;
  /** Ends the line. */
  readonly end: () => void;
}

export interface ProgressOptions {
  readonly out: Writable & { readonly isTTY?: boolean };
  readonly total: number;
  /** «scenes». */
  readonly unit: string;
  /** A clock in milliseconds. */
  readonly nowMs: () => number;
}

/** Between lines where nothing can be rewritten. */
const linePeriodMs = 10_000;

export function showProgress({ out, total, unit, nowMs }: ProgressOptions): Progress {
  let begun: { readonly atMs: number; readonly done: number } | undefined;
  let shownAtMs = -Infinity;
  let isLineOpen = false;
  return {
    note: (done) => {
      const now = nowMs();
      begun ??= { atMs: now, done };
      const seconds = (now - begun.atMs) / 1000;
      const line = lineOf(done, total, unit, (done - begun.done) / seconds);
      if (out.isTTY === true) {
        out.write(`\r${line}\u001b[K`);
        isLineOpen = true;
        return;
      }
      if (now - shownAtMs < linePeriodMs && done < total) return;
      shownAtMs = now;
      out.write(`${line}\n`);
    },
    end: () => {
      if (isLineOpen) out.write('\n');
      isLineOpen = false;
    },
  };
}

function lineOf(done: number, total: number, unit: string, perSecond: number): string {
  const count = `${String(done)} of ${String(total)} ${unit}`;
  if (!Number.isFinite(perSecond) || perSecond <= 0) return count;
  const rate = `${count}, ${perSecond.toPrecision(2)} a second`;
  return done < total ? `${rate}, ${timeIn((total - done) / perSecond)} left` : rate;
}

function timeIn(seconds: number): string {
  if (seconds < 90) return `${String(Math.ceil(seconds))} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${String(minutes)} min`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}
