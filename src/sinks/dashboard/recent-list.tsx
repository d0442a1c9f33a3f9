/** What a camera saw of late, and what came of its forecasts, newest first. */
import { useComputed } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { recentRows } from './recent-rows.js';
import { Glyph } from './outcome-card.js';
import { to } from './route.js';
import { nowMs, type CameraView } from './store.js';
import { labelInk } from './theme.js';
import { clockTime, outcomeWords, percent } from './words.js';

const stepMs = 5_000;

export function RecentList({ camera }: { readonly camera: CameraView }): ComponentChild {
  // Also when nothing new comes, what is old goes.
  const atMs = useComputed(() => Math.floor(nowMs.value / stepMs) * stepMs).value;
  const rows = recentRows(camera.events.value, camera.outcomes.value, atMs);
  if (rows.length === 0) {
    return <p class="quiet">Nothing was recognised in the last minute.</p>;
  }
  return (
    <ul class="recent">
      {rows.map((row) => (
        <li key={row.key}>
          <time dateTime={row.at}>{clockTime(row.at)}</time>
          {row.kind === 'event' ? (
            <span>
              <span
                class="mark"
                style={{ '--ink': labelInk(row.event.label) }}
                aria-hidden="true"
              />
              {row.event.label} <small>seen, {percent(row.event.probability)} sure</small>
            </span>
          ) : (
            <a href={to('camera', camera.name, row.outcome.id)}>
              <Glyph verdict={row.outcome.verdict} />
              {outcomeWords(row.outcome)}
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}
