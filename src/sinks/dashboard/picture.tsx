/** A camera's picture: live where one may and wants, else a still; what the engine sees over it. */
import { useComputed, useSignal, useSignalEffect, type Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { StateName } from '../../messages.js';
import { slotsTaken, takeSlot } from './live-slots.js';
import { isPageVisible, useOnScreen } from './on-screen.js';
import { Overlay, type OverlayProps } from './overlay.js';
import { playLive, type LiveState } from './play-live.js';
import { session } from './session.js';
import { fetchStill, type Still } from './still.js';
import { failedMs, stillEveryMs } from './still-pace.js';
import { engineNowMs, link, nowMs, type CameraView } from './store.js';
import { touch } from './touch.js';
import { ageWords } from './words.js';

export type PictureMode = 'live' | 'still';

export interface PictureProps extends Omit<OverlayProps, 'shownAt'> {
  readonly mode: PictureMode;
}

/** Width by height. */
const usualRatio = 16 / 9;

type LiveNow = LiveState | { readonly state: 'off' } | { readonly state: 'full' };

export function Picture({ camera, mode, lit, hasLabels }: PictureProps): ComponentChild {
  const [element, isOnScreen] = useOnScreen<HTMLDivElement>();
  const live = useSignal<LiveNow>({ state: 'off' });
  const still = useSignal<Still | undefined>(undefined);
  const ratio = useComputed(() => {
    const playing = live.value;
    if (playing.state === 'playing') return playing.widthPx / playing.heightPx;
    const shown = still.value;
    return shown === undefined ? usualRatio : shown.bitmap.width / shown.bitmap.height;
  });
  const shownAt = useComputed(() =>
    live.value.state === 'playing' ? ('live' as const) : still.value?.atMs,
  );
  // Of a camera that is away the last frame would stand there and be called live.
  const canPlay = useComputed(() => hasPicture[camera.now.value.state]);
  return (
    <div class="picture" ref={element}>
      <Frame ratio={ratio}>
        <StillCanvas
          camera={camera}
          still={still}
          isWanted={() => isOnScreen.value && isPageVisible.value && live.value.state !== 'playing'}
        />
        {mode === 'live' && (
          <LiveCanvas
            camera={camera}
            live={live}
            isWanted={() => isOnScreen.value && isPageVisible.value && canPlay.value}
          />
        )}
        <Overlay camera={camera} shownAt={shownAt} lit={lit} hasLabels={hasLabels} />
      </Frame>
      <PictureNote camera={camera} live={live} still={still} mode={mode} />
    </div>
  );
}

function Frame({
  ratio,
  children,
}: {
  readonly ratio: Signal<number> | { readonly value: number };
  readonly children: ComponentChild;
}): ComponentChild {
  return (
    <div class="frame" style={{ '--ratio': ratio.value.toFixed(4) }}>
      {children}
    </div>
  );
}

export const hasPicture: Readonly<Record<StateName, boolean>> = {
  online: true,
  frozen: true,
  corrupt: true,
  connecting: false,
  offline: false,
};
const lookMs = 500;

function StillCanvas({
  camera,
  still,
  isWanted,
}: {
  readonly camera: CameraView;
  readonly still: Signal<Still | undefined>;
  readonly isWanted: () => boolean;
}): ComponentChild {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const abort = new AbortController();
    let triedMs = -Infinity;
    let hasFailed = false;
    let isBusy = false;
    const look = async (): Promise<void> => {
      if (isBusy || !isWanted() || link.peek().state !== 'open') return;
      if (!hasPicture[camera.now.peek().state]) return;
      const now = engineNowMs();
      const lastOnset = camera.events.peek().at(-1)?.onset;
      const paceMs = stillEveryMs(camera.forecasts.peek().at(-1), lastOnset, now);
      if (now - triedMs < (hasFailed ? failedMs : paceMs)) return;
      triedMs = now;
      isBusy = true;
      try {
        const got = await fetchStill(camera.name, undefined, abort.signal);
        hasFailed = got === undefined;
        if (got === undefined) return;
        if (abort.signal.aborted) {
          got.bitmap.close();
          return;
        }
        still.peek()?.bitmap.close();
        still.value = got;
      } catch {
        hasFailed = true;
      } finally {
        isBusy = false;
      }
    };
    const timer = setInterval(() => void look(), lookMs);
    void look();
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [camera]);
  useSignalEffect(() => {
    const shown = still.value;
    const element = canvas.current;
    if (shown !== undefined && element !== null) drawStill(element, shown.bitmap);
  });
  return <canvas ref={canvas} class="still" aria-hidden="true" />;
}

/** Twice as fine, so that it is smooth where it is drawn larger. */
export function drawStill(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  canvas.width = bitmap.width * 2;
  canvas.height = bitmap.height * 2;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

function LiveCanvas({
  camera,
  live,
  isWanted,
}: {
  readonly camera: CameraView;
  readonly live: Signal<LiveNow>;
  readonly isWanted: () => boolean;
}): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const isReady = useSignal(false);
  // Not the session itself: each answer of the engine is another one, and the picture goes on.
  const slotsMax = useComputed(() => session.value?.engine?.viewersMax);
  useEffect(() => {
    isReady.value = true;
  }, []);
  useSignalEffect(() => {
    if (!isReady.value || !isWanted() || place.current === null) return;
    // While nobody answers there is no telling how many there are.
    if (slotsMax.value === undefined) return;
    const release = takeSlot(slotsMax.value);
    if (release === undefined) {
      live.value = { state: 'full' };
      // Read only here: who has a place does not care that others come and go.
      touch(slotsTaken);
      return;
    }
    const stop = playLive(camera.name, place.current, (state) => (live.value = state));
    return () => {
      stop();
      live.value = { state: 'off' };
      // After the effect, which may be this very one's: nothing is changed in the midst of it.
      queueMicrotask(release);
    };
  });
  return <div ref={place} class="live" aria-hidden="true" />;
}

/** What is seen, in words: live, or how old; and why there is nothing. */
function PictureNote({
  camera,
  live,
  still,
  mode,
}: {
  readonly camera: CameraView;
  readonly live: Signal<LiveNow>;
  readonly still: Signal<Still | undefined>;
  readonly mode: PictureMode;
}): ComponentChild {
  const { state } = live.value;
  const shown = still.value;
  // The clock is read here alone: it goes more often than the words change.
  const age = useComputed(() => {
    const atMs = still.value?.atMs;
    if (atMs === undefined || live.value.state === 'playing') return '';
    return `still, ${ageWords(nowMs.value - atMs)} old`;
  }).value;
  const text = state === 'playing' ? 'live' : age;
  const hindrance =
    mode === 'still'
      ? ''
      : state === 'connecting'
        ? 'live picture is coming …'
        : state === 'full'
          ? 'all live pictures are taken'
          : state === 'away'
            ? 'no live picture; it is tried again'
            : '';
  const emptyText =
    state === 'playing' || shown !== undefined
      ? ''
      : hasPicture[camera.now.value.state]
        ? 'Loading a picture …'
        : camera.now.value.state === 'connecting'
          ? 'Connecting to the camera …'
          : 'No picture';
  return (
    <>
      {emptyText !== '' && <p class="no-picture">{emptyText}</p>}
      <p class={state === 'playing' ? 'chip age is-live' : 'chip age'}>
        {[text, hindrance].filter((part) => part !== '').join(' · ')}
      </p>
    </>
  );
}
