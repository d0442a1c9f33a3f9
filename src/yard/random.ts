/**
 * Counter-based random numbers: a hash of (seed, stream, counter, index). There is no hidden state, so a world is cloned
 * by copying it, and two worlds with the same seed stay in step even when one of them draws more often.
 */

/** Mixing steps of MurmurHash3's finaliser (Appleby, public domain). */
function mix(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const streamHashes = new Map<string, number>();

function streamHash(name: string): number {
  const known = streamHashes.get(name);
  if (known !== undefined) return known;
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  const hash = mix(h);
  streamHashes.set(name, hash);
  return hash;
}

/** 32 random bits for these four; equal arguments give equal bits on every machine. */
export function randomBits(seed: number, stream: string, counter: number, index = 0): number {
  const high = Math.floor(seed / 4294967296);
  let h = mix((seed ^ Math.imul(high, 0x9e3779b1)) + 0x9e3779b9);
  h = mix(h ^ streamHash(stream));
  h = mix(Math.imul(h, 5) + counter);
  return mix(h + Math.imul(index, 0x9e3779b1));
}

/** A share in [0, 1). */
export function uniform(seed: number, stream: string, counter: number, index = 0): number {
  return randomBits(seed, stream, counter, index) / 4294967296;
}

/** A stream read in order; for set-up, where the number of draws is fixed. */
export class RandomStream {
  private readonly seed: number;
  private readonly stream: string;
  private counter = 0;

  constructor(seed: number, stream: string) {
    this.seed = seed;
    this.stream = stream;
  }

  uniform(): number {
    return uniform(this.seed, this.stream, this.counter++);
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
