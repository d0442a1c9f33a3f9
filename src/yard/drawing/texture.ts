/** Grain for surfaces: values of a lattice, drawn by a hash. Nothing here is chance of the world's. */

/** A share from 0 to 1 that belongs to a cell. */
export function cellValue(seed: number, x: number, y: number): number {
  let bits =
    Math.imul(x | 0, 0x9e3779b1) ^ Math.imul(y | 0, 0x85ebca6b) ^ Math.imul(seed | 0, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return ((bits ^ (bits >>> 15)) >>> 0) / 4294967296;
}

/** The same, smooth between the cells. */
export function smoothValue(seed: number, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const ease = (t: number): number => t * t * (3 - 2 * t);
  const across = ease(x - column);
  const up = ease(y - row);
  const a = cellValue(seed, column, row);
  const b = cellValue(seed, column + 1, row);
  const c = cellValue(seed, column, row + 1);
  const d = cellValue(seed, column + 1, row + 1);
  const low = a + (b - a) * across;
  return low + (c + (d - c) * across - low) * up;
}

/** Where `value` lies within its period, 0 to 1. */
export function phase(value: number, period: number): number {
  const share = value / period;
  return share - Math.floor(share);
}
