/** What the engine sees, over the picture. */
import { useSignalEffect, type ReadonlySignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import type { Surface } from './canvas-size.js';
import { onlyWhenAsked } from './draw-loop.js';
import { drawOverlay, hasMotion } from './overlay-draw.js';
import { hasBoxes, isOverlayOn, overlayOpacity } from './overlay-settings.js';
import { engineNowMs, type CameraView } from './store.js';
import { isMotionReduced } from './theme.js';
import { sceneAt } from './scene-at.js';
import { touch } from './touch.js';
import { useDrawing } from './use-drawing.js';

/** A live picture is so much behind; a thing that moves is drawn where it is seen. */
const behindMs = 600;
const aheadMaxMs = 1_000;
/** What was seen so long ago is not drawn any more. */
const staleMs = 5_000;

export interface OverlayProps {
  readonly camera: CameraView;
  /** Of what is under it: the moment of a still; undefined: there is no picture. */
  readonly shownAt: ReadonlySignal<number | 'live' | undefined>;
  readonly lit?: ReadonlySignal<ReadonlySet<number> | undefined> | undefined;
  readonly hasLabels: boolean;
}

export function Overlay({ camera, shownAt, lit, hasLabels }: OverlayProps): ComponentChild {
  const draw = (surface: Surface): void => {
    const at = shownAt.peek();
    const scene = at === 'live' ? camera.scene.peek() : sceneAt(camera.scenes, at);
    if (scene === undefined) return;
    const ageMs = at === 'live' ? engineNowMs() - Date.parse(scene.to) : 0;
    const isAsked = isOverlayOn.peek() || lit?.peek() !== undefined;
    if (!isAsked || ageMs > staleMs) return;
    drawOverlay(surface, scene.objects, {
      opacity: overlayOpacity.peek(),
      hasBoxes: hasBoxes.peek(),
      lit: lit?.peek(),
      aheadMs: isMotionReduced.peek() ? 0 : Math.min(aheadMaxMs, Math.max(0, ageMs - behindMs)),
      hasLabels,
      hasArrows: true,
    });
  };
  const everyMs = (): number => {
    const objects = camera.scene.peek()?.objects ?? [];
    if (objects.length === 0 || shownAt.peek() !== 'live') return onlyWhenAsked;
    return hasMotion(objects) && !isMotionReduced.peek() ? (hasLabels ? 50 : 125) : staleMs;
  };
  const { canvas, ask } = useDrawing(draw, everyMs, [camera, shownAt, hasLabels]);
  useSignalEffect(() => {
    touch(camera.scene, shownAt, isOverlayOn, overlayOpacity, hasBoxes, lit);
    ask();
  });
  return <canvas ref={canvas} class="overlay" aria-hidden="true" />;
}
