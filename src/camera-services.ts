/** Cameras over NATS: which there are, one more, one less. Passwords never travel this way. */
import type { z } from 'zod';
import type { AddedCameras } from './added-cameras.js';
import { LookaheadError } from './errors.js';
import type { Bus } from './sinks/bus.js';
import {
  CameraAddRequestSchema,
  CameraRemoveRequestSchema,
  type CameraAdded,
  type CameraList,
  type CameraRemoved,
} from './sinks/services.js';

export function serveCameras(bus: Pick<Bus, 'site' | 'serve'>, added: AddedCameras): void {
  const { site } = bus;
  bus.serve('cameras.list', 'The cameras of this engine and their states.', (): CameraList => ({
    schema: 'lookahead.cameras.v1',
    site,
    cameras: added.rows(),
  }));
  bus.serve('cameras.add', 'Watches one camera more.', async (request): Promise<CameraAdded> => {
    const asked = parse(CameraAddRequestSchema, request);
    const row = await added.addWithCredential(asked);
    return { schema: 'lookahead.camera.added.v1', site, added: row };
  });
  bus.serve(
    'cameras.remove',
    'Watches an added camera no more.',
    async (request): Promise<CameraRemoved> => {
      const { camera } = parse(CameraRemoveRequestSchema, request);
      await added.remove(camera);
      return { schema: 'lookahead.camera.removed.v1', site, camera };
    },
  );
}

/** What is said of a wrong request holds none of its values: one could be a password. */
function parse<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ');
    throw new LookaheadError(
      'request_invalid',
      `The request has fields that are not known: ${keys}.`,
      'A login is not sent over NATS: write it into the file that credentialsFile names, and give its name as "credential".',
    );
  }
  throw new LookaheadError(
    'request_invalid',
    `The field "${issue?.path.map(String).join('.') ?? ''}" of the request is not valid: ${issue?.message ?? ''}.`,
    'Send {"camera": NAME, "url": "rtsp://HOST/PATH"}, if need be with "transport", "credential" and "privacyMasks"; to remove one, {"camera": NAME}.',
  );
}
