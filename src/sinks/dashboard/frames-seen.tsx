/** What a forecast has looked at: a still of each second, with what was seen in it. */
import { useSignal, useSignalEffect, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Forecast, SceneMessage } from '../../messages.js';
import { frameTimes } from './frame-times.js';
import type { Evidence } from './lighting.js';
import { drawOverlay } from './overlay-draw.js';
import { overlayOpacity } from './overlay-settings.js';
import { drawStill } from './picture.js';
import { sceneAt } from './scene-at.js';
import { fetchStill, stillsKeptMs } from './still.js';
import { engineNowMs, type CameraView } from './store.js';
import { clockTime } from './words.js';

interface SeenFrame {
  readonly atMs: number;
  readonly bitmap: ImageBitmap;
  readonly scene: SceneMessage | undefined;
}

export function FramesSeen({
  camera,
  forecast,
  lit,
}: {
  readonly camera: CameraView;
  readonly forecast: Forecast;
  readonly lit: ReadonlySignal<Evidence | undefined>;
}): ComponentChild {
  const frames = useSignal<readonly SeenFrame[]>([]);
  const isLoading = useSignal(true);
  const { from, to } = forecast.window;
  useEffect(() => {
    const abort = new AbortController();
    frames.value = [];
    isLoading.value = true;
    void load(camera, from, to, frames, abort.signal).finally(() => (isLoading.value = false));
    return () => {
      abort.abort();
      frames.peek().forEach(({ bitmap }) => bitmap.close());
    };
  }, [camera, from, to]);
  return (
    <>
      <h3>
        Frames it saw{' '}
        <small>
          {forecast.window.frames} in {forecast.window.clips} clips
          {forecast.window.framesDropped > 0 && `, ${forecast.window.framesDropped} dropped`}
        </small>
      </h3>
      {frames.value.length === 0 ? (
        <p class="quiet">
          {isLoading.value
            ? 'Loading …'
            : 'Its pictures are not kept any more; words and numbers are.'}
        </p>
      ) : (
        <ol class="frames">
          {frames.value.map((frame) => (
            <FrameSeen key={frame.atMs} frame={frame} lit={lit} />
          ))}
        </ol>
      )}
    </>
  );
}

/** One after the other, newest last; those that are gone are left out. */
async function load(
  camera: CameraView,
  from: string,
  to: string,
  frames: Signal<readonly SeenFrame[]>,
  signal: AbortSignal,
): Promise<void> {
  const scenes = [...camera.scenes];
  for (const atMs of frameTimes(from, to, engineNowMs() - stillsKeptMs)) {
    const still = await fetchStill(camera.name, new Date(atMs).toISOString(), signal).catch(
      () => undefined,
    );
    if (signal.aborted) {
      still?.bitmap.close();
      return;
    }
    if (still === undefined) continue;
    frames.value = [...frames.peek(), { ...still, scene: sceneAt(scenes, still.atMs) }];
  }
}

function FrameSeen({
  frame,
  lit,
}: {
  readonly frame: SeenFrame;
  readonly lit: ReadonlySignal<Evidence | undefined>;
}): ComponentChild {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isMounted = useSignal(false);
  useEffect(() => {
    isMounted.value = true;
  }, []);
  useSignalEffect(() => {
    const element = canvas.current;
    const { tracks } = lit.value ?? {};
    if (!isMounted.value || element === null) return;
    const objects = frame.scene?.objects ?? [];
    drawStill(element, frame.bitmap);
    const context = element.getContext('2d');
    if (context === null) return;
    const { width, height } = element;
    const shown = objects.filter(({ track }) => tracks === undefined || tracks.has(track));
    drawOverlay({ context, width, height }, shown, {
      opacity: overlayOpacity.value,
      hasBoxes: false,
      lit: undefined,
      aheadMs: 0,
      hasLabels: false,
      hasArrows: false,
    });
  });
  const span = lit.value?.span;
  const isLit =
    span !== undefined && frame.atMs >= span.fromMs - 500 && frame.atMs <= span.toMs + 500;
  const time = clockTime(frame.atMs);
  return (
    <li class={isLit ? 'is-lit' : ''}>
      <canvas ref={canvas} role="img" aria-label={`Picture of ${time}`} />
      <small>{time}</small>
    </li>
  );
}
