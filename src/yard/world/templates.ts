/** Which rules are at work in a scene. Rules are known from training; held-out templates join them in new ways. */

export const modules = ['gate', 'parcel', 'light', 'lawn', 'dock', 'bicycle'] as const;
export type Module = (typeof modules)[number];

export interface Template {
  readonly name: string;
  readonly modules: readonly Module[];
}

const template = (...parts: Module[]): Template => ({ name: parts.join('+'), modules: parts });

export const trainTemplates = [
  template('gate', 'light'),
  template('gate', 'lawn'),
  template('gate', 'dock'),
  template('parcel', 'light'),
  template('parcel', 'dock'),
  template('light', 'dock'),
  template('light', 'lawn'),
  template('lawn', 'bicycle'),
] as const satisfies readonly Template[];

export const heldOutTemplates = [
  template('gate', 'parcel'),
  template('lawn', 'dock'),
  template('parcel', 'lawn'),
  template('gate', 'light', 'bicycle'),
] as const satisfies readonly Template[];

/**
 * Further joinings, in tracks alone: who meets the same rules in many joinings learns that rules join. None of them holds all the
 * modules of a held-out template.
 */
export const joinedTemplates = [
  ...modules.map((module) => template(module)),
  template('gate', 'bicycle'),
  template('parcel', 'bicycle'),
  template('light', 'bicycle'),
  template('dock', 'bicycle'),
  template('gate', 'light', 'lawn'),
  template('gate', 'light', 'dock'),
  template('gate', 'lawn', 'bicycle'),
  template('gate', 'dock', 'bicycle'),
  template('parcel', 'light', 'dock'),
  template('parcel', 'light', 'bicycle'),
  template('parcel', 'dock', 'bicycle'),
  template('light', 'lawn', 'bicycle'),
  template('light', 'dock', 'bicycle'),
] as const satisfies readonly Template[];

export const allTemplates: readonly Template[] = [
  ...trainTemplates,
  ...heldOutTemplates,
  ...joinedTemplates,
];
