/**
 * Why a label comes next, from the rule that fires it and what can be seen when the window ends. What cannot be seen, as
 * whether a van is expected, is never spoken of.
 */
import { yardLabels } from '../world/labels.js';
import type { EventText } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import type { World } from '../world/world.js';
import { comeIntoView } from './events.js';
import { peopleReasons } from './reasons-people.js';
import { roadReasons } from './reasons-road.js';
import type { Why } from './reasons-road.js';
import { yardReasons } from './reasons-yard.js';
import { doings } from './states.js';
import { View } from './view.js';
import { sentence } from './words.js';

const reasons: Readonly<Record<EventText, Why>> = {
  ...roadReasons,
  ...peopleReasons,
  ...yardReasons,
};

/** Where nothing in view speaks for it, as when something hides what does. */
export const withoutReason = 'because this happens here now and then .';

/** «because the light has been red for four seconds .» */
export function reason(world: World, label: number, random: RandomStream): string {
  return reasonIn(new View(world), label, random);
}

export function reasonIn(view: View, label: number, random: RandomStream): string {
  const text = yardLabels[label]?.text ?? 'nothing';
  const clauses = text === 'nothing' ? quiet(view) : reasons[text](view);
  // Who comes from beyond the view is not in view yet.
  const isComing = comeIntoView.has(label);
  const [first, ...rest] = isComing ? clauses : view.honest(clauses);
  return first === undefined ? withoutReason : sentence(`because ${random.pick([first, ...rest])}`);
}

/** Why nothing begins. */
function quiet(view: View): readonly string[] {
  const [first, ...others] = doings(view);
  if (!first) return ['nobody is in view', 'nothing moves', 'all is quiet'];
  const it = view.names.of(first.id);
  const may = view.honest(first.does).map((does) => `${it} ${does} and that may last`);
  return others.length > 0
    ? [...may, 'all in view needs more time']
    : [...may, `${it} is the only one here`];
}
