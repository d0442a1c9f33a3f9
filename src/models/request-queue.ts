import { RequestDropped } from '../errors.js';

/** What waits for one model process. */
export interface Waiting {
  readonly camera: string;
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

  shift(): T | undefined {
    for (const [camera, item] of this.#waiting) {
      this.#waiting.delete(camera);
      return item;
    }
    return undefined;
  }

  /** Takes one out of the line, if it is still in it. */
  remove(item: T): boolean {
    if (this.#waiting.get(item.camera) !== item) return false;
    return this.#waiting.delete(item.camera);
  }
}
