/** The answers of a forecast with their chances, and why. */
import type { Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import type { Forecast, ForecastEvent } from '../../messages.js';
import { elseLabel, nothingLabel } from './lane-columns.js';
import { evidenceOf, type Evidence } from './lighting.js';
import { Lights } from './lights.js';
import { labelInk } from './theme.js';
import { percent } from './words.js';
import { useMemo } from 'preact/hooks';

export function Chances({
  forecast,
  observed,
  lit,
}: {
  readonly forecast: Forecast;
  readonly observed: string | null;
  readonly lit: Signal<Evidence | undefined>;
}): ComponentChild {
  const { events, somethingElse, nothing } = forecast;
  const isNamed = [nothingLabel, ...events.map(({ label }) => label)].includes(observed ?? '');
  return (
    <ol class="chances">
      {events.map((event) => (
        <EventChance key={event.label} event={event} isTrue={event.label === observed} lit={lit} />
      ))}
      <li>
        <Row label={elseLabel} chance={somethingElse} isTrue={observed !== null && !isNamed} />
      </li>
      <li>
        <Row label={nothingLabel} chance={nothing} isTrue={observed === nothingLabel} />
      </li>
    </ol>
  );
}

function EventChance({
  event,
  isTrue,
  lit,
}: {
  readonly event: ForecastEvent;
  readonly isTrue: boolean;
  readonly lit: Signal<Evidence | undefined>;
}): ComponentChild {
  const { label, confidence, rawConfidence, justification, justificationVerified } = event;
  const tracks = [...event.actors, ...event.targetTracks];
  const evidence = useMemo(() => evidenceOf(tracks), [tracks.join()]);
  return (
    <li>
      <Row label={label} chance={confidence} raw={rawConfidence} isTrue={isTrue} />
      {justification !== '' && (
        <Lights evidence={evidence} lit={lit}>
          {justification}
          <Verified isVerified={justificationVerified} />
        </Lights>
      )}
    </li>
  );
}

/** Undefined: it was not examined. */
export function Verified({
  isVerified,
}: {
  readonly isVerified: boolean | undefined;
}): ComponentChild {
  if (isVerified === undefined) return null;
  return (
    <span class={isVerified ? 'verified' : 'verified not'}>
      {isVerified ? '✓ verified' : '– unverified'}
    </span>
  );
}

function Row({
  label,
  chance,
  raw,
  isTrue,
}: {
  readonly label: string;
  readonly chance: number;
  /** Before calibration. */
  readonly raw?: number;
  readonly isTrue: boolean;
}): ComponentChild {
  const isEvent = raw !== undefined;
  return (
    <div class="chance" style={{ '--ink': isEvent ? labelInk(label) : 'var(--quiet)' }}>
      <span class="label">
        {label}
        {isTrue && <span class="came">came first</span>}
      </span>
      <span class="number">{percent(chance)}</span>
      <span class="chance-bar" style={{ '--share': chance.toFixed(4) }} aria-hidden="true">
        {raw !== undefined && <span style={{ '--raw': raw.toFixed(4) }} />}
      </span>
      {raw !== undefined && <small class="raw">raw {percent(raw)}</small>}
    </div>
  );
}
