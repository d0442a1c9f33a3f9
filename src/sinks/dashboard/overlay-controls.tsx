/** How much of what the engine sees is drawn over pictures. */
import type { ComponentChild } from 'preact';
import { hasBoxes, isOverlayOn, overlayOpacity } from './overlay-settings.js';

export function OverlayControls(): ComponentChild {
  return (
    <fieldset class="overlay-controls">
      <legend class="unseen">Drawn over pictures</legend>
      <label>
        <input
          type="checkbox"
          checked={isOverlayOn.value}
          onChange={({ currentTarget }) => (isOverlayOn.value = currentTarget.checked)}
        />
        Masks
      </label>
      <label>
        <input
          type="checkbox"
          checked={hasBoxes.value}
          disabled={!isOverlayOn.value}
          onChange={({ currentTarget }) => (hasBoxes.value = currentTarget.checked)}
        />
        Boxes
      </label>
      <label>
        <span>Opacity</span>
        <input
          type="range"
          min="0.1"
          max="1"
          step="0.05"
          value={overlayOpacity.value}
          disabled={!isOverlayOn.value}
          onInput={({ currentTarget }) => (overlayOpacity.value = Number(currentTarget.value))}
        />
      </label>
    </fieldset>
  );
}
