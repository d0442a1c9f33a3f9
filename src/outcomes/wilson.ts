/** 95 % interval of a share of `n`, by E. B. Wilson (1927). Both ends are from 0 to 1; `n` above 0. */
export function wilson(share: number, n: number): [low: number, high: number] {
  const z = 1.96;
  const scale = 1 + (z * z) / n;
  const middle = (share + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
