/** What one camera would say: plausible messages, the same at every run, whose outcomes fit their events. */
import type {
  EventMessage,
  Forecast,
  Outcome,
  SceneMessage,
  Score,
  StateName,
} from '../../src/messages.js';
import { seenThing } from './made-up-scene.js';

export interface MadeUpCamera {
  readonly name: string;
  readonly state?: StateName;
  readonly why?: string;
  readonly calibrated?: boolean;
}

export const site = 'home';
export const bundle = { name: 'yard', version: '4.1.0', sha256: 'c290846a'.repeat(8) };
export const horizonMs = 4_000;
export const periodMs = 2_000;
const iso = (ms: number): string => new Date(ms).toISOString();

const labels = [
  'van enters',
  'gate opens',
  'person crosses road',
  'van leaves',
  'dog follows person',
];

/** What came first after each forecast: it makes each kind of verdict. */
const observed = (sequence: number, named: readonly string[]): string | null =>
  [named[0]!, named[0]!, named[1]!, 'stack falls', 'nothing', null][sequence % 6]!;

export function madeUpForecast(
  { name, calibrated = true }: MadeUpCamera,
  sequence: number,
  toMs: number,
  rev = 0,
): Forecast {
  const named = [0, 1, 2].map((i) => labels[(Math.floor(sequence / 3) + i) % labels.length]!);
  const sure = 0.45 + 0.25 * Math.sin(sequence / 2);
  const chances = [sure, (1 - sure) * 0.4, (1 - sure) * 0.15];
  return {
    schema: 'lookahead.forecast.v1',
    id: `${site}-${name}-1-${sequence}`,
    site,
    camera: name,
    epoch: 1,
    sequence,
    rev,
    target: 'next',
    window: {
      from: iso(toMs - 7_900),
      to: iso(toMs),
      clips: 8,
      frames: 62,
      framesDropped: 2,
      clock: 'arrival',
    },
    horizonMs,
    issuedAt: iso(toMs + 90),
    validUntil: iso(toMs + horizonMs),
    events: named.map((label, i) => ({
      label,
      type: label.split(' ').slice(1).join(' '),
      actor: label.split(' ')[0]!,
      target: null,
      actors: i === 0 ? [7] : [],
      targetTracks: [],
      text: `${label} within 4 s`,
      justification: rev === 0 ? '' : `because a ${label.split(' ')[0]!} comes along the road`,
      ...(rev === 0 ? {} : { justificationVerified: i === 0 }),
      confidence: chances[i]!,
      rawConfidence: chances[i]! * 0.9,
    })),
    somethingElse: (1 - sure) * 0.25,
    nothing: (1 - sure) * 0.2,
    basis: sequence % 4 === 3 ? 'carried' : 'reasoned',
    recalibration: { version: 3, temperature: 1.12, nothingBias: -0.2 },
    explanation:
      rev === 0
        ? []
        : [
            {
              text: 'the gate opens, because the van stops at the gate',
              verified: true,
              evidence: { tracks: [7, 1], from: iso(toMs - 4_000), to: iso(toMs - 1_000) },
            },
            {
              text: 'the van drives in, because the gate is open',
              verified: false,
              evidence: { tracks: [7], from: iso(toMs - 1_500), to: iso(toMs) },
            },
          ],
    grounded: rev === 0 ? null : true,
    calibrated,
    familiarity: calibrated ? 0.8 : 0.02,
    quality: 'good',
    latencyMs: { backbone: 10, segmenterEncoder: 18, tracks: 2, fusion: 3, score: 19, total: 90 },
    bundle,
  };
}

export function madeUpOutcome(forecast: Forecast): Outcome {
  const { id, camera, sequence, events, nothing, somethingElse, window } = forecast;
  const toMs = Date.parse(window.to);
  const came = observed(
    sequence,
    events.map(({ label }) => label),
  );
  const predicted = events[0]!.label;
  const isEvent = came !== null && came !== 'nothing';
  const verdict =
    came === null
      ? 'undecidable'
      : came === predicted
        ? 'hit'
        : came === 'stack falls'
          ? 'surprise'
          : 'miss';
  const isDecided = came !== null;
  return {
    schema: 'lookahead.outcome.v1',
    id,
    site,
    camera,
    verdict,
    observed: came,
    predicted,
    onset: isEvent ? iso(toMs + 1_400) : null,
    onsetAfterMs: isEvent ? 1_400 : null,
    leadMs: isEvent ? 1_310 : null,
    brier: isDecided ? 0.42 : null,
    logScore: isDecided ? 0.8 : null,
    baseRateHit: isDecided ? false : null,
    because: isDecided ? null : 'doubtful',
    decidedAt: iso(toMs + horizonMs + 80),
    windowTo: window.to,
    horizonMs,
    answers: {
      events: events.map(({ label, confidence }) => ({ label, confidence })),
      somethingElse,
      nothing,
    },
    baselines: isDecided
      ? {
          baseRate: { brier: 0.9, logScore: 2.4, hit: false },
          persistence: { brier: 0.95, logScore: 2.5, hit: false },
        }
      : null,
  };
}

/** What the outcome says that began. */
export function madeUpEvent({
  id,
  camera,
  onset,
  observed: label,
}: Outcome): EventMessage | undefined {
  if (onset === null || label === null) return undefined;
  return {
    schema: 'lookahead.event.v1',
    id: `${id}-event`,
    site,
    camera,
    label,
    type: label.split(' ').slice(1).join(' '),
    actor: label.split(' ')[0]!,
    target: null,
    actors: [7],
    targetTracks: [],
    onset,
    probability: 0.95,
  };
}

/** A van that comes and goes, a person who walks, a gate and a door that stay. */
export function madeUpScene({ name, calibrated = true }: MadeUpCamera, clip: number): SceneMessage {
  const toMs = Date.now();
  const phase = (clip % 12) / 12;
  const back = (clip % 9) / 9;
  return {
    schema: 'lookahead.scene.v1',
    site,
    camera: name,
    clip,
    from: iso(toMs - 950),
    to: iso(toMs),
    familiarity: calibrated ? 0.8 : 0.02,
    objects: [
      seenThing(1, 'gate', { x: 0.12, y: 0.15, width: 0.2, height: 0.27 }),
      seenThing(2, 'door', { x: 0.6, y: 0.2, width: 0.08, height: 0.25 }),
      seenThing(
        7,
        'van',
        { x: 0.05 + 0.65 * phase, y: 0.48, width: 0.24, height: 0.2 },
        { x: 0.054, y: 0 },
      ),
      seenThing(
        9,
        'person',
        { x: 0.85 - 0.5 * back, y: 0.62, width: 0.05, height: 0.24 },
        { x: -0.055, y: 0 },
      ),
    ],
  };
}

export function madeUpScore({ name }: MadeUpCamera): Score {
  const period = {
    from: iso(Date.now() - 3_600_000),
    outcomes: 412,
    undecidable: 80,
    hits: 251,
    tooLate: 9,
    hitRate: 0.61,
    hitRateLeast: 0.51,
    brier: 0.51,
    logScore: 1.4,
    calibrationError: 0.03,
    skillOverBaseRate: 0.38,
    skillOverPersistence: 0.41,
    skillOverBaseRateLeast: 0.2,
    leadMs: 1_700,
    labels: {},
  };
  return {
    schema: 'lookahead.score.v1',
    site,
    camera: name,
    at: iso(Date.now()),
    target: 'next',
    periods: { hour: period, day: period, week: period },
    recalibration: null,
    drift: null,
    bundle,
  };
}
