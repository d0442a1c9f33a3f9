/** Which line of a forecaster's file is for which window of the exam; every window has its line, and none has two. */
import { wrong, type ForecastLine, type NextLine, type WithinLine } from './forecast-file.js';
import type { TruthWindow } from './truth-window.js';

export interface Matched {
  /** By `keyOf`; empty where the file has none of the kind. */
  readonly next: ReadonlyMap<string, NextLine>;
  readonly within: ReadonlyMap<string, WithinLine>;
  /** Lines for later windows than the exam's last: a long file may be scored on its first windows. */
  readonly leftOut: number;
}

type Moment = Pick<TruthWindow, 'scene' | 'clip'>;

export const keyOf = ({ scene, clip }: Moment): string => `${String(scene)} ${String(clip)}`;

/** @throws LookaheadError usage: windows missing, twice, or not in the exam */
export function matchLines(
  exam: readonly TruthWindow[],
  forecasts: readonly ForecastLine[],
): Matched {
  const next = new Map<string, NextLine>();
  const within = new Map<string, WithinLine>();
  const leftOut = sortLines(exam, forecasts, { next, within });
  if (next.size > 0) checkComplete(exam, next, 'next');
  if (within.size > 0) checkComplete(exam, within, 'within');
  if (next.size + within.size === 0)
    throw wrong(
      'No line is for a window of this exam.',
      'Forecast the windows that are asked for.',
    );
  return { next, within, leftOut };
}

const isAfter = (a: Moment, b: Moment): boolean =>
  a.scene > b.scene || (a.scene === b.scene && a.clip > b.clip);
const called = ({ scene, clip }: Moment): string => `scene ${String(scene)}, clip ${String(clip)}`;

/** Gives each line to its window. @returns the number of those that come after all windows */
function sortLines(
  exam: readonly TruthWindow[],
  forecasts: readonly ForecastLine[],
  to: { readonly next: Map<string, NextLine>; readonly within: Map<string, WithinLine> },
): number {
  const asked = new Set(exam.map(keyOf));
  const end = exam.reduce<Moment>((last, window) => (isAfter(window, last) ? window : last), {
    scene: -1,
    clip: -1,
  });
  let leftOut = 0;
  for (const forecast of forecasts) {
    const key = keyOf(forecast);
    if (!asked.has(key)) {
      if (isAfter(forecast, end)) {
        leftOut++;
        continue;
      }
      throw wrong(
        `${placeOf(forecast)}${called(forecast)} is no window of this exam.`,
        'Remove the line, or give the split, seed and --windows that the file was made for.',
      );
    }
    const lines: Map<string, ForecastLine> = to[forecast.target];
    const twin = lines.get(key);
    if (twin)
      throw wrong(
        `${placeOf(forecast)}${called(forecast)} is forecast twice for "${forecast.target}"${twin.line === undefined ? '' : `, first in line ${String(twin.line)}`}.`,
        'Keep one line for each window.',
      );
    lines.set(key, forecast);
  }
  return leftOut;
}

const placeOf = ({ line }: ForecastLine): string =>
  line === undefined ? '' : `Line ${String(line)}: `;

/** Whoever may leave out windows would leave out the hard ones. */
function checkComplete(
  exam: readonly TruthWindow[],
  lines: ReadonlyMap<string, ForecastLine>,
  target: string,
): void {
  const missing = exam.filter((window) => !lines.has(keyOf(window)));
  const [first] = missing;
  if (!first) return;
  const shown = missing.slice(0, 3).map(called).join('; ');
  const before = exam.indexOf(first);
  throw wrong(
    `${String(missing.length)} of ${String(exam.length)} windows have no forecast for "${target}": ${shown}${missing.length > 3 ? '; …' : ''}.`,
    before > 0
      ? `Forecast every window, or give --windows ${String(before)} to score those before the first missing one.`
      : 'Forecast every window of the exam.',
  );
}
