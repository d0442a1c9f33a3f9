import { softmax } from './confidence.js';
import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats, int64, type Tensors } from './tensor.js';
import { historyShapeOf, scenesOf, trackHistory, tracksOf } from './track-history.js';
import type { SeenWindow } from './seen-window.js';

export interface Fused {
  /** E_vision, [queries, D_llm]. */
  readonly prefix: Float32Array;
  /** What the object encoder expects by itself, before any query has read it: chances by label. Null where the graph tells none. */
  readonly outlook: readonly number[] | null;
}

/** Eq. 3 and 4: Z_vision to E_vision. */
export async function fuse(
  session: Session,
  window: SeenWindow,
  manifest: Manifest,
): Promise<Fused> {
  const outputs = await session.run(fusionFeeds(window, manifest));
  return {
    prefix: floats(outputs, 'prefix'),
    outlook: 'log_chances' in outputs ? softmax(floats(outputs, 'log_chances')) : null,
  };
}

/**
 * The window's CLS tokens with their ages in clips, 0 the newest; its tracks, each with its history and with the token with
 * which it was last seen. Scenes older than the window's length, which a gap leaves behind, are not shown to the model: it
 * has no such age.
 *
 * @throws Error where the window has no scenes
 */
export function fusionFeeds(window: SeenWindow, manifest: Manifest): Tensors {
  const { visionDim, trackErrors } = manifest.geometry;
  const shape = historyShapeOf(manifest);
  const scenes = scenesOf(window, shape);
  const newest = scenes.at(-1)?.clip ?? 0;
  const global = new Float32Array(scenes.length * visionDim);
  scenes.forEach(({ tokens }, row) => global.set(tokens.global, row * visionDim));
  const tracks = tracksOf(window, shape);
  const pooled = new Float32Array(Math.max(1, tracks.length) * visionDim);
  tracks.forEach((sightings, row) => {
    const last = sightings.at(-1);
    if (!last) return;
    const from = last.index * visionDim;
    pooled.set(last.scene.tokens.objects.subarray(from, from + visionDim), row * visionDim);
  });
  return {
    global: float32([1, scenes.length, visionDim], global),
    global_clip: int64(
      [1, scenes.length],
      scenes.map(({ clip }) => newest - clip),
    ),
    ...trackHistory(window, shape),
    pooled: float32([pooled.length / visionDim, visionDim], pooled),
    track_errors: float32([1, trackErrors.length], Float32Array.from(trackErrors)),
  };
}
