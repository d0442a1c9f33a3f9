import type { Scene, SceneObject, SceneTokens } from '../types.js';

/** What reasoning needs of a thing: all but its mask. */
export type SeenObject = Omit<SceneObject, 'mask' | 'predictedIou' | 'ageClips'>;

/** What reasoning needs of a scene, and what travels to the reasoner. Every `Scene` is one. */
export interface SeenScene extends Pick<
  Scene,
  'clip' | 'fromMs' | 'toMs' | 'events' | 'place' | 'familiarity'
> {
  readonly objects: readonly SeenObject[];
  readonly tokens: Pick<SceneTokens, 'global' | 'objects'>;
}

/** Scenes of one camera, oldest first. Every `Window` is one. */
export type SeenWindow = readonly SeenScene[];
