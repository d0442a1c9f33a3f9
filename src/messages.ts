/**
 * Everything that leaves the engine: schemas, subjects. v1 only ever adds; `test/samples/v1` holds frozen samples.
 * Strict on what we write (`parse` of our own messages in tests), loose on what we read.
 */
import { z } from 'zod';
import { LookaheadError } from './errors.js';

/** A token of a subject: site and camera names. */
export const TokenSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const share = z.number().min(0).max(1);
const iso = z.iso.datetime().describe('UTC, milliseconds, ISO 8601.');

export const BoxSchema = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe('Shares of the camera picture, 0 to 1, from the upper left corner.');

const header = {
  site: TokenSchema,
  camera: TokenSchema,
};

export const ForecastEventSchema = z.object({
  label: z.string().describe('The label as text, for example "van enters".'),
  type: z.string().describe('Event type, for example "enters".'),
  actor: z.string().nullable().describe('Class of the actor.'),
  target: z.string().nullable().describe('Class of the target.'),
  actors: z.array(z.number().int()).describe('Track ids of live candidates for the actor.'),
  targetTracks: z.array(z.number().int()).describe('Track ids of live candidates for the target.'),
  text: z.string().describe('The event in words.'),
  justification: z.string().describe('Why, in words. For people; never a command.'),
  confidence: share.describe('Chance that this is the first event to begin in the horizon.'),
  rawConfidence: share.describe('The same before calibration.'),
});

export const ForecastSchema = z.object({
  schema: z.literal('lookahead.forecast.v1'),
  id: z.string().describe('<site>-<camera>-<epoch>-<seq>; also the Nats-Msg-Id.'),
  ...header,
  epoch: z.number().int().nonnegative(),
  sequence: z.number().int().nonnegative(),
  rev: z.number().int().nonnegative(),
  target: z.enum(['next', 'within']),
  window: z.object({
    from: iso,
    to: iso,
    clips: z.number().int().positive(),
    frames: z.number().int().positive(),
    framesDropped: z.number().int().nonnegative(),
    clock: z.enum(['arrival', 'rtcp', 'recording']),
  }),
  horizonMs: z.number().int().positive(),
  issuedAt: iso,
  validUntil: iso.describe('Window end plus horizon. After it the forecast says nothing.'),
  events: z.array(ForecastEventSchema).length(3).describe('Most likely first.'),
  somethingElse: share.describe('Chance of any event that is not among the three.'),
  nothing: share.describe('Chance that no event begins in the horizon.'),
  explanation: z.array(
    z.object({
      text: z.string(),
      evidence: z.object({ tracks: z.array(z.number().int()), from: iso, to: iso }),
    }),
  ),
  calibrated: z.boolean().describe('False: outside the domain of the bundle; do not trust the chances.'),
  familiarity: share.describe('How near the picture is to what the bundle was trained on.'),
  quality: z.enum(['good', 'gaps', 'corrupt']),
  latencyMs: z.record(z.string(), z.number()).describe('By stage.'),
  bundle: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
});

export const EventMessageSchema = z.object({
  schema: z.literal('lookahead.event.v1'),
  id: z.string(),
  ...header,
  label: z.string(),
  type: z.string(),
  actor: z.string().nullable(),
  target: z.string().nullable(),
  actors: z.array(z.number().int()),
  targetTracks: z.array(z.number().int()),
  onset: iso,
  probability: share,
});

export const OutcomeSchema = z.object({
  schema: z.literal('lookahead.outcome.v1'),
  id: z.string().describe("The forecast's id."),
  ...header,
  verdict: z
    .enum(['hit', 'miss', 'surprise', 'undecidable'])
    .describe('hit: the most likely answer came true; miss: another named one did; surprise: an unnamed event.'),
  observed: z.string().nullable().describe('Label of the first event to begin, "nothing", or null: undecidable.'),
  predicted: z.string().describe('The most likely answer of the forecast: a label or "nothing".'),
  onset: iso.nullable(),
  onsetAfterMs: z.number().nullable().describe('Onset minus window end.'),
  leadMs: z.number().nullable().describe('Onset minus issuedAt; negative: too late.'),
  brier: z.number().nullable(),
  logScore: z.number().nullable(),
  baseRateHit: z.boolean().nullable().describe('Whether always naming the most frequent answer was right.'),
  decidedAt: iso,
});

export const SceneMessageSchema = z.object({
  schema: z.literal('lookahead.scene.v1'),
  ...header,
  clip: z.number().int().nonnegative(),
  from: iso,
  to: iso,
  familiarity: share,
  objects: z.array(
    z.object({
      track: z.number().int(),
      class: z.string(),
      classProbability: share,
      box: BoxSchema,
      velocity: z.object({ x: z.number(), y: z.number() }),
      ageClips: z.number().int().nonnegative(),
      mask: z.object({ size: z.tuple([z.number().int(), z.number().int()]), counts: z.array(z.number().int()) }),
    }),
  ),
});

export const stateNames = ['connecting', 'online', 'offline', 'frozen', 'corrupt'] as const;
export type StateName = (typeof stateNames)[number];

export const StateMessageSchema = z.object({
  schema: z.literal('lookahead.state.v1'),
  ...header,
  state: z.enum(stateNames),
  since: iso,
  why: z.string(),
});

export const HeartbeatSchema = z.object({
  schema: z.literal('lookahead.heartbeat.v1'),
  site: TokenSchema,
  at: iso,
  epoch: z.number().int().nonnegative(),
  sequence: z.number().int().nonnegative(),
  cameras: z.record(z.string(), z.enum(stateNames)),
  bundle: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
});

export type Forecast = z.infer<typeof ForecastSchema>;
export type ForecastEvent = z.infer<typeof ForecastEventSchema>;
export type EventMessage = z.infer<typeof EventMessageSchema>;
export type Outcome = z.infer<typeof OutcomeSchema>;
export type SceneMessage = z.infer<typeof SceneMessageSchema>;
export type StateMessage = z.infer<typeof StateMessageSchema>;
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

/** What `watchCamera` emits. */
export type Message = Forecast | EventMessage | Outcome | SceneMessage | StateMessage;

export const messageKinds = ['forecast', 'event', 'outcome', 'scene', 'state'] as const;
export type MessageKind = (typeof messageKinds)[number];

/** `lookahead.forecast.v1` -> `forecast`. */
export function kindOf(message: Message): MessageKind {
  return message.schema.split('.')[1] as MessageKind;
}

function token(what: string, value: string): string {
  if (TokenSchema.safeParse(value).success && !(what === 'camera' && value === 'svc')) return value;
  throw new LookaheadError(
    'subject_invalid',
    `The ${what} name ${JSON.stringify(value.slice(0, 80))} is not allowed in a subject.`,
    'Use 1 to 64 letters, digits, "_" or "-"; "svc" is reserved.',
  );
}

/** Every subject of v1 is made here and nowhere else. */
export const subjects = {
  of: (site: string, camera: string, kind: MessageKind): string =>
    `lookahead.v1.${token('site', site)}.${token('camera', camera)}.${kind}`,
  all: (site: string, kind: MessageKind): string => `lookahead.v1.${token('site', site)}.*.${kind}`,
  heartbeat: (site: string): string => `lookahead.v1.${token('site', site)}.heartbeat`,
  service: (site: string, name: string): string => `lookahead.v1.${token('site', site)}.svc.${name}`,
};

