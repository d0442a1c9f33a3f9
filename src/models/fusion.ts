import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats, int64, type Tensors } from './tensor.js';

/** The tokens of a window's scenes, oldest scene first, all its objects in the order of their scenes. */
export interface WindowTokens {
  /** For each scene: its clip index and how many objects it has. */
  readonly scenes: readonly { readonly clip: number; readonly objectCount: number }[];
  /** Z_global, [scenes, D_v]. */
  readonly global: Float32Array;
  /** Z_obj, [objects, D_v]. */
  readonly objects: Float32Array;
  /** [objects, attributes]. */
  readonly attributes: Float32Array;
}

/** Eq. 3 and 4: Z_vision to E_vision. @returns [queries, D_llm] */
export async function fuse(
  session: Session,
  window: WindowTokens,
  manifest: Manifest,
): Promise<Float32Array> {
  return floats(await session.run(fusionFeeds(window, manifest)), 'prefix');
}

/**
 * Ages are counted in clips from the window's newest clip; scenes older than the window's length, which a gap leaves
 * behind, are not shown to the model: it has no such age.
 */
export function fusionFeeds(window: WindowTokens, manifest: Manifest): Tensors {
  const { visionDim, clipsPerWindow, attributes } = manifest.geometry;
  const newest = window.scenes.at(-1)?.clip ?? 0;
  const ages = window.scenes.map(({ clip }) => newest - clip);
  const oldScenes = ages.filter((age) => age >= clipsPerWindow).length;
  const oldObjects = window.scenes
    .slice(0, oldScenes)
    .reduce((count, { objectCount }) => count + objectCount, 0);
  const objectAges = window.scenes
    .slice(oldScenes)
    .flatMap(({ clip, objectCount }) => Array<number>(objectCount).fill(newest - clip));
  const sceneCount = window.scenes.length - oldScenes;
  // The graph needs one object; a masked row of zeros is none.
  const rows = Math.max(1, objectAges.length);
  const objects = new Float32Array(rows * visionDim);
  objects.set(window.objects.subarray(oldObjects * visionDim));
  const objectAttributes = new Float32Array(rows * attributes.length);
  objectAttributes.set(window.attributes.subarray(oldObjects * attributes.length));
  return {
    global: float32([1, sceneCount, visionDim], window.global.subarray(oldScenes * visionDim)),
    global_clip: int64([1, sceneCount], ages.slice(oldScenes)),
    objects: float32([1, rows, visionDim], objects),
    object_attributes: float32([1, rows, attributes.length], objectAttributes),
    object_clip: int64([1, rows], objectAges.length === 0 ? [0] : objectAges),
    object_mask: float32([1, rows], new Float32Array(rows).fill(objectAges.length === 0 ? 0 : 1)),
  };
}
