/** Privacy masks while they are drawn: shares of the picture, 0 to 1, from its left upper corner. Pure. */
import { PrivacyMasksSchema } from '../../privacy-mask-schema.js';
import type { Corner, Polygon } from '../../ingest/privacy-masks.js';

export const masksMax = 16;
export const cornersMax = 32;
const cornersMin = 3;

export interface CornerAt {
  readonly mask: number;
  readonly corner: number;
}

export interface Drawing {
  readonly masks: readonly Polygon[];
  /** Being drawn: not closed yet. Its index is one past the masks. */
  readonly open: Polygon | null;
  readonly chosen: CornerAt | null;
}

/** Works on what is there when its turn comes: keys and pointers can be faster than the page is drawn. */
export type Edit = (drawing: Drawing) => Drawing;

export function drawingOf(masks: readonly Polygon[]): Drawing {
  return { masks, open: null, chosen: null };
}

/** Ten-thousandths: less than half a pixel of a picture 4,000 wide. */
function share(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}

/** To the one that is being drawn; where there is none a new one is begun. */
export function addCorner(drawing: Drawing, [x, y]: Corner): Drawing {
  const { masks, open } = drawing;
  if (open === null && masks.length >= masksMax) return drawing;
  if (open !== null && open.length >= cornersMax) return drawing;
  const corners: Polygon = [...(open ?? []), [share(x), share(y)]];
  return { masks, open: corners, chosen: { mask: masks.length, corner: corners.length - 1 } };
}

/** Nothing changes where it has fewer than three corners. */
export function closeMask(drawing: Drawing): Drawing {
  const { masks, open } = drawing;
  if (open === null || open.length < cornersMin) return drawing;
  return { masks: [...masks, open], open: null, chosen: { mask: masks.length, corner: 0 } };
}

export function discardOpen({ masks }: Drawing): Drawing {
  return { masks, open: null, chosen: null };
}

/** A square in the middle, to be moved by numbers or arrow keys. */
export function addSquare(drawing: Drawing): Drawing {
  const { masks } = drawing;
  if (masks.length >= masksMax) return drawing;
  const [low, high] = [0.4, 0.6];
  const square: Polygon = [
    [low, low],
    [high, low],
    [high, high],
    [low, high],
  ];
  return { masks: [...masks, square], open: null, chosen: { mask: masks.length, corner: 0 } };
}

export function choose(drawing: Drawing, chosen: CornerAt | null): Drawing {
  return { ...drawing, chosen };
}

export function cornerOf({ masks, open }: Drawing, { mask, corner }: CornerAt): Corner | undefined {
  return (mask === masks.length ? open : masks[mask])?.[corner];
}

export function moveCorner(drawing: Drawing, at: CornerAt, [x, y]: Corner): Drawing {
  return changed(drawing, at, (corners) =>
    corners.map((corner, index) => (index === at.corner ? [share(x), share(y)] : corner)),
  );
}

/** Halfway to the next one. */
export function insertCorner(drawing: Drawing, at: CornerAt): Drawing {
  const after = changed(drawing, at, (corners) => {
    const [from, to] = [corners[at.corner], corners[(at.corner + 1) % corners.length]];
    if (from === undefined || to === undefined || corners.length >= cornersMax) return corners;
    const between: Corner = [share((from[0] + to[0]) / 2), share((from[1] + to[1]) / 2)];
    return corners.toSpliced(at.corner + 1, 0, between);
  });
  return { ...after, chosen: { mask: at.mask, corner: at.corner + 1 } };
}

/** A mask that is left with two goes whole. */
export function removeCorner(drawing: Drawing, at: CornerAt): Drawing {
  const { masks, open } = drawing;
  if (at.mask < masks.length && masks[at.mask]!.length <= cornersMin) {
    return removeMask(drawing, at.mask);
  }
  if (at.mask === masks.length && open?.length === 1) return discardOpen(drawing);
  const after = changed(drawing, at, (corners) => corners.toSpliced(at.corner, 1));
  return { ...after, chosen: { mask: at.mask, corner: Math.max(0, at.corner - 1) } };
}

export function removeMask({ masks, open }: Drawing, mask: number): Drawing {
  if (mask === masks.length) return { masks, open: null, chosen: null };
  return { masks: masks.toSpliced(mask, 1), open, chosen: null };
}

function changed(
  { masks, open, chosen }: Drawing,
  { mask }: CornerAt,
  change: (corners: Polygon) => Polygon,
): Drawing {
  if (mask === masks.length) return { masks, open: open && change(open), chosen };
  return {
    masks: masks.map((corners, index) => (index === mask ? change(corners) : corners)),
    open,
    chosen,
  };
}

/** What the engine would say of them, each with its mask; empty: they can be saved. */
export function faultsOf(masks: readonly Polygon[]): readonly string[] {
  const parsed = PrivacyMasksSchema.safeParse(bodyOf(masks));
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) =>
    typeof path[0] === 'number' ? `Mask ${path[0] + 1}: ${message}.` : `${message}.`,
  );
}

/** As requests and the configuration hold them. */
export function bodyOf(masks: readonly Polygon[]): readonly { readonly polygon: Polygon }[] {
  return masks.map((polygon) => ({ polygon }));
}

/** Lines for the camera's entry in the configuration file. */
export function yamlOf(masks: readonly Polygon[]): string {
  if (masks.length === 0) return 'privacyMasks: []\n';
  const lines = masks.map(
    (mask) => `  - polygon: [${mask.map(([x, y]) => `[${x}, ${y}]`).join(', ')}]`,
  );
  return `privacyMasks:\n${lines.join('\n')}\n`;
}
