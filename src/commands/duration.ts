/** Lengths of time as people write them. */
import { LookaheadError } from '../errors.js';

const dayMs = 86_400_000;
const unitsMs = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', dayMs],
]);
const lengthMaxMs = 366 * dayMs;

/**
 * `90m`, `24h`, `7d` in milliseconds.
 * @throws LookaheadError usage: what is none, nothing, or over a year
 */
export function durationMs(flag: string, text: string, usage: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const length = Number(number) * (unitsMs.get(unit) ?? NaN);
  if (length > 0 && length <= lengthMaxMs) return length;
  throw new LookaheadError(
    'usage',
    `--${flag} is ${JSON.stringify(text)}, not a time from 1m to 366d: minutes as 90m, hours as 24h, days as 7d.`,
    usage,
  );
}
