/** One camera, whole: its picture, what is about to happen there, and what came of what was said. */
import { useComputed, useSignal, type Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { AskPanel } from './ask-panel.js';
import { Likeliest } from './cameras-page.js';
import { ForecastDetails } from './forecast-details.js';
import { FutureLane } from './future-lane.js';
import type { Evidence } from './lighting.js';
import { OverlayControls } from './overlay-controls.js';
import { Picture, type PictureMode } from './picture.js';
import { RecentList } from './recent-list.js';
import { route, to } from './route.js';
import { ScoreSummary } from './score-summary.js';
import { StateBadge } from './state-badge.js';
import type { CameraView } from './store.js';
import { useForecast } from './use-forecast.js';

export function CameraPage({ camera }: { readonly camera: CameraView }): ComponentChild {
  const openId = route.value.rest[1];
  const lit = useSignal<Evidence | undefined>(undefined);
  const litTracks = useComputed(() => lit.value?.tracks);
  const litSpan = useComputed(() => lit.value?.span);
  const mode = useSignal<PictureMode>('live');
  const close = (): void => {
    // Going back from there must not open it again.
    location.replace(to('camera', camera.name));
  };
  useEffect(() => {
    lit.value = undefined;
    if (openId === undefined) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      // In a field it may mean something else.
      const isTyping = event.target instanceof Element && event.target.matches('input, textarea');
      if (event.key === 'Escape' && !isTyping) close();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [openId]);
  const query = `?camera=${encodeURIComponent(camera.name)}`;
  return (
    <div class={openId === undefined ? 'camera' : 'camera is-open'}>
      <div class="bar camera-bar">
        <h1>
          <a href={to('')} aria-label="All cameras">
            ‹
          </a>{' '}
          {camera.name} <StateBadge camera={camera} />
        </h1>
        <ModeSwitch mode={mode} />
        <OverlayControls />
      </div>
      <div class="camera-main">
        <Picture camera={camera} mode={mode.value} lit={litTracks} hasLabels />
        <div class="camera-lane">
          <Likeliest camera={camera} />
          <FutureLane
            camera={camera}
            isWide
            openId={openId}
            lit={litSpan}
            onOpen={({ id }) => open(camera.name, id)}
          />
        </div>
      </div>
      <div class="side">
        {openId !== undefined && <Details camera={camera} id={openId} lit={lit} onClose={close} />}
        <ScoreSummary camera={camera} />
        <section class="panel" aria-labelledby="recent-title">
          <h2 id="recent-title">Last minute</h2>
          <RecentList camera={camera} />
          <p class="links">
            <a href={`${to('history')}${query}`}>History of {camera.name}</a>
            <a href={to('manage', camera.name)}>Privacy masks</a>
          </p>
        </section>
        <AskPanel camera={camera.name} />
      </div>
    </div>
  );
}

/** Moving along the lane leaves one step in the browser's history, not one for each forecast. */
function open(camera: string, id: string): void {
  const address = to('camera', camera, id);
  if (route.peek().rest[1] === undefined) location.hash = address;
  else location.replace(address);
}

function ModeSwitch({ mode }: { readonly mode: Signal<PictureMode> }): ComponentChild {
  const modes: readonly PictureMode[] = ['live', 'still'];
  return (
    <fieldset class="switch">
      <legend class="unseen">Picture</legend>
      {modes.map((one) => (
        <label key={one}>
          <input
            type="radio"
            name="picture-mode"
            checked={mode.value === one}
            onChange={() => (mode.value = one)}
          />
          {one === 'live' ? 'Live' : 'Still'}
        </label>
      ))}
    </fieldset>
  );
}

function Details({
  camera,
  id,
  lit,
  onClose,
}: {
  readonly camera: CameraView;
  readonly id: string;
  readonly lit: Signal<Evidence | undefined>;
  readonly onClose: () => void;
}): ComponentChild {
  const shown = useForecast(camera, id).value;
  if (shown.state === 'open') {
    const { forecast, outcome } = shown;
    return <ForecastDetails {...{ camera, forecast, outcome, lit, onClose }} />;
  }
  return (
    <section class="panel details" aria-label="Forecast">
      <p class="quiet">
        {shown.state === 'gone'
          ? 'This forecast is not stored any more.'
          : shown.state === 'unread'
            ? 'This forecast could not be looked for: the server did not answer. Load the page anew.'
            : 'Looking for this forecast …'}
      </p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </section>
  );
}
