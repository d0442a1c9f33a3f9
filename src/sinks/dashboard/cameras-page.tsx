/** Every camera at a glance. */
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { FutureLane } from './future-lane.js';
import { OverlayControls } from './overlay-controls.js';
import { hasPicture, Picture, type PictureMode } from './picture.js';
import { to } from './route.js';
import { StateBadge, useShownState } from './state-badge.js';
import { isSilent, link, nowMs, type CameraView } from './store.js';
import { likeliestWords, sinceTime, whyWords, type ShownState } from './words.js';

export function CamerasPage({
  cameras,
}: {
  readonly cameras: readonly CameraView[] | undefined;
}): ComponentChild {
  if (cameras === undefined) {
    return (
      <p class="empty">
        {link.value.state === 'hindered'
          ? 'No cameras can be shown.'
          : isSilent.value
            ? 'Its cameras are shown as soon as the engine is heard.'
            : 'Looking for cameras …'}
      </p>
    );
  }
  if (cameras.length === 0) {
    return (
      <p class="empty">
        No camera is being watched. <a href={to('manage')}>Add one</a>
      </p>
    );
  }
  return (
    <>
      <div class="bar">
        <h1>Cameras</h1>
        <OverlayControls />
      </div>
      <ul class="grid">
        {cameras.map((camera) => (
          <Tile key={camera.name} camera={camera} />
        ))}
      </ul>
    </>
  );
}

function Tile({ camera }: { readonly camera: CameraView }): ComponentChild {
  const mode = useSignal<PictureMode>('still');
  const isLive = mode.value === 'live';
  return (
    <TileFrame camera={camera}>
      <div class="tile-picture">
        <Picture camera={camera} mode={mode.value} hasLabels={false} />
        <a class="whole" href={to('camera', camera.name)} tabIndex={-1} aria-hidden="true" />
        <h2 class="chip">
          <a href={to('camera', camera.name)}>{camera.name}</a>
        </h2>
        <StateBadge camera={camera} />
        {hasPicture[camera.now.value.state] && (
          <button
            type="button"
            class="chip"
            aria-pressed={isLive}
            onClick={() => (mode.value = isLive ? 'still' : 'live')}
          >
            Live<span class="unseen"> picture of {camera.name}</span>
          </button>
        )}
      </div>
      <FutureLane
        camera={camera}
        isWide={false}
        onOpen={({ id }) => (location.hash = to('camera', camera.name, id))}
      />
      <Likeliest camera={camera} />
    </TileFrame>
  );
}

function TileFrame({
  camera,
  children,
}: {
  readonly camera: CameraView;
  readonly children: ComponentChild;
}): ComponentChild {
  return <li class={`tile watch ${useShownState(camera).value}`}>{children}</li>;
}

/** One line: what is likeliest, or why nothing is said. */
export function Likeliest({ camera }: { readonly camera: CameraView }): ComponentChild {
  const state = useShownState(camera).value;
  const newest = camera.forecasts.value.at(-1);
  const { since, why } = camera.now.value;
  const isStale = useComputed(() => {
    const last = camera.forecasts.value.at(-1);
    return last === undefined || Date.parse(last.validUntil) < nowMs.value;
  }).value;
  const hindrance = hindranceOf(state, sinceTime(since, nowMs.peek()), whyWords(camera.name, why));
  if (hindrance !== '') return <p class="likeliest why">{hindrance}</p>;
  if (isStale || newest === undefined)
    return <p class="likeliest quiet">No forecast at the moment.</p>;
  return <p class="likeliest">{likeliestWords(newest)}</p>;
}

function hindranceOf(state: ShownState, since: string, why: string): string {
  const reason = why === '' ? '' : `: ${why}`;
  switch (state) {
    case 'online':
    case 'unfamiliar':
      return '';
    case 'connecting':
      return `Connecting since ${since}${reason}`;
    case 'offline':
      return `Offline since ${since}${reason}`;
    case 'frozen':
      return `The picture stands still since ${since}${reason}`;
    case 'corrupt':
      return `The picture is damaged since ${since}${reason}`;
    case 'unknown':
      return 'The engine is not heard; what is shown may be old.';
  }
}
