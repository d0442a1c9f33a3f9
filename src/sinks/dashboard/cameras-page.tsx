/** Every camera at a glance. */
import type { ComponentChild } from 'preact';
import { to } from './route.js';
import type { CameraView } from './store.js';

export function CamerasPage({
  cameras,
}: {
  readonly cameras: readonly CameraView[] | undefined;
}): ComponentChild {
  if (cameras === undefined) return <p class="empty">Looking for cameras …</p>;
  if (cameras.length === 0) return <p class="empty">No camera is being watched.</p>;
  return (
    <ul class="grid">
      {cameras.map((camera) => (
        <li key={camera.name} class="tile">
          <h2>
            <a href={to('camera', camera.name)}>{camera.name}</a>
          </h2>
          <p>{camera.now.value.state}</p>
        </li>
      ))}
    </ul>
  );
}
