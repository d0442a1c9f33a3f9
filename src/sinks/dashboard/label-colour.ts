/** A colour for each label, by its text alone: the same on every page, after every reload, and in every picture. Pure. */

/** So many hues at each of three lightnesses. */
const hues = 24;
const lightnesses = 3;

/** Of those tried it holds the labels of the yard's bundle furthest apart; any other does for any other bundle. */
const seed = 7_607_541;

export interface ColourLook {
  /** Of OKLCH. */
  readonly lightness: readonly [number, number, number];
  readonly chroma: number;
}

/** The page's text reads well on a fill; ink stands out from the ground: marks, edges. */
export const looks = {
  light: {
    fill: { lightness: [0.89, 0.82, 0.75], chroma: 0.115 },
    ink: { lightness: [0.42, 0.5, 0.58], chroma: 0.14 },
  },
  dark: {
    fill: { lightness: [0.36, 0.43, 0.5], chroma: 0.115 },
    ink: { lightness: [0.7, 0.78, 0.86], chroma: 0.13 },
  },
} as const satisfies Record<string, Record<string, ColourLook>>;

/** OKLCH: lightness, chroma, hue in degrees. */
export function labelOklch(label: string, look: ColourLook): readonly [number, number, number] {
  const place = placeOf(label);
  const level = place % lightnesses;
  // The hues of one lightness lie between those of the next.
  const hue = ((Math.floor(place / lightnesses) + level / lightnesses) * 360) / hues;
  return [look.lightness[level]!, look.chroma, hue];
}

/** FNV-1a, stirred once more: labels that differ in a letter shall be far apart. */
function placeOf(label: string): number {
  let hash = seed;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % (hues * lightnesses);
}
