/** `bundles/<name>/manifest.json`: everything that differs between a small bundle and a large one. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const TensorSchema = z.object({
  name: z.string(),
  type: z.enum(['float32', 'uint8', 'int64', 'bool']),
  /** A number is fixed; a word is a free axis. */
  shape: z.array(z.union([z.number().int(), z.string()])),
});

const GraphSchema = z.object({
  path: z.string(),
  sha256,
  inputs: z.array(TensorSchema),
  outputs: z.array(TensorSchema),
});
const FileSchema = z.object({ path: z.string(), sha256 });

export const LabelSchema = z.object({
  /** 'nothing' alone has type 'nothing' and is the first label. */
  type: z.string(),
  actor: z.string().nullable(),
  target: z.string().nullable(),
  /** What the language model scores and people read: 'van enters'. */
  text: z.string(),
  /** Share of training windows in which this came next. */
  baseRate: share,
});

const MeasureSchema = z.object({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
});

/** Fixed text, as training had it; how sequences are made of it is in docs/bundle.md. */
export const PromptsSchema = z.object({
  forecast: z.string(),
  justify: z.string(),
  /** Begins the log of recognised events. */
  events: z.string(),
  /** Asks what one of them came of. */
  cause: z.string(),
  describe: z.string(),
  ask: z.string(),
  answer: z.string(),
  /** Asks for chances in words: the paper's own way. */
  verbal: z.string(),
});
export type Prompts = z.infer<typeof PromptsSchema>;

export const ManifestSchema = z.object({
  schema: z.literal('lookahead.bundle.v1'),
  name: z.string(),
  version: z.string(),
  licence: z.string(),
  description: z.string(),
  /** Where the numbers below hold; elsewhere nothing is called calibrated. */
  domain: z.object({ description: z.string(), familiarityMin: share }),
  preprocessing: z.object({
    widthPx: z.number().int().positive(),
    heightPx: z.number().int().positive(),
    /** letterbox: scaled to fit, black bars; nothing is cut or stretched. */
    fit: z.literal('letterbox'),
    /** Pictures go in as rgb24 bytes; scaling to the net's range is in the graph. */
    type: z.literal('uint8'),
  }),
  geometry: z.object({
    framesPerSecond: z.number().positive(),
    framesPerClip: z.number().int().positive(),
    clipsPerWindow: z.number().int().positive(),
    /** A forecast every this many clips. */
    forecastEveryClips: z.number().int().positive(),
    horizonMs: z.number().int().positive(),
    /** Index within the clip of the frame that is segmented. */
    keyFrame: z.number().int().nonnegative(),
    patchRows: z.number().int().positive(),
    patchColumns: z.number().int().positive(),
    maskRows: z.number().int().positive(),
    maskColumns: z.number().int().positive(),
    visionDim: z.number().int().positive(),
    languageDim: z.number().int().positive(),
    queries: z.number().int().positive(),
    objectsPerClipMax: z.number().int().positive(),
    attributes: z.array(z.string()),
    /** Frames of a clip at which an object's place is told, ascending; the last is `keyFrame`. */
    lookFrames: z.array(z.number().int().nonnegative()).min(1),
    /** What can be seen of a thing, by name. */
    objectAttributes: z.array(z.string()),
    /** What the event head gets of each track. */
    trackAttributes: z.array(z.string()),
    /** Yes-or-no facts about the whole place, by name. */
    place: z.array(z.string()),
    /** How precise tracks are, as the fusion core is told: numbers that training measured; zeros for true tracks. */
    trackErrors: z.array(z.number()).length(4).default([0, 0, 0, 0]),
  }),
  segmenter: z.object({
    pointsPerRow: z.number().int().positive(),
    pointsPerColumn: z.number().int().positive(),
    pointsPerBatch: z.number().int().positive(),
    predIouThresh: share,
    stabilityScoreThresh: share,
    stabilityScoreOffset: z.number().positive(),
    boxNmsThresh: share,
    /** In cells of the mask grid. */
    minMaskRegionArea: z.number().nonnegative(),
    /** 0: the picture is segmented once, as a whole. Each layer runs the encoder 4^layer times more. */
    cropNLayers: z.number().int().nonnegative().max(4).default(0),
    cropNmsThresh: share.default(0.7),
    cropOverlapRatio: share.default(512 / 1500),
    /** The grid of layer i has pointsPerRow / factor^i x pointsPerColumn / factor^i points. */
    cropNPointsDownscaleFactor: z.number().min(1).default(1),
  }),
  language: z.object({
    layers: z.number().int().positive(),
    keyValueHeads: z.number().int().positive(),
    headDim: z.number().int().positive(),
    vocabulary: z.number().int().positive(),
    endOfText: z.number().int().nonnegative(),
  }),
  prompts: PromptsSchema,
  classes: z.array(z.string()).describe('Index 0 is background: not a thing.'),
  labels: z.array(LabelSchema).min(4),
  /** Probability from which a recognised event is published and counts, by label. */
  eventThresholds: z.array(share),
  files: z.object({
    backbone: GraphSchema,
    segmenterEncoder: GraphSchema,
    segmenterDecoder: GraphSchema,
    objectHead: GraphSchema,
    eventHead: GraphSchema,
    fusion: GraphSchema,
    reasoner: GraphSchema,
    /** Chances from tracks alone: what they are worth, and a cheap forecast. */
    trackForecaster: GraphSchema.optional(),
    embeddings: FileSchema,
    tokenizer: FileSchema,
    calibration: FileSchema,
  }),
  training: z.record(z.string(), z.unknown()),
  /** Measured on held-out scenes; the command that measures is in `training.evaluate`. */
  quality: z.record(z.string(), MeasureSchema),
});

