/** Which found mask of one picture shows which true thing, as COCO matches them. */
import type { Overlap } from './mask-overlap.js';
import { matchIouMin } from './recorded-truth.js';

/**
 * What becomes of a found mask: the index of the true thing that it shows; `ignored`: it shows one that does not count and is
 * neither right nor wrong; `spurious`: there is no such thing.
 */
export type Fate = number | 'ignored' | 'spurious';

export interface Picture {
  readonly found: readonly { readonly class: string; readonly score: number }[];
  readonly things: readonly { readonly class: string; readonly counts: boolean }[];
  /** [found][things], the found mask first. */
  readonly overlaps: readonly (readonly Overlap[])[];
}

/**
 * The best score chooses first, among the things that count and are not taken yet, the one that it overlaps most, by an IoU of
 * at least 0.5. A mask that finds none is ignored where at least half of it lies on a thing that does not count; there any
 * number may lie (COCO's `iscrowd`).
 *
 * @param only a class: its masks alone choose, and its things alone may be found
 * @returns one for each found mask
 */
export function matchMasks({ found, things, overlaps }: Picture, only?: string): Fate[] {
  const fates: Fate[] = found.map(() => 'spurious');
  const taken = new Set<number>();
  const byScore = found.map((_, mask) => mask).sort((a, b) => found[b]!.score - found[a]!.score);
  for (const mask of byScore) {
    if (only !== undefined && found[mask]!.class !== only) continue;
    let best: number | undefined;
    let bestIou = 0;
    let isIgnored = false;
    for (const [index, thing] of things.entries()) {
      const { iou, shareOfFirst } = overlaps[mask]![index]!;
      if (!thing.counts) isIgnored ||= shareOfFirst >= matchIouMin;
      else if (!taken.has(index) && (only ?? thing.class) === thing.class && iou > bestIou) {
        best = index;
        bestIou = iou;
      }
    }
    if (best !== undefined && bestIou >= matchIouMin) {
      taken.add(best);
      fates[mask] = best;
    } else if (isIgnored) fates[mask] = 'ignored';
  }
  return fates;
}
