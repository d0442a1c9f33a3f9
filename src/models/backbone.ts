import type { Session } from './session.js';
import { floats, type Tensor } from './tensor.js';

/** What the video backbone says of one clip. */
export interface ClipTokens {
  /** Eq. 1: the CLS token, D_v numbers. */
  readonly cls: Float32Array;
  /** [patchRows * patchColumns, D_v], row by row of the picture. */
  readonly patches: Float32Array;
}

/** Encodes one clip, once. @param clip uint8 [1, F, height, width, 3] */
export async function encodeClip(session: Session, clip: Tensor): Promise<ClipTokens> {
  const outputs = await session.run({ clip });
  return { cls: floats(outputs, 'cls'), patches: floats(outputs, 'patches') };
}
