/** Where each camera of an engine comes from, and where it is read at a moment. */
import type { Tools } from './app.js';
import { CameraServer } from './camera-server.js';
import type { Closers } from './closers.js';
import { cameraNamesOf, type CameraConfig, type Config } from './config.js';
import { sourceOf, type Camera } from './ingest/open-camera.js';
import { polygonsOf } from './privacy-mask-schema.js';
import type { CameraList } from './sinks/services.js';
import { demoScene } from './yard/demo-scenes.js';

export interface CameraSource {
  readonly name: string;
  readonly origin: 'file' | 'api' | 'yard';
  /** Host and port of a camera in the network; null: it is served by this engine. */
  readonly host: string | null;
  /** Asked at each connection. */
  readonly url: () => Promise<string>;
  /** Absent for yard cameras. */
  readonly camera?: CameraConfig;
  /** Asked at each connection, in place of the login in `camera`. Rejects with `credential_unknown`. */
  readonly login?: () => Promise<Login>;
}

type Login = Pick<CameraConfig, 'username' | 'password'>;

const noLogin: Login = { username: null, password: null };

/** Where a camera is read at this moment. */
export async function cameraAt({ name, url, camera, login }: CameraSource): Promise<Camera> {
  const { username, password } = (await login?.()) ?? camera ?? noLogin;
  return {
    name,
    url: await url(),
    transport: camera?.transport,
    username: username ?? undefined,
    password: password ?? undefined,
    privacyMasks: polygonsOf(camera?.privacyMasks ?? []),
  };
}

/** What may be told of it; no address and no login. */
export function factsOf({
  origin,
  host,
  camera,
}: CameraSource): Pick<CameraList['cameras'][number], 'origin' | 'host' | 'privacyMasks'> {
  const masks = polygonsOf(camera?.privacyMasks ?? []);
  return { origin, host, privacyMasks: masks.map((mask) => mask.map(([x, y]) => [x, y])) };
}

/** The configured cameras; without any, yard cameras. Recordings each get a server: a bad one harms no other. */
export function fixedSources(
  { config, tools }: { readonly config: Config; readonly tools: Tools },
  closers: Closers,
): CameraSource[] {
  const served = (cameras: ConstructorParameters<typeof CameraServer>[1]): CameraServer => {
    const server = new CameraServer(tools.ffmpegPath, cameras);
    closers.add(() => server.close());
    return server;
  };
  const configured = Object.entries(config.cameras);
  if (configured.length === 0) {
    const yard = cameraNamesOf(config).map((name, index) => ({
      name,
      kind: 'yard' as const,
      ...demoScene(index),
    }));
    const server = served(yard);
    return yard.map(({ name }) => {
      const url = (): Promise<string> => server.url(name);
      return { name, origin: 'yard', host: null, url };
    });
  }
  return configured.map(([name, camera]) => {
    const path = /^file:(.+)$/i.exec(camera.url)?.[1];
    const own = { name, origin: 'file' as const };
    if (path === undefined) {
      const url = (): Promise<string> => Promise.resolve(camera.url);
      return { ...own, host: hostOf(name, camera), url, camera };
    }
    const server = served([{ name, kind: 'file', path }]);
    const url = (): Promise<string> => server.url(name);
    return { ...own, host: null, url, camera: { ...camera, ...noLogin } };
  });
}

/** An address that is refused is told by the camera's state. */
function hostOf(name: string, { url, username, password }: CameraConfig): string | null {
  try {
    const login = { username: username ?? undefined, password: password ?? undefined };
    const source = sourceOf({ name, url, ...login });
    return source.kind === 'rtsp' ? source.host : null;
  } catch {
    return null;
  }
}
