/** Cameras that come and go while the engine runs: asked for over HTTP or NATS, kept in NATS, watched again by the next run. */
import type { CameraSet } from './camera-set.js';
import { factsOf, type CameraSource } from './camera-source.js';
import {
  addedSource,
  camerasBucket,
  decodeCamera,
  encodeCamera,
  loginFor,
  networkAddress,
  type KeptCamera,
} from './camera-store.js';
import type { CameraStatus } from './cameras.js';
import { CameraNameSchema, camerasMax } from './config.js';
import type { Console } from './console.js';
import type { CredentialStore } from './credential-store.js';
import { LookaheadError, messageOf } from './errors.js';
import type { CameraAdd, CameraMasks, CameraTest, CameraTested } from './http/contract.js';
import type { CameraPort } from './http/ports.js';
import type { Manifest } from './models/manifest.js';
import type { Bus } from './sinks/bus.js';
import type { KeyValues, StoredValue } from './sinks/key-values.js';
import type { CameraList } from './sinks/services.js';
import { tryCamera } from './try-camera.js';

export interface AddedCamerasOptions {
  readonly cameras: CameraSet;
  readonly states: ReadonlyMap<string, CameraStatus>;
  readonly credentials: CredentialStore;
  readonly ffmpegPath: string;
  readonly console: Pick<Console, 'log'>;
  /** Of the bundle in use; undefined: it is not loaded yet. */
  readonly seeing: () => Pick<Manifest, 'preprocessing' | 'geometry'> | undefined;
}

export type CameraRow = CameraList['cameras'][number];

/** A camera without its login, which has a name. */
export type CredentialAdd = Omit<CameraAdd, 'username' | 'password'> & {
  readonly credential: string | null;
};

/** Changes that may wait while one is made; each takes a round trip to NATS. */
const waitingMax = 16;
/** Cameras that may be tried at once; each is an ffmpeg. */
const triesMax = 2;

export class AddedCameras implements CameraPort {
  readonly #options: AddedCamerasOptions;
  /** Null until there is a bus. */
  #store: KeyValues | null = null;
  /** What is kept of each that is watched. */
  readonly #kept = new Map<string, KeptCamera>();
  /** The newest of each that has been seen to, whatever came of it. */
  readonly #revisions = new Map<string, number>();
  #changing: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #tries = 0;
  #complaint = '';
  #isClosed = false;

  constructor(options: AddedCamerasOptions) {
    this.#options = options;
  }

