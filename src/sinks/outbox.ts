/** What waits for the broker: bounded, in order for each camera, the least important dropped first. No clock, no I/O. */
import type { MessageKind } from '../messages.js';

/** Kinds that are stored and acknowledged. A scene is worth nothing a second later, so it never waits here. */
export type StoredKind = Exclude<MessageKind, 'scene'>;

/**
 * Least important first. A score is worked out anew within a minute; an event is found again in the outcomes; an outcome
 * only judges; a forecast is what the engine is for; a state is rare, small, and says what is true now.
 */
export const leastImportantFirst: readonly StoredKind[] = [
  'score',
  'event',
  'outcome',
  'within',
  'forecast',
  'state',
];

export interface OutboxItem {
  readonly camera: string;
  readonly kind: StoredKind;
  readonly bytes: number;
  /** Prose of a forecast that has been said: it goes first, with the events. */
  readonly isRevision?: boolean;
}

export interface OutboxLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Cameras that may have a message on its way at once; each camera has at most one, which keeps its order. */
  readonly inFlightMax: number;
}

const firstRetryMs = 250;
const longestRetryMs = 5_000;

interface Queued<Item> {
  readonly item: Item;
  /** Order of arrival over all cameras: tells which of two is older. */
  readonly arrival: number;
}

interface Lane<Item> {
  readonly queue: Queued<Item>[];
  inFlight: boolean;
  attempts: number;
  notBeforeMs: number;
}

export class Outbox<Item extends OutboxItem> {
  readonly limits: OutboxLimits;
  readonly #lanes = new Map<string, Lane<Item>>();
  #arrivals = 0;
  #messages = 0;
  #bytes = 0;
  #inFlight = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages of one camera, in flight or not. */
  waiting(camera: string): number {
    return this.#lanes.get(camera)?.queue.length ?? 0;
  }

  /** Adds at the end of its camera's queue. Returns what had to go for it, which can be the item itself. */
  add(item: Item): Item[] {
    const lane = this.#lanes.get(item.camera) ?? {
      queue: [],
      inFlight: false,
      attempts: 0,
      notBeforeMs: 0,
    };
    this.#lanes.set(item.camera, lane);
    lane.queue.push({ item, arrival: this.#arrivals++ });
    this.#messages += 1;
    this.#bytes += item.bytes;

    const dropped: Item[] = [];
    while (this.#messages > this.limits.messagesMax || this.#bytes > this.limits.bytesMax) {
      const victim = this.#leastImportant();
      if (victim === undefined) break; // Only what is in flight is left, and that is bounded too.
      dropped.push(victim.queued.item);
      this.#remove(victim.lane, victim.queued);
    }
    return dropped;
  }

  /** The next item that may be sent now, or undefined. Cameras take turns. Answer with `done` or `retry`. */
  take(nowMs: number): Item | undefined {
    if (this.#inFlight >= this.limits.inFlightMax) return undefined;
    for (const [camera, lane] of this.#lanes) {
      const head = lane.queue[0];
      if (head === undefined || lane.inFlight || lane.notBeforeMs > nowMs) continue;
      lane.inFlight = true;
      this.#inFlight += 1;
      this.#lanes.delete(camera);
      this.#lanes.set(camera, lane);
      return head.item;
    }
    return undefined;
  }

  /** The item in flight was stored, or is given up. */
  done(item: Item): void {
    const lane = this.#land(item);
    lane.attempts = 0;
    lane.notBeforeMs = 0;
    this.#remove(lane, lane.queue[0]);
    if (lane.queue.length === 0) this.#lanes.delete(item.camera);
  }

  /** The item in flight stays at the head of its queue and waits, longer each time (250 ms to 5 s). */
  retry(item: Item, nowMs: number): void {
    const lane = this.#land(item);
    lane.notBeforeMs = nowMs + Math.min(firstRetryMs * 2 ** lane.attempts, longestRetryMs);
    lane.attempts += 1;
  }

  /** The broker is back: nothing waits any longer. */
  wake(): void {
    for (const lane of this.#lanes.values()) {
      lane.attempts = 0;
      lane.notBeforeMs = 0;
    }
  }

  /** Milliseconds until something that now waits for its retry may go, or undefined. */
  nextRetryMs(nowMs: number): number | undefined {
    let soonest: number | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.inFlight || lane.queue.length === 0) continue;
      const wait = Math.max(0, lane.notBeforeMs - nowMs);
      if (soonest === undefined || wait < soonest) soonest = wait;
    }
    return soonest;
  }

  /** Empties it, in flight or not. */
  clear(): Item[] {
    const all = [...this.#lanes.values()].flatMap((lane) => lane.queue);
    this.#lanes.clear();
    this.#messages = 0;
    this.#bytes = 0;
    this.#inFlight = 0;
    return all.sort((a, b) => a.arrival - b.arrival).map(({ item }) => item);
  }

  #leastImportant(): { lane: Lane<Item>; queued: Queued<Item> } | undefined {
    let found: { lane: Lane<Item>; queued: Queued<Item> } | undefined;
    for (const lane of this.#lanes.values()) {
      // What is in flight may be stored already; dropping it would count a loss that did not happen.
      for (const queued of lane.inFlight ? lane.queue.slice(1) : lane.queue) {
        if (found === undefined || goesBefore(queued, found.queued)) found = { lane, queued };
      }
    }
    return found;
  }

  #land(item: Item): Lane<Item> {
    const lane = this.#lanes.get(item.camera);
    if (lane?.queue[0]?.item !== item || !lane.inFlight) {
      throw new Error(`outbox: the ${item.kind} of ${item.camera} is not in flight`);
    }
    lane.inFlight = false;
    this.#inFlight -= 1;
    return lane;
  }

  #remove(lane: Lane<Item>, queued: Queued<Item> | undefined): void {
    if (queued === undefined) return;
    lane.queue.splice(lane.queue.indexOf(queued), 1);
    this.#messages -= 1;
    this.#bytes -= queued.item.bytes;
  }
}

/** Whether `a` is dropped rather than `b`: the less important, then the older. */
function goesBefore(a: Queued<OutboxItem>, b: Queued<OutboxItem>): boolean {
  const rank = (queued: Queued<OutboxItem>): number =>
    queued.item.isRevision === true ? 0 : leastImportantFirst.indexOf(queued.item.kind);
  return rank(a) - rank(b) < 0 || (rank(a) === rank(b) && a.arrival < b.arrival);
}
