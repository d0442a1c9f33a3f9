/** What must go so that a folder keeps to its size and age. */

export interface KeptSize {
  /** Begins with the time of its window, so that the alphabet's order is that of age. */
  readonly name: string;
  readonly bytes: number;
  /** End of its window, milliseconds since 1970. */
  readonly atMs: number;
}

export interface FolderLimits {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
}

export interface Room {
  readonly delete: readonly { readonly name: string; readonly reason: 'age' | 'size' }[];
  /** Whether the newcomer may come in after that. */
  readonly fits: boolean;
}

/**
 * Those that are too old, then the oldest until the newcomer fits in. A newcomer that would not fit into an empty folder
 * costs nothing else its place.
 *
 * @param otherBytes of what lies there and cannot be deleted
 */
export function makeRoom(
  kept: readonly KeptSize[],
  { bytesMax, ageMaxMs }: FolderLimits,
  nowMs: number,
  newBytes = 0,
  otherBytes = 0,
): Room {
  const oldestFirst = [...kept].sort((a, b) => a.atMs - b.atMs || (a.name < b.name ? -1 : 1));
  const fits = newBytes + otherBytes <= bytesMax;
  const target = bytesMax - otherBytes - (fits ? newBytes : 0);
  let bytes = kept.reduce((sum, item) => sum + item.bytes, 0);
  const gone: { name: string; reason: 'age' | 'size' }[] = [];
  for (const { name, bytes: size, atMs } of oldestFirst) {
    const isOld = nowMs - atMs > ageMaxMs;
    if (!isOld && bytes <= target) break;
    gone.push({ name, reason: isOld ? 'age' : 'size' });
    bytes -= size;
  }
  return { delete: gone, fits };
}
