import type { Session } from './session.js';
import { joinRows, splitRows, type Uint8Tensor } from './tensor.js';

/** What the video backbone says of one clip. */
export interface ClipTokens {
  /** Eq. 1: the CLS token, D_v numbers. */
  readonly cls: Float32Array;
  /** [patchRows * patchColumns, D_v], row by row of the picture. */
  readonly patches: Float32Array;
}

/** Encodes clips in one run, each once. @param clips uint8 [1, F, height, width, 3] each */
export async function encodeClips(
  session: Session,
  clips: readonly Uint8Tensor[],
): Promise<ClipTokens[]> {
  const outputs = await session.run({ clip: joinRows(clips) });
  const patches = splitRows(outputs, 'patches');
  return splitRows(outputs, 'cls').map(({ data }, row) => ({
    cls: data,
    patches: patches[row]?.data ?? new Float32Array(0),
  }));
}
