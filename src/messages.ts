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
const moment = (what: string) => z.iso.datetime().describe(`${what} UTC, milliseconds, ISO 8601.`);
const count = z.number().int().nonnegative();

export const BoxSchema = z
  .object({
    x: z.number().describe('Left edge.'),
    y: z.number().describe('Upper edge.'),
    width: z.number().describe('Width.'),
    height: z.number().describe('Height.'),
  })
  .describe('Shares of the camera picture, 0 to 1, from the upper left corner.');

const header = {
  site: TokenSchema.describe('The place; third token of the subject.'),
  camera: TokenSchema.describe('The camera; fourth token of the subject.'),
};

const BundleNameSchema = z
  .object({
    name: z.string().describe('Name of the bundle.'),
    version: z.string().describe('Its version.'),
    sha256: z.string().describe('Digest of its manifest, hexadecimal.'),
  })
  .describe('The models that were used.');

const labelled = {
  label: z.string().describe('The label as text, for example "van enters".'),
  type: z.string().describe('Event type, for example "enters".'),
  actor: z.string().nullable().describe('Class of the actor.'),
  target: z.string().nullable().describe('Class of the target.'),
};

export const ForecastEventSchema = z.object({
  ...labelled,
  actors: z.array(z.number().int()).describe('Track ids of live candidates for the actor.'),
  targetTracks: z.array(z.number().int()).describe('Track ids of live candidates for the target.'),
  text: z.string().describe('The event in words.'),
  justification: z
    .string()
    .describe('Why, in words. For people; never a command. Empty in revision 0.'),
  justificationVerified: z
    .boolean()
    .optional()
    .describe('Whether all that the justification names was there. Absent: there is none.'),
  confidence: share.describe(
    'Chance that this is the first event to begin in the horizon; target within: that it begins at all.',
  ),
  rawConfidence: share.describe('The same before calibration.'),
});

export const RecalibrationSchema = z
  .object({
    version: z.number().int().positive().describe('Revision in the KV bucket of calibrations.'),
    temperature: z
      .number()
      .positive()
      .describe(
        'The chances of the bundle are raised to one over this, then divided by their sum.',
      ),
    nothingBias: z
      .number()
      .describe('Added to the logarithm of the chance of nothing before the sum, in nats.'),
  })
  .describe('One temperature and one bias of nothing, learned from the outcomes of one camera.');

export const ForecastSchema = z
  .object({
    schema: z.literal('lookahead.forecast.v1'),
    id: z.string().describe('<site>-<camera>-<epoch>-<seq>; also the Nats-Msg-Id.'),
    ...header,
    epoch: count.describe('Tells runs apart, of the engine and of a camera in it; grows.'),
    sequence: count.describe('Counts the forecasts of one camera within one epoch.'),
    rev: count.describe(
      '0 at first: the chances, as soon as they are known. 1: the same id and the same chances, now with reasons. Whoever takes 0 alone misses prose and nothing else. The Nats-Msg-Id of an update is <id>.<rev>.',
    ),
    target: z
      .enum(['next', 'within'])
      .describe(
        'next: chances of the first event to begin in the horizon; with somethingElse and nothing they sum to 1. within: chances of each event to begin at all in the horizon, first or not; they need not sum to 1.',
      ),
    window: z
      .object({
        from: moment('First frame.'),
        to: moment('Last frame; the horizon begins here.'),
        clips: z.number().int().positive().describe('Clips that were looked at.'),
        frames: z.number().int().positive().describe('Frames really seen.'),
        framesDropped: count.describe('Frames of that time that were not seen.'),
        clock: z
          .enum(['arrival', 'rtcp', 'recording'])
          .describe("Where a frame's time comes from: its arrival, the camera, or a recording."),
      })
      .describe('What the forecast has looked at.'),
    horizonMs: z
      .number()
      .int()
      .positive()
      .describe("Length of the time after the window's end that the forecast speaks of."),
    issuedAt: moment('When it was made.'),
    validUntil: moment('Window end plus horizon. After it the forecast says nothing.'),
    events: z.array(ForecastEventSchema).length(3).describe('Most likely first.'),
    somethingElse: share.describe(
      'Chance of any event that is not among the three. Target within: that one of those or several begin, supposing that after the first event they come independently.',
    ),
    nothing: share.describe('Chance that no event begins in the horizon.'),
    basis: z
      .enum(['reasoned', 'carried'])
      .optional()
      .describe(
        'reasoned: the language model scored this window. carried: nothing had changed since it last did, and a cheaper model, which knows tracks alone, gave the chances. Absent: reasoned.',
      ),
    chances: z
      .record(z.string(), share)
      .optional()
      .describe('Target within: the chance of every label, by its text. Absent otherwise.'),
    recalibration: RecalibrationSchema.nullable()
      .optional()
      .describe('What was learned on this camera and applied. null or absent: nothing.'),
    explanation: z
      .array(
        z.object({
          text: z.string().describe('The step, in words. For people; never a command.'),
          label: z.string().optional().describe('What happened: a label.'),
          causes: z
            .array(
              z.object({
                label: z.string().describe('What it came of: a label.'),
                onset: moment('When that began.'),
              }),
            )
            .optional()
            .describe('Recognised events that it came of; empty: none of those.'),
          verified: z
            .boolean()
            .optional()
            .describe('Whether what it names was there, looked and moved as it says.'),
          evidence: z
            .object({
              tracks: z.array(z.number().int()).describe('Track ids.'),
              from: moment('Begin.'),
              to: moment('End.'),
            })
            .describe('What the step rests on.'),
        }),
      )
      .describe('The causal account, step by step; empty in revision 0.'),
    grounded: z
      .boolean()
      .nullable()
      .optional()
      .describe(
        'false: the chances hardly differ from what the model says without seeing anything. null or absent: not examined.',
      ),
    calibrated: z
      .boolean()
      .describe('False: outside the domain of the bundle; do not trust the chances.'),
    familiarity: share.describe('How near the picture is to what the bundle was trained on.'),
    quality: z
      .enum(['good', 'gaps', 'corrupt'])
      .describe('gaps: clips are missing or too slow. corrupt: the picture is damaged.'),
    latencyMs: z.record(z.string(), z.number()).describe('Milliseconds by stage.'),
    bundle: BundleNameSchema,
  })
  .describe(
    'What is likely to begin next, and how likely. Every two seconds or so for each camera; stored.',
  );

