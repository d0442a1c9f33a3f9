/** What is lit on a camera's page: the things and the time that a statement rests on. */
import type { LaneSpan } from './lane-draw.js';

export interface Evidence {
  readonly tracks: ReadonlySet<number>;
  /** Undefined: no time in particular. */
  readonly span: LaneSpan | undefined;
}

export function evidenceOf(
  tracks: readonly number[],
  from?: string,
  to?: string,
): Evidence | undefined {
  const span =
    from === undefined || to === undefined
      ? undefined
      : { fromMs: Date.parse(from), toMs: Date.parse(to) };
  if (tracks.length === 0 && span === undefined) return undefined;
  return { tracks: new Set(tracks), span };
}
