/** Where texts go on the lane so that none lies on another. Pure. */

/**
 * Moves what stands too near apart, as little as needed, in the order given.
 *
 * @param centres wished for, ascending
 * @returns ascending, at least `gap` apart, between `least` and `most` where there is room for all
 */
export function spread(
  centres: readonly number[],
  gap: number,
  least: number,
  most: number,
): readonly number[] {
  const placed: number[] = [];
  for (const centre of centres) {
    placed.push(Math.max(centre, (placed.at(-1) ?? least - gap) + gap, least));
  }
  let bound = most;
  for (let i = placed.length - 1; i >= 0; i--) {
    placed[i] = Math.min(placed[i]!, bound);
    bound = placed[i]! - gap;
  }
  return placed;
}

/**
 * The first row in which a text has room, filled from the right; undefined: in none.
 *
 * @param starts left edge of the last text of each row; is changed
 */
export function rowFor(starts: number[], left: number, right: number): number | undefined {
  const row = starts.findIndex((start) => right < start);
  if (row === -1) return undefined;
  starts[row] = left;
  return row;
}