export const EventMessageSchema = z
  .object({
    schema: z.literal('lookahead.event.v1'),
    id: z.string().describe('Unique; also the Nats-Msg-Id.'),
    ...header,
    ...labelled,
    actors: z.array(z.number().int()).describe('Track ids of the actors.'),
    targetTracks: z.array(z.number().int()).describe('Track ids of the target.'),
    onset: moment('When it began.'),
    probability: share.describe('Of the recognition.'),
  })
  .describe('Something that began and was recognised. Stored.');

export const undecidableReasons = ['camera', 'gap', 'restart', 'doubtful', 'full'] as const;

const BaselineMarkSchema = z.object({
  brier: z.number().describe('Brier score.'),
  logScore: z.number().describe('Log score, nats.'),
  hit: z.boolean().describe('Whether its most likely answer came true.'),
});

export const OutcomeSchema = z
  .object({
    schema: z.literal('lookahead.outcome.v1'),
    id: z.string().describe("The forecast's id."),
    ...header,
    verdict: z
      .enum(['hit', 'miss', 'surprise', 'undecidable'])
      .describe(
        'hit: the most likely answer came true; miss: another named one did; surprise: an unnamed event.',
      ),
    observed: z
      .string()
      .nullable()
      .describe('Label of the first event to begin, "nothing", or null: undecidable.'),
    predicted: z.string().describe('The most likely answer of the forecast: a label or "nothing".'),
    onset: iso.nullable().describe('When the observed event began.'),
    onsetAfterMs: z.number().nullable().describe('Onset minus window end.'),
    leadMs: z.number().nullable().describe('Onset minus issuedAt; negative: too late.'),
    brier: z
      .number()
      .nullable()
      .describe('Brier score over all labels: 0 is perfect, 2 the worst.'),
    logScore: z
      .number()
      .nullable()
      .describe('Negative natural logarithm of the chance that was given to what happened.'),
    baseRateHit: z
      .boolean()
      .nullable()
      .describe('Whether always naming the most frequent answer was right.'),
    decidedAt: moment('When it was decided.'),
    target: z.enum(['next', 'within']).optional().describe('Of the forecast. Absent: next.'),
    because: z
      .enum(undecidableReasons)
      .nullable()
      .optional()
      .describe(
        'Why undecidable. camera: offline, frozen, corrupt. gap: clips are missing. restart: the engine was away. doubtful: what was recognised is too uncertain, or too near the end of the horizon. full: too many forecasts were waiting.',
      ),
    late: z
      .boolean()
      .nullable()
      .optional()
      .describe('Whether the event had begun when the forecast was issued. null: no event.'),
    windowTo: iso.optional().describe('Where the horizon began.'),
    horizonMs: z.number().int().positive().optional().describe('Length of the horizon.'),
    answers: z
      .object({
        events: z
          .array(
            z.object({
              label: z.string().describe('The label as text.'),
              confidence: share.describe('Its chance.'),
            }),
          )
          .describe('The three.'),
        somethingElse: share.describe('Chance of any other event.'),
        nothing: share.describe('Chance that no event begins.'),
      })
      .optional()
      .describe('What the forecast had said, as published.'),
    basis: z.enum(['reasoned', 'carried']).optional().describe('Of the forecast.'),
    bundle: BundleNameSchema.optional().describe('Of the forecast.'),
    calibrated: z.boolean().optional().describe('Of the forecast.'),
    recalibration: RecalibrationSchema.nullable().optional().describe('Of the forecast.'),
    began: z
      .array(z.string())
      .nullable()
      .optional()
      .describe('Every label that began in the horizon, each once, in order. null: undecidable.'),
    baselines: z
      .object({
        baseRate: BaselineMarkSchema.describe(
          'Frequencies of the outcomes of this camera before the forecast, from those of the bundle on.',
        ),
        persistence: BaselineMarkSchema.describe(
          'Half the label of the last event, half the base rate.',
        ),
      })
      .nullable()
      .optional()
      .describe('What two forecasters who know nothing of the picture would have scored.'),
  })
  .describe('What did happen in the horizon of a forecast, and how well the forecast did. Stored.');

