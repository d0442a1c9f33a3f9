/** The state of a camera by colour, shape and word. */
import { useComputed } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { isSilent, link, nowMs, type CameraView } from './store.js';
import { shownState, stateWords, type ShownState } from './words.js';

/** Each has a shape of its own. In a field of 16 by 16. */
const shapes: Readonly<Record<ShownState, string>> = {
  online: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z',
  offline: 'M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8l4.6 4.6-1.4 1.4L8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z',
  frozen: 'M3 2h4v12H3zM9 2h4v12H9z',
  corrupt: 'M8 1l7 13H1z',
  connecting: 'M8 2a6 6 0 1 1-6 6h2.5A3.5 3.5 0 1 0 8 4.500z',
  unfamiliar: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm0 2.200v7.600a3.800 3.800 0 0 0 0-7.600z',
  unknown: 'M2 6.500h12v3H2z',
};

export function useShownState(camera: CameraView): { readonly value: ShownState } {
  return useComputed(() =>
    shownState(
      camera.now.value.state,
      link.value.state === 'open' && !isSilent.value,
      camera.forecasts.value.at(-1),
      nowMs.value,
    ),
  );
}

export function StateBadge({ camera }: { readonly camera: CameraView }): ComponentChild {
  const state = useShownState(camera).value;
  return (
    <span class={`badge ${state}`}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={shapes[state]} fill="currentColor" fill-rule="evenodd" />
      </svg>
      {stateWords[state]}
    </span>
  );
}
