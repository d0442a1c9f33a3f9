import { RequestDropped } from '../errors.js';

/** What waits for one model process. */
export interface Waiting {
  readonly camera: string;
  /** From this moment of the monotonic clock on nobody waits for the answer any more. */
  readonly dueMs: number;
  reject(error: Error): void;
}

/**
 * At most one request waits for each camera, the newest; a replaced one keeps its camera's place in the line, so
 * that a busy camera cannot overtake others. Pure, but for rejecting what it drops.
 */
export class RequestQueue<T extends Waiting> {
  readonly #waiting = new Map<string, T>();
  readonly #camerasMax: number;

  constructor(camerasMax: number) {
    this.#camerasMax = camerasMax;
  }

  get size(): number {
    return this.#waiting.size;
  }

  push(item: T): void {
    const older = this.#waiting.get(item.camera);
    if (older === undefined && this.#waiting.size >= this.#camerasMax) {
      item.reject(
        new RequestDropped('full', `${this.#camerasMax} cameras already wait for this model.`),
      );
      return;
    }
    // Setting a key that is there leaves it at its place.
    this.#waiting.set(item.camera, item);
    older?.reject(new RequestDropped('newer', `Camera ${item.camera} has something newer.`));
  }

  /**
   * Takes the requests of the cameras that began to wait first, in that order, one a camera. Those that nobody waits for
   * any more are dropped on the way and count for nothing.
   */
  take(countMax: number, nowMs: number): T[] {
    const taken: T[] = [];
    for (const [camera, item] of this.#waiting) {
      if (taken.length >= countMax) break;
      this.#waiting.delete(camera);
      if (nowMs < item.dueMs) taken.push(item);
      else item.reject(new RequestDropped('late', 'Its deadline passed before its turn came.'));
    }
    return taken;
  }

  /** Takes one out of the line, if it is still in it. */
  remove(item: T): boolean {
    if (this.#waiting.get(item.camera) !== item) return false;
    return this.#waiting.delete(item.camera);
  }

  /** Takes all out of the line. */
  clear(): T[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    return all;
  }
}
