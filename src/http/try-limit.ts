/** How often a password may be tried: from one address, and from all of them together. */

/** So many at once; then one more each `refillMs`. */
interface Rate {
  readonly triesMax: number;
  readonly refillMs: number;
}

const perAddress: Rate = { triesMax: 5, refillMs: 60_000 };
const inAll: Rate = { triesMax: 30, refillMs: 10_000 };

/** Beyond it the address that was not seen for longest is forgotten; the limit for all still holds. */
const addressesMax = 4096;

/** From where somebody was let in before, that the limit for all, which strangers can use up, keeps nobody out. */
const knownMax = 256;

export class TryLimit {
  readonly #now: () => number;
  readonly #all: Bucket;
  readonly #byNetwork = new Map<string, Bucket>();
  readonly #known = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
    this.#all = new Bucket(inAll);
  }

  /** Takes a try. 0: there was one. Else nothing was taken, and the next one comes in so many ms. */
  take(address: string): number {
    const nowMs = this.#now();
    const network = networkOf(address);
    const own = this.#byNetwork.get(network) ?? new Bucket(perAddress);
    this.#byNetwork.delete(network);
    this.#byNetwork.set(network, own);
    const [oldest] = this.#byNetwork.keys();
    if (this.#byNetwork.size > addressesMax) this.#byNetwork.delete(oldest!);
    const isKnown = this.#known.has(network);
    const waitMs = Math.max(own.waitMs(nowMs), isKnown ? 0 : this.#all.waitMs(nowMs));
    if (waitMs > 0) return waitMs;
    own.take(nowMs);
    if (!isKnown) this.#all.take(nowMs);
    return 0;
  }

  /** The try was a right one: it does not count, nor what was mistyped before it. */
  forgive(address: string): void {
    const network = networkOf(address);
    this.#byNetwork.delete(network);
    if (!this.#known.delete(network)) this.#all.giveBack();
    this.#known.add(network);
    const [oldest] = this.#known;
    if (this.#known.size > knownMax) this.#known.delete(oldest!);
  }
}

/** Says all by one time: when every try is there again. */
class Bucket {
  readonly #rate: Rate;
  #fullAtMs = -Infinity;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  waitMs(nowMs: number): number {
    const { triesMax, refillMs } = this.#rate;
    return Math.max(0, this.#fullAtMs - (triesMax - 1) * refillMs - nowMs);
  }

  take(nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#rate.refillMs;
  }

  giveBack(): void {
    this.#fullAtMs -= this.#rate.refillMs;
  }
}

/** Whoever has an IPv6 address has 2^64 of them, so its first half counts. */
function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  const [front = '', back = ''] = address.split(/::/);
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(front), groups(back)];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
