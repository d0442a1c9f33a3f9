/** Live pictures of the engine's cameras, whichever they are at a time. */
import type { AppOptions } from './app.js';
import type { CameraSet } from './camera-set.js';
import { cameraAt } from './camera-source.js';
import type { Closers } from './closers.js';
import { failureLine } from './console.js';
import type { LivePictures } from './http/pictures.js';
import { Previews } from './ingest/preview.js';

export function openPictures(
  { tools, console, onFatal }: Pick<AppOptions, 'tools' | 'console' | 'onFatal'>,
  cameras: CameraSet,
  closers: Closers,
): LivePictures {
  const previews = new Previews({
    ffmpegPath: tools.ffmpegPath,
    cameraOf: async (camera) => {
      const source = cameras.of(camera);
      return source === undefined ? undefined : cameraAt(source);
    },
    onWarning: (camera, line) => console.log('debug', `${camera}: picture: ${line}`),
  });
  const following = cameras.change$.subscribe({
    // A picture that is being watched has the privacy masks of its beginning.
    next: ({ source }) => previews.end(source.name),
    error: onFatal,
  });
  closers.add(() => {
    following.unsubscribe();
    return previews.close();
  });
  return {
    open: async (camera) => {
      try {
        return await previews.open(camera);
      } catch (error) {
        console.log('warn', failureLine(camera, 'picture', error));
        throw error;
      }
    },
  };
}
