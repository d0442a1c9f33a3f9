/** Plausible messages for tests of sinks; override what the test is about. */
import type {
  EventMessage,
  Forecast,
  Heartbeat,
  Outcome,
  SceneMessage,
} from '../../src/messages.js';
import type { StateMessage } from '../../src/messages.js';

const startMs = Date.UTC(2026, 10, 22, 9, 0, 0);
const iso = (ms: number): string => new Date(ms).toISOString();
const where = { site: 'test', camera: 'gate' };
const bundle = { name: 'yard', version: '0.1.0', sha256: 'a'.repeat(64) };

export function forecast(sequence: number, overrides: Partial<Forecast> = {}): Forecast {
  const toMs = startMs + sequence * 2_000;
  const camera = overrides.camera ?? where.camera;
  const event = (label: string, confidence: number): Forecast['events'][number] => ({
    label,
    type: label.split(' ')[1] ?? label,
    actor: label.split(' ')[0] ?? null,
    target: null,
    actors: [3],
    targetTracks: [],
    text: `A ${label}.`,
    justification: 'It is close and moves towards the gate.',
    confidence,
    rawConfidence: confidence,
  });
  return {
    schema: 'lookahead.forecast.v1',
    id: `test-${camera}-1-${sequence}`,
    ...where,
    epoch: 1,
    sequence,
    rev: 0,
    target: 'next',
    window: {
      from: iso(toMs - 8_000),
      to: iso(toMs),
      clips: 8,
      frames: 64,
      framesDropped: 0,
      clock: 'arrival',
    },
    horizonMs: 4_000,
    issuedAt: iso(toMs + 300),
    validUntil: iso(toMs + 4_000),
    events: [event('van enters', 0.62), event('gate opens', 0.21), event('dog leaves', 0.02)],
    somethingElse: 0.06,
    nothing: 0.09,
    explanation: [],
    calibrated: true,
    familiarity: 0.9,
    quality: 'good',
    latencyMs: { perceive: 70, reason: 60 },
    bundle,
    ...overrides,
  };
}

export function event(sequence: number, overrides: Partial<EventMessage> = {}): EventMessage {
  return {
    schema: 'lookahead.event.v1',
    id: `test-${overrides.camera ?? where.camera}-1-e${sequence}`,
    ...where,
    label: 'van enters',
    type: 'enters',
    actor: 'van',
    target: null,
    actors: [3],
    targetTracks: [],
    onset: iso(startMs + sequence * 1_000),
    probability: 0.97,
    ...overrides,
  };
}

export function outcome(sequence: number, overrides: Partial<Outcome> = {}): Outcome {
  return {
    schema: 'lookahead.outcome.v1',
    id: `test-${overrides.camera ?? where.camera}-1-${sequence}`,
    ...where,
    verdict: 'hit',
    observed: 'van enters',
    predicted: 'van enters',
    onset: iso(startMs + sequence * 2_000 + 2_300),
    onsetAfterMs: 2_300,
    leadMs: 2_000,
    brier: 0.2,
    logScore: 0.48,
    baseRateHit: false,
    decidedAt: iso(startMs + sequence * 2_000 + 5_000),
    ...overrides,
  };
}

export function state(overrides: Partial<StateMessage> = {}): StateMessage {
  return {
    schema: 'lookahead.state.v1',
    ...where,
    state: 'online',
    since: iso(startMs),
    why: 'pictures arrive',
    ...overrides,
  };
}

export function scene(clip: number, overrides: Partial<SceneMessage> = {}): SceneMessage {
  return {
    schema: 'lookahead.scene.v1',
    ...where,
    clip,
    from: iso(startMs + clip * 1_000),
    to: iso(startMs + clip * 1_000 + 1_000),
    familiarity: 0.9,
    objects: [],
    ...overrides,
  };
}

export function heartbeat(sequence: number, overrides: Partial<Heartbeat> = {}): Heartbeat {
  return {
    schema: 'lookahead.heartbeat.v1',
    site: where.site,
    at: iso(startMs + sequence * 1_000),
    epoch: 1,
    sequence,
    cameras: { gate: 'online' },
    bundle,
    ...overrides,
  };
}
