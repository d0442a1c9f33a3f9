/**
 * Causes by intervention. A caused B iff P(B | s, do A) - P(B | s, do not A) > 0.2 (or < -0.2: A prevented B), s the full state just
 * before A, B within 10 s; both chances from paired re-simulations. «Do not A» forbids that very event to that very thing.
 */
import { labelOf } from '../world/labels.js';
import { randomBits, stream } from '../world/random.js';
import { ticks } from '../world/things.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';

const causeWithinS = 10;
export const causeLeast = 0.2;
const withinTicks = ticks(causeWithinS);

/** One event of the scene and how far it changed the chance of a later one. */
export interface Effect {
  /** Ids of events. */
  readonly cause: number;
  readonly effect: number;
  /** P(B | do A) - P(B | do not A), -1 to 1. */
  readonly difference: number;
  /** Of the mean of the paired differences. */
  readonly stderr: number;
}

const pairs = stream('pairs');
const withdrawals = [labelOf('van leaves'), labelOf('car leaves')];

export interface CausesOptions {
  /** Pairs of re-simulations; 1,000 by the definition. */
  readonly pairs: number;
  readonly seed: number;
}

/**
 * What one event did to those that came within 10 s after it.
 * @param before the world one tick before `event` began
 * @param after the world at the tick at which it began
 * @param later the scene's events after it, in order
 */
export function effectsOf(
  before: World,
  after: World,
  event: YardEvent,
  later: readonly YardEvent[],
  options: CausesOptions,
): Effect[] {
  const end = event.tick + withinTicks;
  const questions = later.filter((it) => it.tick > event.tick && it.tick <= end);
  // Who leaves the picture can do nothing more.
  if (questions.length === 0 || withdrawals.includes(event.label)) return [];
  const sums = questions.map(() => ({ plus: 0, minus: 0 }));
  for (let i = 0; i < options.pairs; i++) {
    const seed = randomBits(options.seed, pairs, i, event.id);
    const done = replay(after, seed, end, null);
    const left = replay(before, seed, end, event);
    questions.forEach((question, j) => {
      const difference =
        Number(happens(question, done, after)) - Number(happens(question, left, after));
      if (difference > 0) sums[j]!.plus++;
      if (difference < 0) sums[j]!.minus++;
    });
  }
  return questions.map((question, j) => {
    const { plus, minus } = sums[j]!;
    const difference = (plus - minus) / options.pairs;
    const variance = (plus + minus) / options.pairs - difference ** 2;
    return {
      cause: event.id,
      effect: question.id,
      difference,
      stderr: Math.sqrt(variance / options.pairs),
    };
  });
}

function replay(from: World, seed: number, end: number, not: YardEvent | null): YardEvent[] {
  const world = from.clone(seed);
  if (not) world.ban = { label: not.label, actor: not.actor, untilTick: end };
  while (world.tick < end) world.step();
  return world.events;
}

/** The same thing does the same; of things that did not exist yet any may do it. */
function happens(question: YardEvent, events: readonly YardEvent[], after: World): boolean {
  const isKnown = question.actor < after.firstFreeId;
  return events.some(
    (it) => it.label === question.label && (!isKnown || it.actor === question.actor),
  );
}

/** Whether an effect is strong enough to be called one. */
export function isCause(effect: Effect): boolean {
  return Math.abs(effect.difference) > causeLeast;
}

/** How well the rules' own links («because») agree with causes by intervention, over pairs of events. */
export interface Agreement {
  readonly links: number;
  readonly causes: number;
  /** Links that are causes too. */
  readonly both: number;
}

export function agreement(events: readonly YardEvent[], effects: readonly Effect[]): Agreement {
  const tested = new Map(effects.map((it) => [`${String(it.cause)}>${String(it.effect)}`, it]));
  let links = 0;
  let both = 0;
  for (const event of events)
    for (const cause of event.because) {
      const effect = tested.get(`${String(cause)}>${String(event.id)}`);
      if (!effect) continue;
      links++;
      if (isCause(effect)) both++;
    }
  return { links, causes: effects.filter(isCause).length, both };
}
