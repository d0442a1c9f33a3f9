/**
 * Ten rules that training meets in words alone: what they speak of is drawn only in the split `text-only`. They ask whether what
 * a language model has read reaches the eyes, which is the paper's claim.
 */
import type { YardClass } from './labels.js';

export interface SpecialRule {
  readonly class: YardClass;
  /** How one knows it. */
  readonly look: string;
  /** What it does, after the look. */
  readonly rule: string;
}

export const specialRules = [
  { class: 'van', look: 'a van with a ladder', rule: 'never stops at the gate' },
  { class: 'car', look: 'a taxi', rule: 'does not stop at a red light' },
  {
    class: 'person',
    look: 'a person in a yellow vest',
    rule: 'crosses without waiting for the light',
  },
  { class: 'person', look: 'a person in a yellow vest', rule: 'always goes in at the door' },
  { class: 'dog', look: 'a black dog', rule: 'never runs after a ball' },
  { class: 'ball', look: 'a striped ball', rule: 'is never fetched by the child' },
  { class: 'parcel', look: 'a parcel with a red mark', rule: 'is always handed over' },
  { class: 'forklift', look: 'a forklift with a beacon', rule: 'never yields to people' },
  { class: 'stack', look: 'a stack wrapped in foil', rule: 'never falls' },
  { class: 'bicycle', look: 'a bicycle with a flag', rule: 'never collides with a ball' },
] as const satisfies readonly SpecialRule[];
