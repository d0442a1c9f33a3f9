/** What of a camera may be kept, and how much of it. */
import { z } from 'zod';

export const HarvestSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Your consent that pictures are kept: true keeps a clip of windows that surprised or that were doubtful. false: no picture and nothing made of one is kept, not even in memory.',
      ),
    dir: z
      .string()
      .min(1)
      .max(4096)
      .nullable()
      .default(null)
      .describe('Where they are kept; null: .cache/harvest in the repository.'),
    maxMib: z
      .int()
      .min(1)
      .max(1_048_576)
      .default(1024)
      .describe('The oldest go before the folder would grow beyond this size.'),
    maxAgeH: z
      .number()
      .min(0.1)
      .max(87_600)
      .default(168)
      .describe('What is older than this is deleted.'),
    surpriseMin: z
      .number()
      .min(0)
      .max(20)
      .default(3)
      .describe(
        'An outcome surprises from this log score on, in nats: 3 is a chance of 5 %. What no forecast had named surprises always.',
      ),
    doubtMin: z
      .number()
      .min(0)
      .max(1)
      .default(0.8)
      .describe(
        'A forecast is doubtful from this doubt on: 1 less the chance of its most likely answer. 1: none is.',
      ),
    everyMinS: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe('Shortest time between two windows that are kept of one camera.'),
  })
  .prefault({})
  .describe('Keeping what surprised or was doubtful, as recordings to learn from.');

export type HarvestConfig = z.infer<typeof HarvestSchema>;
