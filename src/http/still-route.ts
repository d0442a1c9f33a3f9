/** GET /still: one key frame as PNG, without the bars that the models see; 204 where there is none. */
import { z } from 'zod';
import { TokenSchema } from '../messages.js';
import { atMost } from './at-most.js';
import { paths } from './contract.js';
import type { Stills } from './ports.js';
import { readQuery } from './query.js';
import type { Routes } from './routes.js';

const QuerySchema = z.strictObject({
  camera: TokenSchema,
  at: z.iso.datetime({ offset: true }).optional(),
});

/** Each is encoded on request. */
const stillsMax = 16;

export function stillRoutes(stills: Stills | undefined): Routes {
  if (stills === undefined) return new Map();
  const limited = atMost(stillsMax, 'still pictures');
  return new Map([
    [
      paths.still,
      {
        GET: async ({ query }) => {
          const { camera, at } = readQuery(query, QuerySchema);
          const atMs = at === undefined ? undefined : Date.parse(at);
          const still = await limited(() => stills.png(camera, atMs));
          // No error: a camera that was just added has none yet, and a moment that is long gone has none any more.
          if (still === undefined) return { status: 204 };
          return {
            status: 200,
            type: 'image/png',
            body: still.png,
            headers: { 'x-lookahead-at': new Date(still.atMs).toISOString() },
          };
        },
      },
    ],
  ]);
}