export const SceneMessageSchema = z
  .object({
    schema: z.literal('lookahead.scene.v1'),
    ...header,
    clip: count.describe('Index of the clip within one epoch of the camera.'),
    from: moment('First frame of the clip.'),
    to: moment('Last frame of the clip.'),
    familiarity: share.describe('How near the picture is to what the bundle was trained on.'),
    objects: z
      .array(
        z.object({
          track: z.number().int().describe('Track id: the same thing over clips.'),
          class: z.string().describe('The most likely class.'),
          classProbability: share.describe('Chance of that class.'),
          box: BoxSchema,
          velocity: z
            .object({
              x: z.number().describe('To the right.'),
              y: z.number().describe('Downwards.'),
            })
            .describe('Shares of the picture a second.'),
          ageClips: count.describe('Clips since the track was born.'),
          mask: z
            .object({
              size: z
                .tuple([z.number().int(), z.number().int()])
                .describe('Height and width of the mask.'),
              counts: z
                .array(z.number().int())
                .describe('Lengths of runs, column by column, beginning with background.'),
            })
            .describe('COCO run-length code, uncompressed.'),
          attributes: z
            .record(z.string(), z.number())
            .optional()
            .describe(
              'What can be seen of it, by name: 0.5 to 1, how likely; `facing` -1 (left) to 1 (right). What is less likely is left out.',
            ),
          predictedIou: share
            .optional()
            .describe("The mask's IoU with the thing, as the segmenter guesses it."),
        }),
      )
      .describe('What is there.'),
  })
  .describe('What one clip adds: things with masks, boxes and tracks. Not stored.');

const measured = (what: string) =>
  z.number().nullable().describe(`${what} null: nothing to say it from.`);

const PeriodScoreSchema = z
  .object({
    from: moment('Begin; outcomes are counted by when they were decided.'),
    outcomes: count.describe('Outcomes that could be decided.'),
    undecidable: count.describe('Those that could not.'),
    uncalibrated: count
      .optional()
      .describe('Outcomes of forecasts that were not calibrated: in none of these marks.'),
    hits: count.describe('The most likely answer came true.'),
    tooLate: count.describe('The event had begun when the forecast was issued.'),
    hitRate: measured('Hits by decided outcomes.'),
    hitRateLeast: measured('The same, were every undecidable one a miss.'),
    brier: measured('Mean Brier score.'),
    logScore: measured('Mean log score, nats.'),
    calibrationError: measured(
      'Mean gap between chance and frequency, over bins of equal mass of the named events and nothing.',
    ),
    skillOverBaseRate: measured('1 less the mean log score by that of the base rate learned here.'),
    skillOverPersistence: measured('1 less the mean log score by that of persistence.'),
    skillOverBaseRateLeast: measured(
      'The first skill, had every undecidable one cost what the worst chance costs.',
    ),
    leadMs: measured('Median of onset minus issue, of events that were the most likely answer.'),
    labels: z
      .record(
        z.string(),
        z.object({
          observed: count.describe('How often it came first.'),
          predicted: count.describe('How often it was the most likely answer.'),
          hits: count.describe('Both.'),
          expected: z.number().describe('Sum of the chances it was given.'),
          brier: measured('Mean of (chance - whether it came)², where it was named or came.'),
        }),
      )
      .describe('By label, "nothing" among them.'),
  })
  .describe('Marks of one stretch of time.');

