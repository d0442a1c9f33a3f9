/** How long to wait before the next try. Pure. */
const firstMs = 1_000;
const mostMs = 30_000;

/** @param failures in a row, from 1 on */
export function backOffMs(failures: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1));
}
