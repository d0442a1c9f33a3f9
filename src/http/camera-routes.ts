/** Adds, tests, masks and removes cameras on request. No answer holds the password that came with the question. */
import { LookaheadError } from '../errors.js';
import { redactor } from '../ingest/redact.js';
import { atMost } from './at-most.js';
import {
  CameraAddSchema,
  CameraMasksSchema,
  CameraRemoveSchema,
  CameraTestSchema,
  paths,
} from './contract.js';
import type { CameraPort } from './ports.js';
import { readJson } from './read-json.js';
import { json } from './reply.js';
import type { Routes } from './routes.js';

/** Each is an ffmpeg process. */
const testsMax = 2;
const changesMax = 8;

export function cameraRoutes(cameras: CameraPort | undefined): Routes {
  if (cameras === undefined) return new Map();
  const tests = atMost(testsMax, 'tests of cameras');
  const changes = atMost(changesMax, 'changes of cameras');
  return new Map([
    [
      paths.cameraTest,
      {
        POST: async ({ request }) => {
          const wanted = await readJson(request, CameraTestSchema);
          return json(200, await quiet(wanted, () => tests(() => cameras.test(wanted))));
        },
      },
    ],
    [
      paths.cameras,
      {
        POST: async ({ request }) => {
          const wanted = await readJson(request, CameraAddSchema);
          return json(201, await quiet(wanted, () => changes(() => cameras.add(wanted))));
        },
        DELETE: async ({ request }) => {
          const { camera } = await readJson(request, CameraRemoveSchema);
          await changes(() => cameras.remove(camera));
          return { status: 204 };
        },
      },
    ],
    [
      paths.cameraMasks,
      {
        PUT: async ({ request }) => {
          const wanted = await readJson(request, CameraMasksSchema);
          await changes(() => cameras.mask(wanted));
          return { status: 204 };
        },
      },
    ],
  ]);
}

/** ffmpeg and cameras repeat what they are told. */
async function quiet<T>(login: { password: string | null }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LookaheadError) || login.password === null) throw error;
    const clean = redactor([login.password]);
    const [message, remedy] = [clean(error.message), clean(error.remedy)];
    if (message === error.message && remedy === error.remedy) throw error;
    throw new LookaheadError(error.code, message, remedy, { cause: error });
  }
}
