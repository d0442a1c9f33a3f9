/** What is kept of a camera's recalibration, version by version. */
import { z } from 'zod';
import type { Recalibration } from '../messages.js';
import { recalibrationBounds } from './recalibration.js';

const [coldest, hottest] = recalibrationBounds.temperature;
const [least, most] = recalibrationBounds.nothingBias;

export const CalibrationEntrySchema = z.object({
  schema: z.literal('lookahead.calibration.v1'),
  temperature: z.number().min(coldest).max(hottest),
  nothingBias: z.number().min(least).max(most),
  /** Outcomes that it was fitted on; 0: a person has set it. */
  outcomes: z.number().int().nonnegative(),
  at: z.iso.datetime(),
  /** Of the bundle whose chances it mends; another's it would harm. */
  bundleSha256: z.string(),
  by: z.enum(['engine', 'person']),
  /** The engine leaves it as it is. */
  frozen: z.boolean(),
});
export type CalibrationEntry = z.infer<typeof CalibrationEntrySchema>;

/** The bucket's name within the site, and how many versions of a camera's value it keeps. */
export const calibrationBucket = { name: 'calibration', versions: 16 } as const;

export interface CalibrationVersion extends CalibrationEntry {
  /** Revision in the bucket. */
  readonly version: number;
}

export function encodeEntry(entry: CalibrationEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(CalibrationEntrySchema.parse(entry)));
}

/** Null: not what this version writes. */
export function decodeEntry(data: Uint8Array, version: number): CalibrationVersion | null {
  try {
    const parsed = CalibrationEntrySchema.safeParse(JSON.parse(new TextDecoder().decode(data)));
    return parsed.success ? { ...parsed.data, version } : null;
  } catch {
    return null;
  }
}

/** As forecasts tell it; null: the bundle's own. */
export function recalibrationOf(entry: CalibrationVersion | null): Recalibration | null {
  if (!entry) return null;
  const { version, temperature, nothingBias } = entry;
  return temperature === 1 && nothingBias === 0 ? null : { version, temperature, nothingBias };
}
