/** What the yard's cameras can show: classes of things, and the events that a forecast speaks of. */

/** Index 0 is background: not a thing. */
export const yardClasses = ['background', 'van', 'person', 'dog', 'ball', 'gate', 'door'] as const;

export type YardClass = Exclude<(typeof yardClasses)[number], 'background'>;

export interface YardLabel {
  readonly type: string;
  readonly actor: YardClass | null;
  readonly target: YardClass | null;
  readonly text: string;
}

/** Index 0 is nothing. `onsets` in docs/yard-data.md says when each one begins. */
export const yardLabels = [
  { type: 'nothing', actor: null, target: null, text: 'nothing' },
  { type: 'enters', actor: 'van', target: null, text: 'van enters' },
  { type: 'stops', actor: 'van', target: 'gate', text: 'van stops at gate' },
  { type: 'opens', actor: 'gate', target: null, text: 'gate opens' },
  { type: 'drives in', actor: 'van', target: 'gate', text: 'van drives in' },
  { type: 'closes', actor: 'gate', target: null, text: 'gate closes' },
  { type: 'turns away', actor: 'van', target: 'gate', text: 'van turns away' },
  { type: 'leaves', actor: 'van', target: null, text: 'van leaves' },
  { type: 'enters', actor: 'person', target: null, text: 'person enters' },
  { type: 'crosses', actor: 'person', target: null, text: 'person crosses road' },
  { type: 'goes in', actor: 'person', target: 'door', text: 'person goes in' },
  { type: 'turns back', actor: 'person', target: 'door', text: 'person turns back' },
  { type: 'enters', actor: 'dog', target: null, text: 'dog enters' },
  { type: 'rolls', actor: 'ball', target: null, text: 'ball rolls onto road' },
  { type: 'chases', actor: 'dog', target: 'ball', text: 'dog chases ball' },
] as const satisfies readonly YardLabel[];

export type LabelText = (typeof yardLabels)[number]['text'];

/** The index of a label; the text is checked by the compiler. */
export function labelOf(text: LabelText): number {
  return yardLabels.findIndex((label) => label.text === text);
}
