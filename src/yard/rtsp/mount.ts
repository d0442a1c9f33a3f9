/** One camera of the server: who reads it, and the faults that a test can switch on. */
import type { Credentials } from './digest.js';
import type { Transport } from './transport.js';

export interface MountOptions {
  /** Readers must log in by digest. Default: anyone reads. */
  readonly credentials?: Credentials;
}

/** Counts since the mount was made. */
export interface MountCounts {
  /** Pictures not sent to a reader that had more than 4 MiB unsent; each reader counts. */
  picturesDropped: number;
  /** Packets thrown away by `lossShare`. */
  packetsLost: number;
}

/** A reader from SETUP to TEARDOWN. */
export class Reader {
  readonly transport: Transport;
  readonly #disconnect: () => void;
  isPlaying = false;
  /** Until a key picture comes nothing can be decoded, so nothing is sent. */
  waitsForKey = true;

  constructor(transport: Transport, disconnect: () => void) {
    this.transport = transport;
    this.#disconnect = disconnect;
  }

  /** Closes the reader's RTSP connection without a word. */
  disconnect(): void {
    this.#disconnect();
  }
}

export abstract class Mount {
  readonly name: string;
  readonly credentials: Credentials | undefined;
  readonly counts: MountCounts = { picturesDropped: 0, packetsLost: 0 };
  readonly readers = new Set<Reader>();
  readonly #whenDescribed = new Set<() => void>();
  #stalledUntilMs = -Infinity;
  #lossShare = 0;
  #random = seededRandom(0);
  #refusesLogin = false;

  constructor(name: string, options: MountOptions = {}) {
    this.name = name;
    this.credentials = options.credentials;
  }

  /** The media part of the SDP, with `a=control:trackID=0`; undefined while nothing is known of the stream. */
  protected abstract readonly media: string | undefined;
  /** `;ssrc=…` of the `Transport` header, or nothing where it is not known. */
  abstract readonly ssrcParameter: string;

  /** The media part of the SDP; waits for the stream's first bytes, undefined when none came in `timeoutMs`. */
  async describe(timeoutMs: number): Promise<string | undefined> {
    if (this.media === undefined) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#whenDescribed.delete(done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        this.#whenDescribed.add(done);
      });
    }
    return this.media;
  }

  close(): Promise<void> {
    this.announce();
    return Promise.resolve();
  }

  /**
   * Fault: sends nothing for so long, while the RTSP connections stay open. `Infinity` is for ever, 0 ends it. Afterwards
   * readers go on at the next key picture.
   */
  stall(durationMs: number): void {
    this.#stalledUntilMs = performance.now() + durationMs;
    this.waitForKey();
  }

  /** Fault: loses this share of the RTP packets, 0 to 1; the same seed loses the same ones. 0 ends it. */
  lossShare(share: number, seed = 0): void {
    this.#lossShare = share;
    this.#random = seededRandom(seed);
  }

  /** Fault: cuts the connection of everyone who reads. They may come back. */
  disconnectReaders(): void {
    for (const reader of [...this.readers]) reader.disconnect();
  }

  /** Fault: refuses even the right password; new requests only. */
  refuseLogin(isRefused: boolean): void {
    this.#refusesLogin = isRefused;
  }

  get refusesLogin(): boolean {
    return this.#refusesLogin;
  }

  get isStalled(): boolean {
    return performance.now() < this.#stalledUntilMs;
  }

  /** Someone is there to receive. */
  protected get hasReaders(): boolean {
    for (const reader of this.readers) if (reader.isPlaying) return true;
    return false;
  }

  /** `media` is there, or never will be. */
  protected announce(): void {
    for (const done of [...this.#whenDescribed]) done();
  }

  protected waitForKey(): void {
    for (const reader of this.readers) reader.waitsForKey = true;
  }

  /** Sends one picture's packets to everyone who plays. */
  protected deliver(packets: readonly Buffer[], isKey: boolean): void {
    if (this.isStalled) return;
    const kept =
      this.#lossShare > 0 ? packets.filter(() => this.#random() >= this.#lossShare) : packets;
    this.counts.packetsLost += packets.length - kept.length;
    for (const reader of this.readers) {
      if (!reader.isPlaying) continue;
      if (reader.transport.isFull()) {
        reader.waitsForKey = true;
        this.counts.picturesDropped += 1;
      } else if (isKey || !reader.waitsForKey) {
        reader.waitsForKey = false;
        if (kept.length > 0) reader.transport.sendMedia(kept);
      }
    }
  }

  protected deliverControl(packet: Buffer): void {
    if (this.isStalled) return;
    for (const reader of this.readers) {
      if (reader.isPlaying) reader.transport.sendControl(packet);
    }
  }
}

/** xorshift32: enough to lose packets reproducibly. */
function seededRandom(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
