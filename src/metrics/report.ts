/** How what happens becomes numbers: the pipeline's report port, its messages, and the broker's events. */
import { LookaheadError } from '../errors.js';
import { lagMs } from '../lag.js';
import { isRevision, kindOf, stateNames, type Forecast, type Message } from '../messages.js';
import type { BusEvent } from '../sinks/publisher.js';
import type { Report } from '../types.js';
import type { Metrics } from './registry.js';

/** Counts what one camera's pipeline reports. */
export function metricsReport(camera: string, metrics: Metrics): Report {
  return {
    frame: () => metrics.add('lookahead_frames_total', { camera }),
    clip: () => metrics.add('lookahead_clips_total', { camera }),
    scene: ({ familiarity, stagesMs }) => {
      metrics.add('lookahead_scenes_total', { camera });
      metrics.set('lookahead_familiarity_ratio', { camera }, familiarity);
      countStages(metrics, stagesMs);
    },
    window: () => undefined,
    decided: (reason) => metrics.add('lookahead_gate_total', { camera, reason }),
    dropped: (stage, reason, count) => {
      metrics.add('lookahead_drops_total', { camera, stage, reason }, count);
      if (stage === 'explain')
        metrics.add('lookahead_explanations_total', { camera, result: 'dropped' }, count);
    },
    failed: (stage, error) => {
      const code = error instanceof LookaheadError ? error.code : 'other';
      metrics.add('lookahead_failures_total', { camera, stage, code });
    },
    state: (state) => {
      if (state === 'connecting') metrics.add('lookahead_connects_total', { camera });
      for (const name of stateNames) {
        metrics.set('lookahead_camera_state', { camera, state: name }, name === state ? 1 : 0);
      }
    },
  };
}

/** Milliseconds by the models' own names of their stages. */
export function countStages(metrics: Metrics, stagesMs: Readonly<Record<string, number>>): void {
  for (const [stage, ms] of Object.entries(stagesMs)) {
    metrics.observe('lookahead_stage_duration_seconds', { stage }, ms / 1000);
  }
}

/** A message that the broker has. `ackedAtMs`: wall clock. */
export function countMessage(metrics: Metrics, message: Message, ackedAtMs: number): void {
  const { camera } = message;
  metrics.add('lookahead_messages_total', { camera, kind: kindOf(message) });
  if (isRevision(message)) {
    countExplanation(metrics, message as Forecast);
  } else if (message.schema === 'lookahead.forecast.v1' && message.target !== 'within') {
    metrics.add('lookahead_forecasts_total', { camera, basis: message.basis ?? 'reasoned' });
    const issuedAtS = Date.parse(message.issuedAt) / 1000;
    metrics.set('lookahead_last_forecast_timestamp_seconds', { camera }, issuedAtS);
    metrics.observe('lookahead_lag_seconds', { camera }, lagMs(message, ackedAtMs) / 1000);
  } else if (message.schema === 'lookahead.outcome.v1' && message.target !== 'within') {
    metrics.add('lookahead_outcomes_total', { camera, verdict: message.verdict });
  }
}

function countExplanation(metrics: Metrics, { camera, explanation }: Forecast): void {
  metrics.add('lookahead_explanations_total', { camera, result: 'published' });
  for (const { verified } of explanation) {
    const result = verified === true ? 'verified' : 'unverified';
    metrics.add('lookahead_explanation_steps_total', { camera, result });
  }
}

export function countBusEvent(metrics: Metrics, event: BusEvent): void {
  switch (event.type) {
    case 'stored':
      metrics.observe(
        'lookahead_publish_duration_seconds',
        { kind: event.kind },
        event.tookMs / 1000,
      );
      break;
    case 'retried':
      metrics.add('lookahead_publish_retries_total', { kind: event.kind });
      break;
    case 'dropped':
      metrics.add('lookahead_publish_drops_total', { kind: event.kind, reason: event.reason });
      break;
    case 'sent':
      break;
  }
}
