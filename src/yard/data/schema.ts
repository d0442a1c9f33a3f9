/** The files of a recording (docs/yard-data.md), each line checked as a whole: what writes and what reads share these. */
import { z } from 'zod';
import { harvestReasons } from '../../harvest/why-keep.js';
import { attributes } from '../truth/look.js';
import { yardClasses, yardLabels } from '../world/labels.js';
import type { YardClass } from '../world/labels.js';
import { recognisedSplit, splits } from './splits.js';
import { zoneNames } from './ground-zones.js';

export const dataSchema = 'lookahead.yard.v2';

const splitOrRecognised = z.enum([...splits, recognisedSplit]);

const whole = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const seconds = z.number().nonnegative();
const label = whole.max(yardLabels.length - 1);
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const perLabel = <Item extends z.ZodType>(item: Item) =>
  z.array(item).length(yardLabels.length).readonly();
const box = z.tuple([share, share, share, share]).readonly();
const zone = z.enum(zoneNames);
const polygon = listOf(z.tuple([share, share]).readonly());
const classOf = z.enum(
  yardClasses.filter((name): name is YardClass => name !== 'background') as [
    YardClass,
    ...YardClass[],
  ],
);

const ObjectSchema = z.strictObject({
  id: whole,
  class: classOf,
  box,
  firstBox: box.nullable(),
  /** Absent where it is not known: in recognised scenes. */
  visible: share.optional(),
  attributes: z.partialRecord(z.enum(attributes), z.number().min(-1).max(1)),
  zone: zone.nullable(),
});

export const ClipSchema = z.strictObject({
  clip: whole,
  endS: seconds,
  objects: listOf(ObjectSchema),
  /** These two are absent in recognised scenes. */
  caption: z.string().optional(),
  description: z.string().optional(),
  stateBits: z.record(z.string(), z.boolean()),
});

export const EventSchema = z.strictObject({
  id: whole,
  onsetS: seconds,
  label,
  actor: whole,
  target: whole.nullable(),
  because: listOf(whole),
  causes: listOf(
    z.strictObject({ event: whole, difference: z.number().min(-1).max(1), stderr: share }),
  ).optional(),
});

const taskNames = ['explain', 'predict', 'question', 'probe'] as const;

export const WindowSchema = z.strictObject({
  clip: whole,
  endS: seconds,
  next: label,
  nextOnsetS: seconds.nullable(),
  within: listOf(label),
  last: label,
  futures: perLabel(whole),
  futuresWithin: perLabel(whole),
  bayes: perLabel(share).optional(),
  state: perLabel(share).optional(),
  bayesWithin: perLabel(share).optional(),
  reasons: listOf(z.strictObject({ label, text: z.string() })),
  tasks: listOf(
    z.strictObject({ task: z.enum(taskNames), prompt: z.string(), answer: z.string() }),
  ),
});

/** Counts over one scene; the data set's own are their sums. */
const TotalsSchema = z.strictObject({
  clips: whole,
  events: whole,
  windows: whole,
  futures: perLabel(whole),
  futuresWithin: perLabel(whole),
  next: perLabel(whole),
  judged: whole,
  nothingLikeliest: whole,
  nearEven: whole,
  links: whole,
  linksThatCause: whole,
  causes: whole,
});

/** Where a recognised scene comes from, and why it was kept. */
const RecognisedSchema = z.strictObject({
  camera: z.string(),
  /** Name of the kept window. */
  item: z.string(),
  why: listOf(z.enum(harvestReasons)),
  /** First frame, wall clock. */
  from: z.iso.datetime(),
  forecast: z.string(),
  verdict: z.string(),
  observed: z.string().nullable(),
  logScore: z.number().nullable(),
  bundle: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string() }),
  privacyMasks: z.boolean(),
});

export const SceneSchema = z.strictObject({
  scene: whole,
  seed: whole,
  template: z.string(),
  /** This and `special` are absent in recognised scenes. */
  light: z.enum(['day', 'dusk', 'night']).optional(),
  rain: z.boolean(),
  special: z.boolean().optional(),
  zones: z.partialRecord(zone, polygon),
  totals: TotalsSchema,
  /** There where the scene was recognised, not drawn. */
  recognised: RecognisedSchema.optional(),
});

export const TextSchema = z.strictObject({ text: z.string() });

export const DatasetSchema = z.strictObject({
  schema: z.literal(dataSchema),
  split: splitOrRecognised,
  /** `recognised`: labels, tracks, masks and what came next are what cameras recognised. Absent: all is true. */
  truth: z.literal('recognised').optional(),
  seed: whole,
  scenes: whole,
  secondsPerScene: whole,
  framesPerSecond: whole,
  framesPerClip: whole,
  widthPx: whole,
  heightPx: whole,
  horizonMs: whole,
  classes: listOf(z.string()),
  labels: listOf(
    z.strictObject({
      type: z.string(),
      actor: z.string().nullable(),
      target: z.string().nullable(),
      text: z.string(),
      baseRate: share,
    }),
  ),
  attributes: listOf(z.string()),
  templates: listOf(
    z.strictObject({
      name: z.string(),
      /** Both are absent in recognised scenes. */
      priorNext: perLabel(share).optional(),
      priorWithin: perLabel(share).optional(),
    }),
  ),
  splits: listOf(z.strictObject({ name: z.enum(splits), text: z.string() })),
  versions: z.strictObject({ world: whole, ffmpeg: z.string() }),
});

/** What a recording was asked for with; a folder goes on only with the same. */
export const RecordingSchema = z.strictObject({
  schema: z.string(),
  tracks: z.boolean(),
  split: splitOrRecognised,
  seed: whole,
  scenes: whole,
  secondsPerScene: whole,
  texts: whole,
  bayesCount: whole,
  bayesEvery: whole,
  causesPairs: whole,
  worldVersion: whole,
  /** Its version; null where nothing is encoded. */
  ffmpeg: z.string().nullable(),
});

export type ClipLine = z.output<typeof ClipSchema>;
export type EventLine = z.output<typeof EventSchema>;
export type WindowLine = z.output<typeof WindowSchema>;
export type Totals = z.output<typeof TotalsSchema>;
export type SceneFile = z.output<typeof SceneSchema>;
export type Dataset = z.output<typeof DatasetSchema>;
export type Recording = z.output<typeof RecordingSchema>;
