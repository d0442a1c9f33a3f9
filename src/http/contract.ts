/**
 * What the dashboard asks of the engine over HTTP, beside what it has from NATS: who it is, still pictures, and the
 * cameras that were added by request. Runs in the browser too, so it imports nothing of Node.
 */
import { z } from 'zod';
import { TokenSchema } from '../messages.js';
import { PrivacyMasksSchema } from '../privacy-mask-schema.js';

const oneLine = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\r\n\0]*$/, 'must be one line');

/** Every path that is not a file of the page. */
export const paths = {
  session: '/session',
  login: '/login',
  logout: '/logout',
  /** Upgrade: the WebSocket of the NATS server, passed on byte by byte. */
  nats: '/nats',
  /** Upgrade: MPEG-1 of `?camera=NAME`, as jsmpeg plays it. */
  picture: '/picture',
  /**
   * PNG of `?camera=NAME`: the newest key frame, or with `&at=ISO` that of this moment; 204: there is none. It is the whole
   * picture of the camera and nothing else, so that boxes and privacy masks are shares of it.
   */
  still: '/still',
  cameras: '/api/cameras',
  cameraTest: '/api/cameras/test',
  cameraMasks: '/api/cameras/masks',
} as const;

/** Answer of GET /session, logged in or not. What is not for strangers is null until they are. */
export const SessionSchema = z.object({
  schema: z.literal('lookahead.session.v1'),
  /** Whether a password has to be given here at all. */
  needsLogin: z.boolean(),
  isLoggedIn: z.boolean(),
  version: z.string(),
  engine: z
    .object({
      site: TokenSchema,
      /** Live pictures at once. */
      viewersMax: z.int().nonnegative(),
      /** The account of the dashboard: reads, asks, publishes nothing. null: see `natsHindrance`. */
      nats: z.object({ user: z.string().nullable(), password: z.string().nullable() }).nullable(),
      /** Why there is no way to NATS, and what to do about it. */
      natsHindrance: z.string().nullable(),
    })
    .nullable(),
});
export type Session = z.infer<typeof SessionSchema>;

/** Body of POST /login. 204: a cookie was set. 401: wrong. 429: too often, see Retry-After. */
export const LoginSchema = z.strictObject({ password: z.string().min(1).max(1024) });

const address = {
  url: oneLine.describe('rtsp:// or rtsps://; without a login.'),
  username: oneLine.nullable().default(null).describe('Login name.'),
  password: oneLine
    .nullable()
    .default(null)
    .describe('Goes to the credential store of the engine and nowhere else.'),
  transport: z.enum(['tcp', 'udp']).default('tcp').describe('How RTP travels.'),
};

/** Body of POST /api/cameras/test: opens the camera once, keeps nothing. */
export const CameraTestSchema = z.strictObject(address);
export type CameraTest = z.infer<typeof CameraTestSchema>;

export const CameraTestedSchema = z.object({
  schema: z.literal('lookahead.camera.tested.v1'),
  /** Of the camera's picture. */
  widthPx: z.int().positive(),
  heightPx: z.int().positive(),
  /** From the request to the first picture. */
  firstPictureMs: z.number().nonnegative(),
  /** The first picture, at the size of the bundle: a `data:image/png;base64,` address. */
  still: z.string(),
});
export type CameraTested = z.infer<typeof CameraTestedSchema>;

/** Body of POST /api/cameras. 201 with the camera's row of `cameras.list`. */
export const CameraAddSchema = z.strictObject({
  camera: TokenSchema,
  ...address,
  privacyMasks: PrivacyMasksSchema,
});
export type CameraAdd = z.infer<typeof CameraAddSchema>;

/** Body of DELETE /api/cameras. 204. Only cameras that were added by request can be removed. */
export const CameraRemoveSchema = z.strictObject({ camera: TokenSchema });

/** Body of PUT /api/cameras/masks. 204; the camera is opened anew. Only for cameras that were added by request. */
export const CameraMasksSchema = z.strictObject({
  camera: TokenSchema,
  privacyMasks: PrivacyMasksSchema,
});
export type CameraMasks = z.infer<typeof CameraMasksSchema>;

/** Body of every answer from 400 on whose path begins with /api, and of /login. */
export const HttpErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});
export type HttpError = z.infer<typeof HttpErrorSchema>;
