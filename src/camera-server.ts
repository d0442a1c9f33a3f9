/**
 * Cameras that we serve ourselves, yard scenes and recordings: started when first asked for, and again when lost. They stand
 * in the place of a camera: what they send is the source and whole, on loopback; privacy masks come where it is read.
 */
import { LookaheadError } from './errors.js';
import { startCameras, type Cameras, type ServeSpec } from './yard/serve-client.js';

export class CameraServer {
  readonly #spec: ServeSpec;
  #starting: Promise<Cameras> | undefined;
  readonly #closing = new AbortController();

  constructor(ffmpegPath: string, cameras: ServeSpec['cameras']) {
    this.#spec = { ffmpegPath, port: 0, cameras };
  }

  /** The RTSP address of one of its cameras. Rejects where they cannot be served; the next call tries again. */
  async url(camera: string): Promise<string> {
    const { urls } = await this.#start();
    const url = urls[camera];
    if (url === undefined) throw new Error(`The camera server does not know ${camera}.`);
    return url;
  }

  async close(): Promise<void> {
    // A recording may take minutes to be read; who closes does not wait for it.
    this.#closing.abort();
    const cameras = await this.#starting?.catch(() => undefined);
    await cameras?.close();
  }

  #start(): Promise<Cameras> {
    if (this.#closing.signal.aborted) {
      const gone = 'The camera server is closed.';
      return Promise.reject(new LookaheadError('camera_unreachable', gone, 'Start again.'));
    }
    if (this.#starting !== undefined) return this.#starting;
    const forget = (): void => {
      if (this.#starting === starting) this.#starting = undefined;
    };
    const starting = startCameras(this.#spec, this.#closing.signal);
    this.#starting = starting;
    starting.then(({ lost }) => void lost.then(forget), forget);
    return starting;
  }
}