export type Manifest = z.infer<typeof ManifestSchema>;
export type Label = z.infer<typeof LabelSchema>;
export type Graph = z.infer<typeof GraphSchema>;

/** `calibration.json`: what was fitted after training. */
export const CalibrationSchema = z.object({
  /** Divides the label log-likelihoods before the softmax. */
  temperature: z.number().positive(),
  /** Added to the log-likelihood of «nothing» before the temperature divides. */
  nothingBias: z.number().default(0),
  /** Shares of the language model, the object encoder and the track forecaster in a forecast; absent: the first alone. */
  pool: z.object({ reasoner: share, outlook: share, tracks: share }).optional(),
  /** Below a familiarity chances are softened: by the temperature 1 + slope (1 - familiarity / below). Absent: never. */
  unfamiliar: z
    .object({ below: z.number().positive().max(1), slope: z.number().nonnegative() })
    .optional(),
  /** From this chance on an earlier event is called a cause. */
  causeMin: share.default(0.25),
  /** The mean of the fused prefix over training windows, [queries x languageDim]: what the model says without seeing. */
  meanPrefix: z.array(z.number()).optional(),
  /** An answer that differs by less from what is said without seeing, in nats, does not come from what is seen. */
  groundedMin: z.number().nonnegative().default(0.05),
  /** What comes after the first event of a horizon, by the texts of labels (src/outcomes/within.ts); what is left out is 0. */
  follow: z
    .object({
      /** How likely the first brings the second about within what is left of the horizon. */
      brings: z.record(z.string(), z.record(z.string(), share)),
      /** Share of the horizon in which a label may still come by its own hazard after another came first. */
      left: z.record(z.string(), share),
    })
    .optional(),
  /** Familiarity: squared Mahalanobis distance of the scene feature, turned into a share by quantiles. */
  familiarity: z.object({
    mean: z.array(z.number()),
    /** Rows of a whitening matrix: distance = |W (x - mean)|^2. */
    whitening: z.array(z.array(z.number())),
    /** Ascending distances at which familiarity is 1, 0.99, ... 0: the first half ranks held-out scenes, the second reaches beyond them. */
    quantiles: z.array(z.number()),
  }),
});
export type Calibration = z.infer<typeof CalibrationSchema>;
