/** Moving through a row by keys. Pure. */

/** Where the key leads; undefined: it is none that moves. Without a place it begins at the last. */
export function moved<T>(row: readonly T[], at: T | undefined, key: string): T | undefined {
  const index = at === undefined ? -1 : row.indexOf(at);
  switch (key) {
    case 'ArrowLeft':
      return index === -1 ? row.at(-1) : row[Math.max(0, index - 1)];
    case 'ArrowRight':
      return index === -1 ? row.at(-1) : row[Math.min(row.length - 1, index + 1)];
    case 'Home':
      return row[0];
    case 'End':
      return row.at(-1);
    default:
      return undefined;
  }
}
