/** Questions about a scene, with answers from truth. */
import { yardLabels } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import type { YardEvent } from '../world/things.js';
import { causeLeast } from '../truth/causes.js';
import type { Effect } from '../truth/causes.js';
import type { World } from '../world/world.js';
import { comeIntoView, hadNotHappened, hasHappened, tell, wouldHappen } from './events.js';
import { withoutCause } from './explanation.js';
import { Names } from './names.js';
import type { Cast } from './names.js';
import { reason } from './reasons.js';
import { movingStates } from './states.js';
import { View } from './view.js';
import type { Witness } from './witness.js';
import { sentence } from './words.js';
import type { Exchange } from './words.js';

export function whatHappens(world: World, witness: Witness, random: RandomStream): Exchange {
  const prompt = random.pick([
    'what is happening ?',
    'what is going on ?',
    'what can be seen now ?',
  ]);
  const names = new Names(witness.cast);
  const last = witness.recent(world).at(-1);
  const told = last ? [sentence(hasHappened(tell(last, names, random)))] : [];
  return { prompt, answer: [...told, ...movingStates(new View(world, names), random)].join(' ') };
}

/** @param events those that were seen */
export function whyDid(
  event: YardEvent,
  events: readonly YardEvent[],
  cast: Cast,
  random: RandomStream,
): Exchange {
  const names = new Names(cast);
  names.of(event.actor);
  const { subject, predicate } = tell(event, names, random);
  const linked = events.filter((it) => event.because.includes(it.id));
  // That it came at all explains little where something else led to it.
  const telling = linked.filter((it) => it.actor !== event.actor || !comeIntoView.has(it.label));
  const causes = telling.length > 0 ? telling : linked;
  const why = causes.map((it) => hasHappened(tell(it, names, random)));
  return {
    prompt: `why did ${subject} ${predicate} ?`,
    answer: sentence(why.length > 0 ? `because ${why.join(' and ')}` : withoutCause(event, random)),
  };
}

/** @param chances over all labels, index 0 nothing */
export function whatNext(world: World, chances: ArrayLike<number>, random: RandomStream): Exchange {
  const prompt = random.pick(['what comes next ?', 'what will happen next ?', 'what is next ?']);
  const label = Array.from(chances).reduce((best, it, at, all) => (it > all[best]! ? at : best), 0);
  const text = yardLabels[label]?.text ?? 'nothing';
  return { prompt, answer: `${text} , ${reason(world, label, random)}` };
}

/** What if it had not been for the cause; null where one of the two was not seen. */
export function whatIf(
  { cause, effect, difference }: Effect,
  events: readonly YardEvent[],
  cast: Cast,
  random: RandomStream,
): Exchange | null {
  const [first, second] = [cause, effect].map((id) => events.find((it) => it.id === id));
  if (!first || !second) return null;
  const names = new Names(cast);
  for (const event of [first, second]) names.of(event.actor);
  const without = hadNotHappened(tell(first, names, random));
  const then = tell(second, names, random);
  return {
    prompt: random.pick([
      `what if ${without} ?`,
      `what would be different if ${without} ?`,
      `would it be the same if ${without} ?`,
    ]),
    answer: sentence(answer()),
  };

  function answer(): string {
    if (Math.abs(difference) <= causeLeast) return `${wouldHappen(then, 'mostly')} all the same`;
    if (difference < 0) return wouldHappen(then, 'rather');
    return difference > 0.8 ? wouldHappen(then, 'not') : wouldHappen(then, 'less often');
  }
}
