/** What came of a forecast. */
import type { ComponentChild } from 'preact';
import type { Forecast, Outcome } from '../../messages.js';
import { nowMs } from './store.js';
import { clockTime, duration, outcomeWords, verdictGlyphs } from './words.js';

export function OutcomeCard({
  forecast,
  outcome,
}: {
  readonly forecast: Forecast;
  readonly outcome: Outcome | undefined;
}): ComponentChild {
  if (outcome === undefined) return <Waiting validUntil={forecast.validUntil} />;
  const { verdict, leadMs, late, brier, logScore, baselines, onset } = outcome;
  return (
    <div class={`outcome ${verdict}`}>
      <p class="verdict">
        <Glyph verdict={verdict} />
        {outcomeWords(outcome)}
      </p>
      {verdict !== 'undecidable' && (
        <dl>
          {onset !== null && (
            <div>
              <dt>Began</dt>
              <dd>{clockTime(onset)}</dd>
            </div>
          )}
          {leadMs !== null && (
            <div>
              <dt>Lead</dt>
              <dd>{late === true ? `${duration(leadMs)} too late` : duration(leadMs)}</dd>
            </div>
          )}
          {brier !== null && (
            <div>
              <dt>Brier score</dt>
              <dd>
                {brier.toFixed(2)}
                {baselines != null && (
                  <small> base rate {baselines.baseRate.brier.toFixed(2)}</small>
                )}
              </dd>
            </div>
          )}
          {logScore !== null && (
            <div>
              <dt>Log score</dt>
              <dd>
                {logScore.toFixed(2)}
                {baselines != null && (
                  <small> base rate {baselines.baseRate.logScore.toFixed(2)}</small>
                )}
              </dd>
            </div>
          )}
        </dl>
      )}
    </div>
  );
}

/** The same shapes as on the lane. */
export function Glyph({ verdict }: { readonly verdict: Outcome['verdict'] }): ComponentChild {
  return (
    <span class={`glyph ${verdict}`} aria-hidden="true">
      <span>{verdictGlyphs[verdict]}</span>
    </span>
  );
}

function Waiting({ validUntil }: { readonly validUntil: string }): ComponentChild {
  const leftMs = Date.parse(validUntil) - nowMs.value;
  return (
    <div class="outcome waiting">
      <p class="verdict">
        {leftMs > 0
          ? `Its horizon ends in ${Math.ceil(leftMs / 1000)} s; then it is known what came.`
          : leftMs > -60_000
            ? 'Its horizon is over; the outcome is on its way.'
            : 'No outcome of it is known.'}
      </p>
    </div>
  );
}