export const ScoreSchema = z
  .object({
    schema: z.literal('lookahead.score.v1'),
    ...header,
    at: moment('When it was worked out.'),
    target: z.enum(['next', 'within']).describe('Of the forecasts.'),
    periods: z
      .object({ hour: PeriodScoreSchema, day: PeriodScoreSchema, week: PeriodScoreSchema })
      .describe('The last hour, day and week.'),
    recalibration: RecalibrationSchema.nullable().describe('In force on this camera.'),
    drift: z
      .object({
        since: moment('When it was noticed.'),
        recent: z.number().describe('Skill over the base rate of late.'),
        usual: z.number().describe('What it was before.'),
      })
      .nullable()
      .describe('Skill has fallen below what chance explains. null: it has not.'),
    bundle: BundleNameSchema,
  })
  .describe(
    'How good the forecasts of a camera have been of late. About every minute in which an outcome came; stored.',
  );

export const stateNames = ['connecting', 'online', 'offline', 'frozen', 'corrupt'] as const;
export type StateName = (typeof stateNames)[number];

export const StateMessageSchema = z
  .object({
    schema: z.literal('lookahead.state.v1'),
    ...header,
    state: z.enum(stateNames).describe('What the engine sees of the camera from now on.'),
    since: moment('When that began.'),
    why: z.string().describe('Why, in words. Holds no password.'),
  })
  .describe('A camera changed its state. Stored.');

export const HeartbeatSchema = z
  .object({
    schema: z.literal('lookahead.heartbeat.v1'),
    site: TokenSchema.describe('The place; third token of the subject.'),
    at: moment('When it was sent.'),
    epoch: count.describe('Tells runs of the engine apart; grows.'),
    sequence: count.describe('Counts the heartbeats of one epoch.'),
    cameras: z.record(z.string(), z.enum(stateNames)).describe('The state of every camera.'),
    bundle: BundleNameSchema,
  })
  .describe(
    'Each second, so that silence is noticed: three missing and nothing is known. Not stored.',
  );

export const webhookKinds = ['forecast', 'outcome', 'event', 'state', 'score'] as const;

export const WebhookSchema = z
  .object({
    schema: z.literal('lookahead.webhook.v1'),
    camera: header.camera,
    kind: z
      .enum(webhookKinds)
      .describe('What the message is. Forecasts with the target within are called forecast too.'),
    label: z
      .string()
      .nullable()
      .describe(
        'The event that made it worth telling; of an outcome: the one that was forecast. A state: its name. A score: null.',
      ),
    confidence: share
      .nullable()
      .describe('Chance of that event; of an event: of its recognition. null: state and score.'),
    text: z.string().describe('All of it in one line, for people.'),
    message: z
      .looseObject({ schema: z.string().describe('Which of them.') })
      .describe('The message as it is on NATS.'),
  })
  .describe('What a webhook is sent: one message that is worth telling. docs/webhooks.md.');

export type Forecast = z.infer<typeof ForecastSchema>;
export type ForecastEvent = z.infer<typeof ForecastEventSchema>;
export type EventMessage = z.infer<typeof EventMessageSchema>;
export type Outcome = z.infer<typeof OutcomeSchema>;
export type SceneMessage = z.infer<typeof SceneMessageSchema>;
export type StateMessage = z.infer<typeof StateMessageSchema>;
export type Recalibration = z.infer<typeof RecalibrationSchema>;
export type Score = z.infer<typeof ScoreSchema>;
export type PeriodScore = z.infer<typeof PeriodScoreSchema>;
export type UndecidableReason = (typeof undecidableReasons)[number];
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

/** What the engine publishes of a camera. */
export type Message = Forecast | EventMessage | Outcome | SceneMessage | StateMessage | Score;

export type WebhookKind = (typeof webhookKinds)[number];

/** What a webhook is sent. */
export type Notice = Omit<z.infer<typeof WebhookSchema>, 'message'> & { message: Message };

/** `within` has forecasts with that target: their own subject, so that the last forecast of a camera is of the usual kind. */
export const messageKinds = [
  'forecast',
  'within',
  'event',
  'outcome',
  'scene',
  'score',
  'state',
] as const;
export type MessageKind = (typeof messageKinds)[number];

/** `lookahead.forecast.v1` -> `forecast`. */
export function kindOf(message: Message): MessageKind {
  if (message.schema === 'lookahead.forecast.v1' && message.target === 'within') return 'within';
  return message.schema.split('.')[1] as MessageKind;
}

/** An update of a forecast: its prose. What it says of chances has been said. */
export function isRevision(message: Message): boolean {
  return message.schema === 'lookahead.forecast.v1' && message.rev > 0;
}

export function isOutcome(message: Message): message is Outcome {
  return message.schema === 'lookahead.outcome.v1';
}

/** Whether an outcome is of this bundle; older ones do not say of which they are. */
export function isOfBundle({ bundle }: Pick<Outcome, 'bundle'>, sha256: string): boolean {
  return bundle === undefined || bundle.sha256 === sha256;
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
  service: (site: string, name: string): string =>
    `lookahead.v1.${token('site', site)}.svc.${name}`,
};
