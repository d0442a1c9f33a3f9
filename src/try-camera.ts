/** Opens a camera once, the way the engine would watch it, and shows what it saw. */
import { firstValueFrom, throwError, timeout } from 'rxjs';
import { LookaheadError } from './errors.js';
import type { CameraTested } from './http/contract.js';
import { openCamera, type Camera, type IngestOptions } from './ingest/open-camera.js';
import { encodePng } from './png.js';

/** Door bells take 10 to 15 s. */
const firstPictureMaxMs = 15_000;

/**
 * Resolves with the first picture; however it ends, ffmpeg is told to end too.
 *
 * @throws LookaheadError source_refused, camera_silent, and all that `openCamera` errors with
 */
export async function tryCamera(
  camera: Camera,
  options: Pick<IngestOptions, 'ffmpegPath' | 'widthPx' | 'heightPx' | 'framesPerSecond'>,
  limitMs = firstPictureMaxMs,
): Promise<CameraTested> {
  const { widthPx, heightPx } = options;
  const startMs = performance.now();
  let size = { widthPx, heightPx };
  const late = (): LookaheadError =>
    new LookaheadError(
      'camera_silent',
      `${camera.name}: no picture within ${(limitMs / 1000).toFixed(0)} s.`,
      'Check that the camera sends pictures, and the network between.',
    );
  const picture$ = openCamera(camera, {
    ...options,
    limits: { firstFrameMaxMs: limitMs },
    listener: { onSize: (width, height) => (size = { widthPx: width, heightPx: height }) },
  }).pipe(timeout({ first: limitMs, with: () => throwError(() => late()) }));
  const first = await firstValueFrom(picture$, { defaultValue: null });
  if (!first) throw late();
  const { pixels, picture } = first;
  const firstPictureMs = performance.now() - startMs;
  const whole = { x: 0, y: 0, width: widthPx, height: heightPx };
  const png = await encodePng(pixels, widthPx, picture ?? whole);
  return {
    schema: 'lookahead.camera.tested.v1',
    ...size,
    firstPictureMs,
    still: `data:image/png;base64,${png.toString('base64')}`,
  };
}
