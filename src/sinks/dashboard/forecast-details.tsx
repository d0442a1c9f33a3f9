/** All that is known of one forecast; what is pointed at lights up in the picture and on the lane. */
import type { Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Forecast, Outcome } from '../../messages.js';
import { Chances, Verified } from './chances.js';
import { CopyButton } from './copy-button.js';
import { FramesSeen } from './frames-seen.js';
import { evidenceOf, type Evidence } from './lighting.js';
import { Lights } from './lights.js';
import { OutcomeCard } from './outcome-card.js';
import { StageTimes } from './stage-times.js';
import type { CameraView } from './store.js';
import { clockTime, percent } from './words.js';

export interface ForecastDetailsProps {
  readonly camera: CameraView;
  readonly forecast: Forecast;
  readonly outcome: Outcome | undefined;
  readonly lit: Signal<Evidence | undefined>;
  readonly onClose: () => void;
}

export function ForecastDetails({
  camera,
  forecast,
  outcome,
  lit,
  onClose,
}: ForecastDetailsProps): ComponentChild {
  const { window, explanation, latencyMs, horizonMs } = forecast;
  return (
    <section class="panel details" aria-labelledby="details-title">
      <div class="bar">
        <h2 id="details-title">
          Forecast of {clockTime(window.to)} <small>for {horizonMs / 1000} s</small>
        </h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {!forecast.calibrated && (
        <p class="doubt">
          {forecast.quality === 'corrupt'
            ? 'The picture was frozen or flat: these chances are not calibrated.'
            : 'Unlike anything the bundle was trained on: these chances are not calibrated.'}
        </p>
      )}
      <OutcomeCard forecast={forecast} outcome={outcome} />
      <h3>
        Chances <small>of what begins first</small>
      </h3>
      <Chances forecast={forecast} observed={outcome?.observed ?? null} lit={lit} />
      <h3>How it came to this</h3>
      {explanation.length === 0 ? (
        <p class="quiet">
          {forecast.rev === 0
            ? 'No reasons have been given (yet).'
            : 'There is nothing to explain.'}
        </p>
      ) : (
        <ol class="steps">
          {explanation.map((step, index) => (
            // The model may say the same twice.
            <Step key={index} step={step} lit={lit} />
          ))}
        </ol>
      )}
      <FramesSeen camera={camera} forecast={forecast} lit={lit} />
      <StageTimes latencyMs={latencyMs} />
      <Facts forecast={forecast} />
    </section>
  );
}

function Step({
  step,
  lit,
}: {
  readonly step: Forecast['explanation'][number];
  readonly lit: Signal<Evidence | undefined>;
}): ComponentChild {
  const { tracks, from, to } = step.evidence;
  const evidence = useMemo(() => evidenceOf(tracks, from, to), [tracks.join(), from, to]);
  return (
    <li>
      <Lights evidence={evidence} lit={lit}>
        {step.text}
        <Verified isVerified={step.verified} />
        <small>
          {clockTime(from)} to {clockTime(to)}
        </small>
      </Lights>
    </li>
  );
}

const basisWords = {
  reasoned: 'reasoned: the language model scored this window',
  carried: 'carried: nothing had changed since it was last reasoned',
} as const;
const qualityWords = {
  good: 'good',
  gaps: 'gaps: clips are missing or too slow',
  corrupt: 'corrupt: the picture is damaged',
} as const;

function Facts({ forecast }: { readonly forecast: Forecast }): ComponentChild {
  const { window, bundle, recalibration, grounded } = forecast;
  const facts: readonly (readonly [string, ComponentChild])[] = [
    ['Basis', basisWords[forecast.basis ?? 'reasoned']],
    ['Calibrated', forecast.calibrated ? 'yes' : 'no'],
    ['Familiarity', percent(forecast.familiarity)],
    [
      'Grounded',
      grounded == null
        ? 'not examined'
        : grounded
          ? 'yes'
          : 'no: hardly differs from seeing nothing',
    ],
    ['Quality', qualityWords[forecast.quality]],
    [
      'Window',
      `${clockTime(window.from)} to ${clockTime(window.to)}, ${window.clips} clips, ${window.frames} frames seen, ${window.framesDropped} dropped; times by ${window.clock}`,
    ],
    ['Issued', clockTime(forecast.issuedAt)],
    ['Says nothing after', clockTime(forecast.validUntil)],
    ['Bundle', `${bundle.name} ${bundle.version} (${bundle.sha256.slice(0, 8)})`],
    [
      'Learned here',
      recalibration == null
        ? 'nothing yet'
        : `version ${recalibration.version}: temperature ${recalibration.temperature.toFixed(2)}, nothing ${recalibration.nothingBias >= 0 ? '+' : '−'}${Math.abs(recalibration.nothingBias).toFixed(2)} nats`,
    ],
    ['Id', <CopyButton key="id" text={forecast.id} />],
  ];
  return (
    <>
      <h3>Facts</h3>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
