/** From a camera's address to its frames, whatever kind of source it is. */
import { from, map, type Observable } from 'rxjs';
import type { Frame } from '../types.js';
import { readRecording } from './file.js';
import type { Polygon } from './privacy-masks.js';
import { watchRtsp, type RtspLimits, type RtspListener } from './rtsp.js';
import { sampleFrames } from './sample-frames.js';
import { parseSource, type Source } from './source-url.js';

export interface Camera {
  /** The camera's name. */
  readonly name: string;
  /** As people write it: `rtsp://`, `rtsps://` or `file:PATH`; see `parseSource`. */
  readonly url: string;
  /** Default TCP: over UDP lost packets smear the picture. */
  readonly transport?: 'tcp' | 'udp' | undefined;
  /** Instead of a login in the address, taken literally. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Blackened before anybody sees the picture. Default none. */
  readonly privacyMasks?: readonly Polygon[] | undefined;
}

export interface IngestOptions {
  readonly ffmpegPath: string;
  /** The bundle's input size and rate. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly framesPerSecond: number;
  readonly limits?: Partial<RtspLimits>;
  readonly listener?: RtspListener;
}

/**
 * The camera's frames at the bundle's rate, letterboxed to the bundle's size. Subscribing opens the camera, unsubscribing frees
 * everything; `sequence` counts on over subscriptions. A live camera errors when it is lost and never completes; a
 * recording completes, and is read as fast as it is taken (for back-pressure use `readRecording`).
 *
 * @throws LookaheadError `source_refused` at once when the address is not allowed.
 */
export function openCamera(camera: Camera, options: IngestOptions): Observable<Frame> {
  const source = sourceOf(camera);
  let sequence = 0;
  return frames(camera, source, options).pipe(map((frame) => ({ ...frame, sequence: sequence++ })));
}

/** The address of a camera taken apart; `display` and `secrets` are for logs. */
export function sourceOf({ name, url, username, password }: Camera): Source {
  return parseSource(url, { field: `camera ${name}`, username, password });
}

function frames(camera: Camera, source: Source, options: IngestOptions): Observable<Frame> {
  const { ffmpegPath, widthPx, heightPx, framesPerSecond } = options;
  const { name, privacyMasks = [] } = camera;
  const common = { camera: name, ffmpegPath, widthPx, heightPx, privacyMasks };
  if (source.kind === 'file')
    return from(readRecording(source.path, { ...common, framesPerSecond }));
  return watchRtsp({
    ...common,
    source,
    transport: camera.transport ?? 'tcp',
    limits: { ...limitsFor(framesPerSecond), ...options.limits },
    listener: options.listener ?? {},
  }).pipe(sampleFrames(framesPerSecond));
}

function limitsFor(framesPerSecond: number): RtspLimits {
  return {
    firstFrameMaxMs: 15_000,
    silenceMaxMs: Math.max(3000, 4000 / framesPerSecond),
    socketTimeoutMs: 5000,
    killAfterMs: 2000,
  };
}