  /** Watches what earlier runs have kept as soon as NATS is there, and what others change in it. Returns what ends it. */
  follow(bus: Pick<Bus, 'keyValues'>): () => void {
    this.#store = bus.keyValues(camerasBucket.name, camerasBucket.versions);
    const stop = this.#store.watch(
      (value) => void this.#inTurn(() => this.#follow(value)),
      (error) => this.#complain(error),
    );
    return () => {
      this.#isClosed = true;
      stop();
    };
  }

  /** As `cameras.list` tells them. */
  rows(): CameraRow[] {
    return this.#options.cameras.sources.map((source) => this.#rowOf(source));
  }

  async test({ url, username, password, transport }: CameraTest): Promise<CameraTested> {
    const { ffmpegPath, seeing } = this.#options;
    const { host } = networkAddress(url);
    const manifest = seeing();
    if (!manifest)
      throw new LookaheadError(
        'request_failed',
        'The models are not loaded yet, so no picture can be made for them.',
        'Try again in some seconds.',
      );
    if (this.#tries >= triesMax)
      throw new LookaheadError(
        'queue_full',
        `${triesMax} cameras are being tried already.`,
        'Try again in some seconds.',
      );
    const { widthPx, heightPx } = manifest.preprocessing;
    const { framesPerSecond } = manifest.geometry;
    const login = { username: username ?? undefined, password: password ?? undefined };
    this.#tries += 1;
    try {
      return await tryCamera(
        { name: host, url, transport, ...login },
        { ffmpegPath, widthPx, heightPx, framesPerSecond },
      );
    } finally {
      this.#tries -= 1;
    }
  }

  add({ username, password, ...request }: CameraAdd): Promise<CameraRow> {
    return this.#change(async () => {
      const { camera, url } = request;
      const { host } = await this.#checkNew(camera, url);
      const hasLogin = username !== null || password !== null;
      if (!hasLogin) return this.#keepNew({ ...request, credential: null });
      const { credentials } = this.#options;
      const credential = await credentials.add(camera, { username, password, host, camera });
      try {
        return await this.#keepNew({ ...request, credential });
      } catch (error) {
        await this.#forgetLogin(camera);
        throw error;
      }
    });
  }

  /** The same with a login that is known to the engine already. */
  addWithCredential(request: CredentialAdd): Promise<CameraRow> {
    return this.#change(async () => {
      const { camera, url, credential } = request;
      const { host } = await this.#checkNew(camera, url);
      if (credential !== null)
        await loginFor(camera, { credential, host }, this.#options.credentials);
      return this.#keepNew(request);
    });
  }

  remove(camera: string): Promise<void> {
    return this.#change(async () => {
      const { cameras, console } = this.#options;
      if (cameras.has(camera)) this.#ofApi(camera);
      // What is kept and cannot be used is removed too.
      else if (!(await this.#isKept(camera))) throw unknown(camera);
      await this.#bucket.remove(camera);
      this.#kept.delete(camera);
      cameras.remove(camera);
      console.log('info', `${camera}: removed`);
      await this.#forgetLogin(camera);
    });
  }

  mask({ camera, privacyMasks }: CameraMasks): Promise<void> {
    return this.#change(async () => {
      const kept = { ...this.#ofApi(camera), privacyMasks };
      await this.#put(camera, kept);
      this.#watch(camera, kept);
    });
  }

  /** @throws LookaheadError request_invalid, source_refused, camera_exists, camera_fixed, broker_* */
  async #checkNew(camera: string, url: string): Promise<{ readonly host: string }> {
    const { cameras } = this.#options;
    const name = CameraNameSchema.safeParse(camera);
    if (!name.success)
      throw new LookaheadError(
        'request_invalid',
        `The name ${JSON.stringify(camera.slice(0, 80))} cannot be used: ${name.error.issues[0]?.message ?? ''}.`,
        'Choose another name of 1 to 64 letters, digits, "_" or "-".',
      );
    const source = networkAddress(url);
    const like = cameras.names.find((known) => known.toLowerCase() === camera.toLowerCase());
    if (like !== undefined || (await this.#isKept(camera)))
      throw new LookaheadError(
        'camera_exists',
        `There is a camera ${JSON.stringify(like ?? camera)} already.`,
        'Choose another name, or remove that camera first.',
      );
    if (cameras.size >= camerasMax) throw full();
    return source;
  }

  async #keepNew({
    camera,
    url,
    transport,
    credential,
    privacyMasks,
  }: CredentialAdd): Promise<CameraRow> {
    const kept: KeptCamera = {
      ...({ schema: 'lookahead.camera.v1', origin: 'api' } as const),
      ...{ url, transport, credential, privacyMasks },
    };
    await this.#put(camera, kept);
    const source = this.#watch(camera, kept);
    this.#options.console.log('info', `${camera}: added, at ${source.host ?? ''}`);
    return this.#rowOf(source);
  }

  async #put(camera: string, kept: KeptCamera): Promise<void> {
    const revision = await this.#bucket.put(camera, encodeCamera(kept));
    if (revision !== null) this.#revisions.set(camera, revision);
  }

  /** What cannot be deleted keeps no camera from going. */
  async #forgetLogin(camera: string): Promise<void> {
    const { credentials, console } = this.#options;
    try {
      await credentials.removeOf(camera);
    } catch (error) {
      if (!(error instanceof LookaheadError)) throw error;
      console.log(
        'warn',
        `${camera}: a login that it may have is not deleted: ${error.message} ${error.remedy}`,
      );
    }
  }

  #watch(camera: string, kept: KeptCamera): CameraSource {
    const { cameras, credentials } = this.#options;
    const source = addedSource(camera, kept, credentials);
    this.#kept.set(camera, kept);
    cameras.put(source);
    return source;
  }

  /** An earlier run has kept it, or another has changed it, or this engine a moment ago. */
  async #follow({ key: camera, revision, data }: StoredValue): Promise<void> {
    if (this.#isClosed || revision <= (this.#revisions.get(camera) ?? 0)) return;
    this.#revisions.set(camera, revision);
    this.#complaint = '';
    const { cameras, console } = this.#options;
    const isLike = (name: string): boolean => name.toLowerCase() === camera.toLowerCase();
    const present = cameras.sources.find(({ name }) => isLike(name));
    if (present && (present.origin !== 'api' || present.name !== camera)) {
      if (data !== null)
        console.log(
          'warn',
          `${camera}: an added camera has the name of ${present.name}, which is watched in its place. Give that one another name.`,
        );
      return;
    }
    if (data === null) {
      this.#kept.delete(camera);
      cameras.remove(camera);
      // Whoever removed it, also while no engine ran.
      return this.#forgetLogin(camera);
    }
    try {
      if (!CameraNameSchema.safeParse(camera).success) throw unknown(camera);
      const kept = decodeCamera(data);
      if (!present && cameras.size >= camerasMax) throw full();
      this.#watch(camera, kept);
    } catch (error) {
      if (!(error instanceof LookaheadError)) throw error;
      console.log('warn', `${camera}: what was added is not watched: ${error.message}`);
    }
  }

  #rowOf(source: CameraSource): CameraRow {
    const { state, sinceMs, why } = this.#options.states.get(source.name) ?? {
      ...({ state: 'connecting', why: 'not tried yet' } as const),
      sinceMs: Date.now(),
    };
    const since = new Date(sinceMs).toISOString();
    return { camera: source.name, state, since, why, ...factsOf(source) };
  }

  /** @throws LookaheadError camera_unknown, camera_fixed */
  #ofApi(camera: string): KeptCamera {
    const { cameras } = this.#options;
    const kept = this.#kept.get(camera);
    if (kept) return kept;
    const source = cameras.of(camera);
    if (!source) throw unknown(camera);
    throw new LookaheadError(
      'camera_fixed',
      source.origin === 'yard'
        ? `${camera} is a simulated camera.`
        : `${camera} stands in the configuration file, which is read at the start alone.`,
      source.origin === 'yard'
        ? 'Simulated cameras are watched while the configuration names none; yardCameras says how many.'
        : `Change cameras.${camera} in that file and start the engine again.`,
    );
  }

  async #isKept(camera: string): Promise<boolean> {
    return (await this.#bucket.history(camera)).length > 0;
  }

  get #bucket(): KeyValues {
    if (this.#store && !this.#isClosed) return this.#store;
    throw new LookaheadError(
      'broker_unreachable',
      this.#isClosed ? 'The engine is stopping.' : 'The engine is still starting.',
      'Try again in some seconds.',
    );
  }

  /** One after the other, and no more than may wait. */
  async #change<Result>(change: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= waitingMax)
      throw new LookaheadError(
        'queue_full',
        `${waitingMax} changes of cameras wait already.`,
        'Try again in some seconds.',
      );
    this.#waiting += 1;
    try {
      return await this.#inTurn(change);
    } finally {
      this.#waiting -= 1;
    }
  }

  #inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const done = this.#changing.then(work);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  /** Once, however often it is tried in vain. */
  #complain(error: Error): void {
    const remedy = error instanceof LookaheadError ? ` ${error.remedy}` : '';
    const complaint = `Added cameras are not followed, those that are watched stay so: ${messageOf(error)}${remedy}`;
    if (complaint !== this.#complaint) this.#options.console.log('warn', complaint);
    this.#complaint = complaint;
  }
}

function unknown(camera: string): LookaheadError {
  return new LookaheadError(
    'camera_unknown',
    `There is no camera ${JSON.stringify(camera.slice(0, 80))}.`,
    'The service cameras.list says which there are.',
  );
}

function full(): LookaheadError {
  return new LookaheadError(
    'request_invalid',
    `One engine watches at most ${camerasMax} cameras, and there are as many.`,
    'Remove one first, or start another engine for another site.',
  );
}
