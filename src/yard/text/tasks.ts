/** The two tasks of the paper as prompt and answer: causal explanation, and prediction. */
import { yardLabels } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import type { YardEvent } from '../world/things.js';
import type { World } from '../world/world.js';
import { happened, tell } from './events.js';
import { explanation } from './explanation.js';
import { Names } from './names.js';
import type { Cast } from './names.js';
import { reasonIn } from './reasons.js';
import { View } from './view.js';
import { confidenceWord } from './words.js';
import type { Exchange } from './words.js';

/** How many events a prediction names. */
export const predicted = 3;

/** «explain step by step why the gate opened .» */
export function causalExplanation(
  event: YardEvent,
  events: readonly YardEvent[],
  cast: Cast,
  random: RandomStream,
): Exchange {
  const that = happened(tell(event, new Names(cast), random));
  const prompt = random.pick([
    `explain step by step why ${that} .`,
    `explain step by step how it came that ${that} .`,
    `say step by step what led to it that ${that} .`,
  ]);
  return { prompt, answer: explanation(event, events, cast, random) };
}

/**
 * The three most likely next events, and how likely it is that nothing begins.
 * @param chances over all labels, index 0 nothing; summing to 1
 */
export function prediction(
  world: World,
  chances: ArrayLike<number>,
  random: RandomStream,
): Exchange {
  const prompt = random.pick([
    'predict the three most likely subsequent events , for each a brief justification and a confidence score from 0 to 1 .',
    'predict the three most likely next events , each with a brief justification and a confidence score from 0 to 1 .',
    'say which three events are most likely next , each with a brief justification and a confidence score from 0 to 1 .',
  ]);
  const likely = mostLikely(chances);
  const steps = likely.map((label, rank) => {
    const place = ['first', 'second', 'third'][rank] ?? 'next';
    const text = yardLabels[label]?.text ?? 'nothing';
    // A view of its own for each, so that each can be read alone.
    const why = reasonIn(new View(world), label, random).replace(/ \.$/, '');
    return `${place} , ${text} , ${why} , with confidence ${confidenceWord(chances[label] ?? 0)} .`;
  });
  const none = `nothing , with confidence ${confidenceWord(chances[0] ?? 0)} .`;
  return { prompt, answer: [...steps, none].join(' ') };
}

/** Up to three events that could be, the most likely first. */
function mostLikely(chances: ArrayLike<number>): number[] {
  return Array.from(chances, (chance, label) => ({ chance, label }))
    .filter(({ chance, label }) => label > 0 && chance > 0)
    .sort((a, b) => b.chance - a.chance || a.label - b.label)
    .slice(0, predicted)
    .map(({ label }) => label);
}
