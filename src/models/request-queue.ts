import { RequestDropped } from '../errors.js';

/** What waits for one model process. */
export interface Waiting {
  /** Of each lane the newest request waits: a camera's, of one kind. */
  readonly lane: string;
  /** Lower ones are taken first. */
  readonly rank: number;
  /** From this moment of the monotonic clock on nobody waits for the answer any more. */
  readonly dueMs: number;
  reject(error: Error): void;
}

/**
 * At most one request waits in each lane, the newest; a replaced one keeps its lane's place in the line, so
 * that a busy camera cannot overtake others. Pure, but for rejecting what it drops.
 */
export class RequestQueue<T extends Waiting> {
  readonly #waiting = new Map<string, T>();
  readonly #lanesMax: number;

  constructor(lanesMax: number) {
    this.#lanesMax = lanesMax;
  }

  get size(): number {
    return this.#waiting.size;
  }

  push(item: T): void {
    const older = this.#waiting.get(item.lane);
    if (older === undefined && this.#waiting.size >= this.#lanesMax) {
      item.reject(
        new RequestDropped('full', `${this.#lanesMax} requests already wait for this model.`),
      );
      return;
    }
    // Setting a key that is there leaves it at its place.
    this.#waiting.set(item.lane, item);
    older?.reject(new RequestDropped('newer', `Something newer waits: ${item.lane}.`));
  }

  /**
   * Takes the requests of the lanes of lowest rank that began to wait first, in that order, one a lane. Those that nobody
   * waits for any more are dropped on the way and count for nothing.
   */
  take(countMax: number, nowMs: number): T[] {
    const taken: T[] = [];
    // The sort is stable: within a rank they keep their order.
    const line = [...this.#waiting].sort(([, a], [, b]) => a.rank - b.rank);
    for (const [lane, item] of line) {
      if (taken.length >= countMax) break;
      this.#waiting.delete(lane);
      if (nowMs < item.dueMs) taken.push(item);
      else item.reject(new RequestDropped('late', 'Its deadline passed before its turn came.'));
    }
    return taken;
  }

  /** Takes one out of the line, if it is still in it. */
  remove(item: T): boolean {
    if (this.#waiting.get(item.lane) !== item) return false;
    return this.#waiting.delete(item.lane);
  }

  /** Takes all out of the line. */
  clear(): T[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    return all;
  }
}
