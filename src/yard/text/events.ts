/** How each event is told. */
import { labelOf, yardLabels } from '../world/labels.js';
import type { EventText, LabelText } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import type { YardEvent } from '../world/things.js';
import type { Names } from './names.js';
import { conjugate } from './verbs.js';
import { sentence } from './words.js';
import type { Phrases } from './words.js';

/** What follows the actor's name, from the verb's base form; {it} stands for the target. */
export const predicates: Readonly<Record<EventText, Phrases>> = {
  'van enters': ['enter', 'come along the road', 'come into view'],
  'car enters': ['enter', 'come along the road', 'come into view'],
  'bicycle enters': ['enter', 'come along the road', 'come into view'],
  'person enters': ['enter', 'come along the pavement', 'come into view'],
  'child enters': ['enter', 'come into view', 'come onto the lawn'],
  'dog follows person': ['follow {it}', 'come after {it}', 'walk behind {it}'],
  'person comes out': ['come out', 'come out of the door', 'leave the house'],
  'forklift comes out': ['come out', 'come out of the dock', 'drive out of the dock'],
  'van leaves': ['leave', 'drive away', 'drive out of view'],
  'car leaves': ['leave', 'drive away', 'drive out of view'],
  'van stops at gate': ['stop at the gate', 'stop before the gate', 'come to a stop at the gate'],
  'gate opens': ['open', 'slide open', 'begin to open'],
  'van drives in': ['drive in', 'drive in at the gate', 'turn in through the gate'],
  'gate closes': ['close', 'slide shut', 'begin to close'],
  'van turns away': ['turn away', 'turn away from the gate', 'drive on past the gate'],
  'van stops at door': ['stop at the door', 'stop near the door', 'come to a stop near the door'],
  'person gets out': ['get out', 'get out of {it}', 'come out of {it}'],
  'person hands over parcel': [
    'hand over {it}',
    'hand {it} to somebody inside',
    'give {it} to somebody inside',
  ],
  'person puts down parcel': ['put down {it}', 'put {it} down', 'put {it} by the door'],
  'person picks up parcel': ['pick up {it}', 'take {it} in', 'take {it} inside'],
  'person gets in': ['get in', 'get into {it}', 'get back into {it}'],
  'person goes in': ['go in', 'go in at the door', 'enter the house'],
  'person turns back': ['turn back', 'turn back at the door', 'walk away from the door'],
  'light turns red': ['turn red', 'change to red', 'turn to red'],
  'light turns green': ['turn green', 'change to green', 'turn to green'],
  'car stops at light': [
    'stop at the light',
    'stop at the red light',
    'come to a stop at the light',
  ],
  'van stops at light': [
    'stop at the light',
    'stop at the red light',
    'come to a stop at the light',
  ],
  'person crosses road': ['cross', 'cross the road', 'walk across the road'],
  'ball rolls onto road': ['roll onto the road', 'roll over the kerb', 'roll out onto the road'],
  'child runs after ball': ['run after {it}', 'run onto the road after {it}', 'chase {it}'],
  'dog runs after ball': ['run after {it}', 'run onto the road after {it}', 'chase {it}'],
  'car yields': ['yield', 'give way', 'stop to give way'],
  'van yields': ['yield', 'give way', 'stop to give way'],
  'bicycle collides with ball': ['collide with {it}', 'hit {it}', 'run into {it}'],
  'forklift picks up pallet': [
    'pick up {it}',
    'take {it} from the stack',
    'take up {it} at the stack',
  ],
  'forklift puts down pallet': ['put down {it}', 'put {it} on the stack', 'set {it} on the stack'],
  'stack falls': ['fall', 'fall over', 'tip over'],
  'forklift yields to person': ['yield to {it}', 'give way to {it}', 'wait for {it}'],
  'person yields to forklift': ['yield to {it}', 'give way to {it}', 'wait for {it}'],
};

/** An event in words, before its tense is chosen. */
export interface Told {
  readonly subject: string;
  /** From the verb's base form. */
  readonly predicate: string;
}

export const happens = (it: Told): string => `${it.subject} ${conjugate(it.predicate, 'present')}`;
export const hasHappened = (it: Told): string =>
  `${it.subject} has ${conjugate(it.predicate, 'participle')}`;
export const happened = (it: Told): string => `${it.subject} ${conjugate(it.predicate, 'past')}`;
export const hadNotHappened = (it: Told): string =>
  `${it.subject} had not ${conjugate(it.predicate, 'participle')}`;
export const wouldHappen = (it: Told, how = ''): string =>
  ['would', how, it.predicate]
    .filter(Boolean)
    .reduce((said, word) => `${said} ${word}`, it.subject);

/** @throws RangeError when the index is no event's label */
function predicatesOf(label: number): Phrases {
  const text: LabelText | undefined = yardLabels[label]?.text;
  if (text === undefined || text === 'nothing')
    throw new RangeError(
      `Label ${label} is no event; events have the labels 1 to ${yardLabels.length - 1}.`,
    );
  return predicates[text];
}

export function tell(event: YardEvent, names: Names, random: RandomStream): Told {
  const predicate = random.pick(predicatesOf(event.label));
  const subject = names.of(event.actor);
  if (!predicate.includes('{it}')) return { subject, predicate };
  return { subject, predicate: predicate.replace('{it}', names.of(event.target ?? 0)) };
}

/** «a plain van stops at the gate .» */
export function eventSentence(event: YardEvent, names: Names, random: RandomStream): string {
  return sentence(happens(tell(event, names, random)));
}

/** Events whose actor was not in view before. */
export const comeIntoView: ReadonlySet<number> = new Set(
  yardLabels
    .filter(({ type }) => type === 'enters' || type === 'comes out' || type === 'follows')
    .map(({ text }) => labelOf(text)),
);
