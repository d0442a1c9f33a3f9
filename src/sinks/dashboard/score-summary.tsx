/** How good the forecasts of a camera have been in the last day, in three figures. */
import type { ComponentChild } from 'preact';
import { to } from './route.js';
import { nowMs, type CameraView } from './store.js';
import { counted, markText, noMark, secondsText, shareText } from './page-words.js';
import { outcomesMin } from './quality-words.js';
import { sinceTime } from './words.js';

export function ScoreSummary({ camera }: { readonly camera: CameraView }): ComponentChild {
  const score = camera.score.value;
  const day = score?.periods.day;
  return (
    <section class="panel" aria-labelledby="score-title">
      <h2 id="score-title">Last day</h2>
      {day === undefined || day.outcomes === 0 ? (
        <p class="quiet">No outcome has been decided yet.</p>
      ) : day.outcomes < outcomesMin ? (
        <p class="quiet">
          First answer right: {day.hits} of {counted(day.outcomes, 'outcome')}, too few to say how
          good it is.
        </p>
      ) : (
        <dl class="figures">
          <div>
            <dd>{shareText(day.hitRate)}</dd>
            <dt>first answer right</dt>
          </div>
          <div>
            <dd>{markText(day.skillOverBaseRate)}</dd>
            <dt>skill over base rate</dt>
          </div>
          <div>
            <dd>{day.leadMs === null ? noMark : secondsText(day.leadMs)}</dd>
            <dt>median lead</dt>
          </div>
          <div>
            <dd>{day.outcomes}</dd>
            <dt>outcomes</dt>
          </div>
        </dl>
      )}
      {score?.drift != null && (
        <p class="doubt">
          Forecasts are worth less than they were, since{' '}
          {sinceTime(score.drift.since, nowMs.peek())}.
        </p>
      )}
      <p>
        <a href={`${to('quality')}?camera=${encodeURIComponent(camera.name)}`}>More on quality</a>
      </p>
    </section>
  );
}
