/**
 * Random numbers without hidden state: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw: «Parallel random
 * numbers: as easy as 1, 2, 3», SC 2011). A draw is a function of (seed, stream, counter, index) alone, so a world is
 * cloned by copying it, and two worlds of one seed stay in step even when one of them draws more often.
 */

/** The two words of Threefry-2x32-20. All arguments and results are 32-bit words. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
): [number, number] {
  first = second = 0;
  encrypt(key0, key1, counter0, counter1);
  return [first >>> 0, second >>> 0];
}

// The cipher leaves its words here, so that a draw allocates nothing.
let first = 0;
let second = 0;

function encrypt(key0: number, key1: number, counter0: number, counter1: number): void {
  const key2 = 0x1bd11bda ^ key0 ^ key1;
  let a = (counter0 + key0) | 0;
  let b = (counter1 + key1) | 0;
  // Twenty rounds, four at a time; after each four a part of the key is added, with the count in the second word.
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key1) | 0;
  b = (b + key2 + 1) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key2) | 0;
  b = (b + key0 + 2) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key0) | 0;
  b = (b + key1 + 3) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key1) | 0;
  b = (b + key2 + 4) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  first = (a + key2) | 0;
  second = (b + key0 + 5) | 0;
}

/** A named stream; make it once, at module level. */
export type Stream = number & { readonly brand: 'stream' };

const names = new Map<number, string>();

/** FNV-1a of the name. @throws RangeError when two names share a hash */
export function stream(name: string): Stream {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const known = names.get(hash);
  if (known !== undefined && known !== name)
    throw new RangeError(`The streams "${known}" and "${name}" share a hash; rename one.`);
  names.set(hash, name);
  return hash as Stream;
}

/** 32 random bits; equal arguments give equal bits on every machine. Seeds are whole numbers below 2^53. */
export function randomBits(seed: number, of: Stream, counter: number, index = 0): number {
  encrypt(seed | 0, Math.floor(seed / 4294967296) ^ of, counter, index);
  return first >>> 0;
}

/** A share in [0, 1). */
export function uniform(seed: number, of: Stream, counter: number, index = 0): number {
  return randomBits(seed, of, counter, index) / 4294967296;
}

/** A stream read in order; for set-up and wording, where the number of draws is fixed. */
export class RandomStream {
  private counter = 0;
  private readonly seed: number;
  private readonly of: Stream;
  private readonly index: number;

  constructor(seed: number, name: string, index = 0) {
    this.seed = seed;
    this.of = stream(name);
    this.index = index;
  }

  uniform(): number {
    return uniform(this.seed, this.of, this.counter++, this.index);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.uniform() * items.length)] ?? items[0];
  }
}
