/** The yard's rules as general statements; of the rest of the text each sentence speaks of one scene. */
import type { RandomStream } from '../world/random.js';
import type { Phrases } from './words.js';

export interface Rule {
  readonly subject: string;
  /** What follows it, in the present tense. */
  readonly does: string;
}

/** What docs and rules.ts say in numbers. */
export const rulesInWords: readonly Rule[] = [
  { subject: 'a van with a yellow stripe', does: 'mostly stops at the gate' },
  { subject: 'a van with a yellow stripe', does: 'is mostly let in at the gate' },
  { subject: 'a plain van that flashed its headlights', does: 'is mostly let in at the gate' },
  {
    subject: 'a plain van that did not flash its headlights',
    does: 'is seldom let in at the gate',
  },
  { subject: 'a van', does: 'turns away when the gate stays closed' },
  { subject: 'the gate', does: 'closes some seconds after a van has driven in' },
  { subject: 'a brown parcel van', does: 'mostly stops near the door' },
  { subject: 'a driver in brown', does: 'hands over the parcel when somebody is at home' },
  { subject: 'a driver in brown', does: 'puts down the parcel when nobody is at home' },
  { subject: 'a parcel that lies by the door', does: 'is taken in later' },
  { subject: 'a person at the door', does: 'goes in when somebody is at home' },
  { subject: 'a person at the door', does: 'turns back when nobody is at home' },
  { subject: 'whoever went in a moment ago', does: 'is at home' },
  { subject: 'whoever came out a moment ago', does: 'is not at home' },
  { subject: 'the light', does: 'turns red when somebody has waited at the kerb for some seconds' },
  { subject: 'the light', does: 'turns green again after some seconds' },
  { subject: 'a car', does: 'stops at a red light' },
  { subject: 'a person at the kerb', does: 'crosses when the light is red for vehicles' },
  { subject: 'a child', does: 'runs after a ball on the road when no vehicle comes' },
  { subject: 'a dog', does: 'runs after a ball on the road at once' },
  { subject: 'a dog', does: 'follows a person in a red coat by some seconds' },
  { subject: 'a vehicle', does: 'gives way to whoever is on the road' },
  { subject: 'a stack that leans a lot', does: 'falls soon after it was loaded' },
  { subject: 'a stack that leans a little', does: 'sometimes falls after it was loaded' },
  { subject: 'a forklift', does: 'mostly yields when a person is on its way first' },
  { subject: 'a person', does: 'mostly yields when a forklift is on the way first' },
  { subject: 'a bicycle', does: 'sometimes collides with a ball on the road , and mostly in rain' },
];

const statements: Phrases = [
  '{subject} {does} .',
  'here {subject} {does} .',
  'it is a rule that {subject} {does} .',
  'remember that {subject} {does} .',
  'what is the rule for {subject} ? {subject} {does} .',
];

/** One rule as a statement, worded by chance. */
export function ruleSentence({ subject, does }: Rule, random: RandomStream): string {
  return random.pick(statements).replaceAll('{subject}', subject).replaceAll('{does}', does);
}
