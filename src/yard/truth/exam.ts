/** The windows that forecasters are asked for, with their truth: the same for everybody who names the same split and seed. */
import { openScene } from '../data/splits.js';
import type { Split } from '../data/splits.js';
import type { TruthWindow } from '../scoring/truth-window.js';
import { yardLabels } from '../world/labels.js';
import { randomBits, stream, uniform } from '../world/random.js';
import { ticksPerSecond } from '../world/things.js';
import { chancesAt, needsOlderMemory, windowBayes } from './chances.js';
import { firstEvent, horizonTicks } from './futures.js';
import { priorOf } from './prior.js';

/** Clips of one second that a window ends with, in each scene; all of them are full, and they overlap by half. */
export const examClips = [11, 15, 19, 23, 27, 31, 35, 39] as const;

/** Raised when the same world is given other chances: truth that is kept is then worked out anew. */
export const truthVersion = 1;

/** What a forecaster of the reference bundle remembers. */
export const clipsPerWindow = 8;

export interface ExamWindow extends TruthWindow {
  /** pBayes of one who has watched for the window's clips only. */
  readonly bayesOfWindow: readonly number[];
}

export interface ExamOptions {
  readonly split: Split;
  readonly seed: number;
  /** Re-simulated futures for each distribution. */
  readonly count: number;
}

const tie = stream('tie');
const futures = stream('futures of the exam');

/** The windows of one scene. */
export function examScene({ split, seed, count }: ExamOptions, scene: number): ExamWindow[] {
  const world = openScene(split, seed, scene);
  const { template } = world.place;
  const prior = priorOf(template);
  const start = world.tick;
  const asked = examClips.map((clip) => {
    const end = start + (clip + 1) * ticksPerSecond;
    while (world.tick < end) world.step();
    const options = { count, seed: randomBits(world.seed, futures, end) };
    const { bayes, state, bayesWithin } = chancesAt(world, options);
    const bayesOfWindow = needsOlderMemory(world, clipsPerWindow)
      ? windowBayes(world, clipsPerWindow, options)
      : bayes;
    return { clip, end, bayes, state, bayesWithin, bayesOfWindow };
  });
  const last = asked.at(-1)?.end ?? start;
  while (world.tick < last + horizonTicks) world.step();
  return asked.map(({ clip, end, ...chances }) => {
    const later = world.events.filter((it) => it.tick > end && it.tick <= end + horizonTicks);
    const next = firstEvent(later, end, uniform(world.seed, tie, end));
    const within = new Set(later.map((it) => it.label));
    return {
      scene,
      clip,
      template: template.name,
      next: next?.label ?? 0,
      last: world.events.findLast((it) => it.tick <= end)?.label ?? null,
      within: yardLabels.map((_, label) => (label === 0 ? later.length === 0 : within.has(label))),
      prior: prior.next,
      priorWithin: prior.within,
      ...chances,
    };
  });
}

/** How many scenes hold so many windows. */
export function scenesFor(windows: number): number {
  return Math.ceil(windows / examClips.length);
}
