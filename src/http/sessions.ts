/** Who is logged in. Kept in memory only: a restart logs everybody out. */
import { createHash, randomBytes } from 'node:crypto';

/** Somebody who was let in. */
export interface Visitor {
  /** Calls back once when this visitor may stay no longer; gives the way to take that back. */
  whenEnded(end: () => void): () => void;
}

export const sessionMaxMs = 12 * 3_600_000;

/** Beyond it the oldest session ends. */
const sessionsMax = 64;

interface Session {
  readonly untilMs: number;
  readonly endings: Set<() => void>;
}

export class Sessions {
  /** By hash, so that the time a look-up takes says nothing about any identifier. In the order of their beginnings. */
  readonly #byHash = new Map<string, Session>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Gives the identifier: 32 random bytes as base64url. */
  begin(): string {
    this.sweep();
    const [oldest] = this.#byHash.keys();
    if (oldest !== undefined && this.#byHash.size >= sessionsMax) this.#end(oldest);
    const id = randomBytes(32).toString('base64url');
    this.#byHash.set(hashOf(id), { untilMs: this.#now() + sessionMaxMs, endings: new Set() });
    return id;
  }

  visitorOf(id: string): Visitor | undefined {
    const hash = hashOf(id);
    const session = this.#byHash.get(hash);
    if (session === undefined) return undefined;
    if (session.untilMs <= this.#now()) {
      this.#end(hash);
      return undefined;
    }
    return {
      whenEnded: (end) => {
        session.endings.add(end);
        return () => session.endings.delete(end);
      },
    };
  }

  end(id: string): void {
    this.#end(hashOf(id));
  }

  /** Ends what has run out, so that a connection that stays open does not outlive its session. */
  sweep(): void {
    for (const [hash, { untilMs }] of this.#byHash) if (untilMs <= this.#now()) this.#end(hash);
  }

  #end(hash: string): void {
    const session = this.#byHash.get(hash);
    this.#byHash.delete(hash);
    for (const end of session?.endings ?? []) end();
  }
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
