/** Sends what is in the outbox whenever the broker is ready, and tries again until it is stored or refused. */
import type { Outbox, OutboxItem } from './outbox.js';

/** How one try ended. `retry`: may go better later. `refused`: never will. */
export type Attempt =
  | { readonly result: 'stored' }
  | { readonly result: 'retry'; readonly why: string }
  | { readonly result: 'refused'; readonly why: string };

export interface DeliverPorts<Item> {
  readonly ready: () => boolean;
  /** Never rejects, and settles in bounded time. */
  readonly send: (item: Item) => Promise<Attempt>;
  readonly retried: (item: Item, why: string) => void;
  readonly refused: (item: Item, why: string) => void;
}

export interface Delivery {
  /** Something was added, or the broker is ready. */
  kick(): void;
  /** Resolves when the outbox is empty, or when nothing can be sent, or after the limit. */
  drained(limitMs: number): Promise<void>;
  stop(): void;
}

export function deliver<Item extends OutboxItem>(
  outbox: Outbox<Item>,
  ports: DeliverPorts<Item>,
): Delivery {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let onIdle: (() => void) | undefined;

  const kick = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (outbox.messages === 0 || !ports.ready()) onIdle?.();
    if (stopped || !ports.ready()) return;
    let item = outbox.take(Date.now());
    for (; item !== undefined; item = outbox.take(Date.now())) void attempt(item);
    const waitMs = outbox.nextRetryMs(Date.now());
    if (waitMs !== undefined && waitMs > 0) timer = setTimeout(kick, waitMs);
  };

  const attempt = async (item: Item): Promise<void> => {
    const outcome = await ports.send(item);
    if (stopped) return;
    switch (outcome.result) {
      case 'stored':
        outbox.done(item);
        break;
      case 'refused':
        outbox.done(item);
        ports.refused(item, outcome.why);
        break;
      case 'retry':
        outbox.retry(item, Date.now());
        ports.retried(item, outcome.why);
        break;
    }
    kick();
  };

  return {
    kick,
    drained: (limitMs) =>
      new Promise((resolve) => {
        const limit = setTimeout(resolve, limitMs);
        onIdle = () => {
          clearTimeout(limit);
          resolve();
        };
        kick();
      }),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
