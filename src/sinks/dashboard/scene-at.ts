/** Which scene a still belongs to: it is the key frame of one clip, and each scene is of one clip. Pure. */
import type { SceneMessage } from '../../messages.js';

/** A frame's time is its arrival; that of the clip's last frame may be rounded down. */
const slackMs = 20;

/** The newest one of that moment; undefined: none is known. */
export function sceneAt(
  scenes: readonly SceneMessage[],
  atMs: number | undefined,
): SceneMessage | undefined {
  if (atMs === undefined) return undefined;
  return scenes.findLast(
    ({ from, to }) => Date.parse(from) - slackMs <= atMs && atMs <= Date.parse(to) + slackMs,
  );
}
