/**
 * The rules that training meets in words alone (world/special-rules.ts), for the language model's pre-training and for
 * nothing else: whoever told them beside a picture would spoil what they ask.
 */
import type { LabelText } from '../world/labels.js';
import type { RandomStream } from '../world/random.js';
import { specialRules } from '../world/special-rules.js';
import { ruleSentence } from './rule-texts.js';
import type { Rule } from './rule-texts.js';

type SpecialRuleText = (typeof specialRules)[number]['rule'];

/** What comes instead where the rule holds, so that it is also read in the form of a forecast. */
const comes: Readonly<Record<SpecialRuleText, LabelText>> = {
  'never stops at the gate': 'van leaves',
  'does not stop at a red light': 'car leaves',
  'crosses without waiting for the light': 'person crosses road',
  'always goes in at the door': 'person goes in',
  'never runs after a ball': 'child runs after ball',
  'is never fetched by the child': 'dog runs after ball',
  'is always handed over': 'person hands over parcel',
  'never yields to people': 'person yields to forklift',
  'never falls': 'nothing',
  'never collides with a ball': 'nothing',
};

export const specialInWords: readonly (Rule & { readonly comes: LabelText })[] = specialRules.map(
  ({ look, rule }) => ({ subject: look, does: rule, comes: comes[rule] }),
);

export function specialRuleText(
  rule: (typeof specialInWords)[number],
  random: RandomStream,
): string {
  return random.chance(0.2)
    ? `${rule.comes} , because ${rule.subject} ${rule.does} .`
    : ruleSentence(rule, random);
}
