/** A value and the scene that it was found in. */
export interface Weighed {
  readonly scene: number;
  readonly value: number;
}

/**
 * The median where each scene counts as often as it was drawn; of an even number the lower of the middle two. NaN for none.
 * For `SceneSums.measureDrawn`: sorted once, whatever the number of resamples.
 */
export function medianOf(
  values: readonly Weighed[],
): (timesOf: (scene: number) => number) => number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  return (timesOf) => {
    const total = sorted.reduce((sum, { scene }) => sum + timesOf(scene), 0);
    let before = 0;
    for (const { scene, value } of sorted) {
      before += timesOf(scene);
      if (before > 0 && 2 * before >= total) return value;
    }
    return NaN;
  };
}
