/** What all texts share: lower case, one space between words, every sentence ends with ' .' or ' ?'. */
import { memoryS } from '../world/rules.js';
import { ticksPerSecond } from '../world/things.js';

export type Phrases = readonly [string, ...string[]];

/** What is asked, and what a forecaster who sees and knows the rules answers. */
export interface Exchange {
  readonly prompt: string;
  readonly answer: string;
}

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'] as const;

export const numberWord = (count: number): string => numbers[count] ?? 'many';

/** «two seconds», rounded down; what lasts longer than a window shows is «a while». */
function duration(ageTicks: number): string {
  const seconds = Math.floor(ageTicks / ticksPerSecond);
  if (seconds < 1) return 'a moment';
  if (seconds > memoryS) return 'a while';
  return seconds === 1 ? 'one second' : `${numberWord(seconds)} seconds`;
}

export const lasting = (ageTicks: number): string => `for ${duration(ageTicks)}`;
export const ago = (ageTicks: number): string =>
  ageTicks < 2 * ticksPerSecond ? 'a moment ago' : `${duration(ageTicks)} ago`;

export const sentence = (clause: string): string => `${clause} .`;

/** A chance as it is told: rounded to 0.05, so that there are few such words. */
export function confidenceWord(chance: number): string {
  return String(Math.round(chance * 20) / 20);
}
