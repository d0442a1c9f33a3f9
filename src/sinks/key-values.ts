/** A bucket of JetStream's key-value store (ADR-8): versions of small values by key. Knows the client by its shape alone. */

export interface StoredValue {
  readonly key: string;
  /** Grows with every change in the bucket. */
  readonly revision: number;
  readonly data: Uint8Array;
}

export interface KeyValues {
  /** @returns the new revision */
  put(key: string, data: Uint8Array): Promise<number>;
  /** All kept versions of a key, oldest first; deleted ones are left out. */
  history(key: string): Promise<StoredValue[]>;
  /** Every key's value now and whenever it changes, over reconnects; null: it was deleted. Returns what ends it. */
  watch(listener: (key: string, value: StoredValue | null) => void): () => void;
}

/** As the nats package has it. */
export interface BucketEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array;
  readonly operation: 'PUT' | 'DEL' | 'PURGE';
}
export interface Bucket {
  put(key: string, data: Uint8Array): Promise<number>;
  history(options: { key: string }): Promise<AsyncIterable<BucketEntry>>;
  watch(): Promise<AsyncIterable<BucketEntry> & { stop(): void }>;
}

export interface BucketAccess {
  /** Of the connection that there is; made where it is missing. Rejects where there is none. */
  readonly open: () => Promise<Bucket>;
  /** Calls at once where there is a connection, and for each later one. Returns what ends it. */
  readonly onConnected: (begin: (open: () => Promise<Bucket>) => void) => () => void;
  readonly failureOf: (error: unknown) => Error;
  readonly onFailure: (error: unknown) => void;
}

export function keyValues({ open, onConnected, failureOf, onFailure }: BucketAccess): KeyValues {
  const whole = async <Result>(ask: (bucket: Bucket) => Promise<Result>): Promise<Result> => {
    try {
      return await ask(await open());
    } catch (error) {
      throw failureOf(error);
    }
  };
  return {
    put: (key, data) => whole((bucket) => bucket.put(key, data)),
    history: (key) =>
      whole(async (bucket) => {
        const found: StoredValue[] = [];
        for await (const entry of await bucket.history({ key })) {
          const value = valueOf(entry);
          if (value) found.push(value);
        }
        return found;
      }),
    watch: (listener) => {
      let stop = (): void => undefined;
      let isEnded = false;
      const read = async (bucket: Promise<Bucket>): Promise<void> => {
        const entries = await (await bucket).watch();
        if (isEnded) entries.stop();
        stop = () => entries.stop();
        for await (const entry of entries) if (!isEnded) listener(entry.key, valueOf(entry));
      };
      const detach = onConnected((openNow) => void read(openNow()).catch(onFailure));
      return () => {
        isEnded = true;
        detach();
        stop();
      };
    },
  };
}

function valueOf({ key, revision, value, operation }: BucketEntry): StoredValue | null {
  return operation === 'PUT' ? { key, revision, data: value } : null;
}
