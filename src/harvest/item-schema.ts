/** The files of one kept window (docs/harvest.md), checked as a whole: what writes and what reads share these. */
import { z } from 'zod';
import { BoxSchema, ForecastSchema, OutcomeSchema, TokenSchema } from '../messages.js';
import { harvestReasons } from './why-keep.js';

export const itemSchema = 'lookahead.harvest.v1';

export const itemFiles = {
  video: 'video.h264',
  scenes: 'scenes.jsonl',
  tokens: 'tokens.f32',
  item: 'item.json',
} as const;

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const iso = z.iso.datetime();

export const ItemSchema = z.object({
  schema: z.literal(itemSchema),
  name: z.string(),
  site: TokenSchema,
  camera: TokenSchema,
  why: z.array(z.enum(harvestReasons)).min(1),
  keptAt: iso,
  /** First and last frame of the window, last frame of the clips of its horizon. */
  from: iso,
  to: iso,
  until: iso,
  clips: count,
  /** The first so many; the others are the horizon's. */
  windowClips: count,
  /** Whether areas were blackened before anything saw the pictures. */
  privacyMasks: z.boolean(),
  forecast: ForecastSchema,
  outcome: OutcomeSchema,
  geometry: z.object({
    framesPerSecond: z.number().positive(),
    framesPerClip: count,
    horizonMs: count,
    lookFrames: z.array(count),
    /** Of the frames that the models saw; `picture` is the camera's part of them, and what the video holds. */
    widthPx: count,
    heightPx: count,
    picture: z.object({ x: count, y: count, width: count, height: count }),
  }),
  /** How `tokens.f32` is to be read: for each clip of the window its global token, then each object's token, then its attributes. */
  tokens: z.object({ visionDim: count, attributes: z.array(z.string()) }),
});

/** One line of scenes.jsonl. */
export const KeptSceneSchema = z.object({
  clip: count,
  from: iso,
  to: iso,
  /** Arrival of each frame, milliseconds since 1970. */
  framesAtMs: z.array(z.number()),
  familiarity: share,
  place: z.record(z.string(), z.number()),
  objects: z.array(
    z.object({
      track: count,
      class: z.string(),
      classProbability: share,
      box: BoxSchema,
      velocity: z.object({ x: z.number(), y: z.number() }),
      ageClips: count,
      mask: z.object({ size: z.tuple([count, count]), counts: z.array(count) }),
      predictedIou: z.number(),
      attributes: z.record(z.string(), z.number()),
      looks: z.array(z.object({ x: z.number(), y: z.number() })),
    }),
  ),
  events: z.array(
    z.object({
      label: z.string(),
      type: z.string(),
      actor: z.string().nullable(),
      target: z.string().nullable(),
      onset: iso,
      /** Where in the clip: 0 its first frame, 1 its last. */
      onsetShare: share,
      probability: share,
      /** Whether it is certain enough to be published, and to decide outcomes. */
      counts: z.boolean(),
      actors: z.array(count),
      targetTrack: count.nullable(),
    }),
  ),
});

export type Item = z.infer<typeof ItemSchema>;
export type KeptScene = z.infer<typeof KeptSceneSchema>;

/** Names begin with the end of the window, so that the alphabet's order is that of age. */
const namePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z_[A-Za-z0-9_-]{1,200}$/;

export function itemName(windowToMs: number, forecastId: string): string {
  return `${new Date(windowToMs).toISOString().replaceAll(/[-:.]/g, '')}_${forecastId}`;
}

/** End of the window of an item; null: nothing of ours is called so. */
export function timeOfItem(name: string): number | null {
  const [, year, month, day, hour, minute, second, ms] = namePattern.exec(name) ?? [];
  if (year === undefined) return null;
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(atMs) ? null : atMs;
}
