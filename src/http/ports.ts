/** What the engine lends to its HTTP server. */
import type { CameraList } from '../sinks/services.js';
import type { CameraAdd, CameraMasks, CameraTest, CameraTested } from './contract.js';

/** Cameras that come and go while the engine runs. All reject with a LookaheadError. */
export interface CameraPort {
  /** Opens the camera once and keeps nothing. */
  test(request: CameraTest): Promise<CameraTested>;
  /** Resolves when it is kept and being watched, whether it can be reached or not. */
  add(request: CameraAdd): Promise<CameraList['cameras'][number]>;
  remove(camera: string): Promise<void>;
  /** Puts these masks in the place of the former ones. */
  mask(request: CameraMasks): Promise<void>;
}

/** Key frames of the last while, as the models saw them: privacy masks are burned in. */
export interface Stills {
  /** The newest one, or the nearest at or before `atMs`. Undefined: there is none. */
  png(camera: string, atMs?: number): Promise<Still | undefined>;
}

export interface Still {
  readonly png: Buffer;
  /** Wall clock. */
  readonly atMs: number;
}

/** How the dashboard reaches NATS. */
export interface NatsGate {
  address(): NatsWay | { readonly hindrance: string };
}

export interface NatsWay {
  /** ws:// or wss://. */
  readonly url: string;
  /** null: none is needed. */
  readonly user: string | null;
  readonly password: string | null;
  /** Certificates (PEM) of the authorities that vouch for it; absent: those of the system. */
  readonly ca?: string | undefined;
}
