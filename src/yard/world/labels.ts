/** What the yard's cameras can show: classes of things, and the events that a forecast speaks of. */

/** Index 0 is background: not a thing. */
export const yardClasses = [
  'background',
  'person',
  'child',
  'car',
  'van',
  'forklift',
  'bicycle',
  'dog',
  'ball',
  'parcel',
  'pallet',
  'stack',
  'gate',
  'door',
  'dock',
  'light',
] as const;

export type YardClass = Exclude<(typeof yardClasses)[number], 'background'>;

export interface YardLabel {
  readonly type: string;
  readonly actor: YardClass | null;
  readonly target: YardClass | null;
  readonly text: string;
}

/** Index 0 is nothing. docs/yard.md says when each one begins. */
export const yardLabels = [
  { type: 'nothing', actor: null, target: null, text: 'nothing' },
  { type: 'enters', actor: 'van', target: null, text: 'van enters' },
  { type: 'enters', actor: 'car', target: null, text: 'car enters' },
  { type: 'enters', actor: 'bicycle', target: null, text: 'bicycle enters' },
  { type: 'enters', actor: 'person', target: null, text: 'person enters' },
  { type: 'enters', actor: 'child', target: null, text: 'child enters' },
  { type: 'follows', actor: 'dog', target: 'person', text: 'dog follows person' },
  { type: 'comes out', actor: 'person', target: 'door', text: 'person comes out' },
  { type: 'comes out', actor: 'forklift', target: 'dock', text: 'forklift comes out' },
  { type: 'leaves', actor: 'van', target: null, text: 'van leaves' },
  { type: 'leaves', actor: 'car', target: null, text: 'car leaves' },
  { type: 'stops', actor: 'van', target: 'gate', text: 'van stops at gate' },
  { type: 'opens', actor: 'gate', target: null, text: 'gate opens' },
  { type: 'drives in', actor: 'van', target: 'gate', text: 'van drives in' },
  { type: 'closes', actor: 'gate', target: null, text: 'gate closes' },
  { type: 'turns away', actor: 'van', target: 'gate', text: 'van turns away' },
  { type: 'stops', actor: 'van', target: 'door', text: 'van stops at door' },
  { type: 'gets out', actor: 'person', target: 'van', text: 'person gets out' },
  { type: 'hands over', actor: 'person', target: 'parcel', text: 'person hands over parcel' },
  { type: 'puts down', actor: 'person', target: 'parcel', text: 'person puts down parcel' },
  { type: 'picks up', actor: 'person', target: 'parcel', text: 'person picks up parcel' },
  { type: 'gets in', actor: 'person', target: 'van', text: 'person gets in' },
  { type: 'goes in', actor: 'person', target: 'door', text: 'person goes in' },
  { type: 'turns back', actor: 'person', target: 'door', text: 'person turns back' },
  { type: 'turns red', actor: 'light', target: null, text: 'light turns red' },
  { type: 'turns green', actor: 'light', target: null, text: 'light turns green' },
  { type: 'stops', actor: 'car', target: 'light', text: 'car stops at light' },
  { type: 'stops', actor: 'van', target: 'light', text: 'van stops at light' },
  { type: 'crosses', actor: 'person', target: null, text: 'person crosses road' },
  { type: 'rolls', actor: 'ball', target: null, text: 'ball rolls onto road' },
  { type: 'runs after', actor: 'child', target: 'ball', text: 'child runs after ball' },
  { type: 'runs after', actor: 'dog', target: 'ball', text: 'dog runs after ball' },
  { type: 'yields', actor: 'car', target: null, text: 'car yields' },
  { type: 'yields', actor: 'van', target: null, text: 'van yields' },
  { type: 'collides', actor: 'bicycle', target: 'ball', text: 'bicycle collides with ball' },
  { type: 'picks up', actor: 'forklift', target: 'pallet', text: 'forklift picks up pallet' },
  { type: 'puts down', actor: 'forklift', target: 'pallet', text: 'forklift puts down pallet' },
  { type: 'falls', actor: 'stack', target: null, text: 'stack falls' },
  { type: 'yields', actor: 'forklift', target: 'person', text: 'forklift yields to person' },
  { type: 'yields', actor: 'person', target: 'forklift', text: 'person yields to forklift' },
] as const satisfies readonly YardLabel[];

export type LabelText = (typeof yardLabels)[number]['text'];
export type EventText = Exclude<LabelText, 'nothing'>;

const indices = new Map<string, number>(yardLabels.map((label, index) => [label.text, index]));

/** The index of a label; the text is checked by the compiler. */
export function labelOf(text: LabelText): number {
  return indices.get(text) ?? 0;
}
