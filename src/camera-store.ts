/** What is kept of a camera that was added while the engine runs, so that the next run watches it again. Holds no password. */
import { z } from 'zod';
import type { CameraSource } from './camera-source.js';
import { CameraSchema } from './config.js';
import type { CredentialStore } from './credential-store.js';
import { LookaheadError } from './errors.js';
import { parseSource, type RtspSource } from './ingest/source-url.js';
import { PrivacyMasksSchema } from './privacy-mask-schema.js';

/** The bucket's name within the site, and how many versions of a camera it keeps. */
export const camerasBucket = { name: 'cameras', versions: 1 } as const;

const KeptCameraSchema = z.object({
  schema: z.literal('lookahead.camera.v1'),
  url: z.string().min(1).max(1024),
  transport: z.enum(['tcp', 'udp']),
  /** A name in the engine's store of credentials; null: the camera wants no login. */
  credential: z.string().min(1).max(80).nullable(),
  privacyMasks: PrivacyMasksSchema,
  origin: z.literal('api'),
});
export type KeptCamera = z.infer<typeof KeptCameraSchema>;

export function encodeCamera(camera: KeptCamera): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(camera));
}

/** @throws LookaheadError request_invalid, source_refused */
export function decodeCamera(data: Uint8Array): KeptCamera {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    value = undefined;
  }
  const parsed = KeptCameraSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new LookaheadError(
      'request_invalid',
      `What is kept of it is not valid: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}.`,
      'Remove the camera and add it again.',
    );
  }
  networkAddress(parsed.data.url);
  return parsed.data;
}

/**
 * The address of a camera that may be added: no file of this machine, and nothing in it that must be kept secret, since it is
 * stored and read by others.
 * @throws LookaheadError source_refused
 */
export function networkAddress(url: string): RtspSource {
  const source = parseSource(url, { field: 'The address of the camera' });
  if (source.kind === 'file')
    throw new LookaheadError(
      'source_refused',
      'A file of this machine cannot be added as a camera.',
      'Name it in the configuration file, or give an address that begins with rtsp:// or rtsps://.',
    );
  if (source.hasLogin)
    throw new LookaheadError(
      'source_refused',
      `The address of the camera at ${source.host} holds a login.`,
      'Leave it out of the address: give user name and password on their own, or the name of a credential.',
    );
  if (source.secrets.length > 0)
    throw new LookaheadError(
      'source_refused',
      `The address of the camera at ${source.host} holds a password in its path.`,
      'Name such a camera in the configuration file, which nobody else reads.',
    );
  return source;
}

export function addedSource(
  name: string,
  kept: KeptCamera,
  credentials: CredentialStore,
): CameraSource {
  const { url, transport, credential, privacyMasks } = kept;
  const { host } = networkAddress(url);
  const source: CameraSource = {
    ...{ name, origin: 'api', host },
    url: () => Promise.resolve(url),
    camera: { ...CameraSchema.parse({ url, transport }), privacyMasks },
  };
  if (credential === null) return source;
  return { ...source, login: () => loginFor(name, { credential, host }, credentials) };
}

/** @throws LookaheadError credential_unknown, config_unreadable */
export async function loginFor(
  camera: string,
  { credential, host }: { readonly credential: string; readonly host: string },
  credentials: CredentialStore,
): Promise<{ readonly username: string | null; readonly password: string | null }> {
  const found = await credentials.of(credential);
  const wrong = (what: string): LookaheadError =>
    new LookaheadError(
      'credential_unknown',
      `${camera}: ${what}`,
      'Write it into the file that credentialsFile names, as NAME: { "username", "password" }.',
    );
  if (!found) throw wrong(`there is no credential "${credential}".`);
  if (found.host !== null && found.host !== host)
    throw wrong(`the credential "${credential}" is not for a camera at ${host}.`);
  return { username: found.username, password: found.password };
}
