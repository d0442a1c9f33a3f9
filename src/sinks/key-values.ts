/** A bucket of JetStream's key-value store (ADR-8): versions of small values by key. Knows the client by its shape alone. */

export interface StoredValue {
  readonly key: string;
  /** Grows with every change in the bucket. */
  readonly revision: number;
  /** null: it was deleted. */
  readonly data: Uint8Array | null;
}

export interface KeyValues {
  /**
   * @param after the key's newest revision must be this one, 0 for none; absent: whatever it is
   * @returns the new revision; null: another has written after `after`, and nothing was changed
   */
  put(key: string, data: Uint8Array, after?: number): Promise<number | null>;
  /** Nothing where it is not there. */
  remove(key: string): Promise<void>;
  /** All kept versions of a key, oldest first; deleted ones are left out. */
  history(key: string): Promise<(StoredValue & { readonly data: Uint8Array })[]>;
  /**
   * Every key's value now and whenever it changes, over reconnects: then those that are there come once more. What fails is
   * told and tried again. Returns what ends it.
   */
  watch(listener: (value: StoredValue) => void, onFailure: (error: Error) => void): () => void;
}

/** As the nats package has it. */
export interface BucketEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array;
  readonly operation: 'PUT' | 'DEL' | 'PURGE';
}
export interface Bucket {
  put(key: string, data: Uint8Array, options?: { previousSeq?: number }): Promise<number>;
  delete(key: string): Promise<void>;
  history(options: { key: string }): Promise<AsyncIterable<BucketEntry>>;
  watch(): Promise<AsyncIterable<BucketEntry> & { stop(): void }>;
}

/** One connection, for as long as it lasts. */
export interface BucketConnection {
  /** Made where it is missing. */
  readonly open: () => Promise<Bucket>;
  readonly isLive: () => boolean;
}

export interface BucketAccess {
  /** Of the connection that there is. Rejects where there is none. */
  readonly open: () => Promise<Bucket>;
  /** Calls at once where there is a connection, and for each later one. Returns what ends it. */
  readonly onConnected: (begin: (connection: BucketConnection) => void) => () => void;
  /** Whether the server refused a value because there is a newer one. */
  readonly isNewer: (error: unknown) => boolean;
  readonly failureOf: (error: unknown) => Error;
  /** Between two tries. */
  readonly pause: () => Promise<void>;
}

export function keyValues(access: BucketAccess): KeyValues {
  const { open, onConnected, isNewer, failureOf, pause } = access;
  const whole = async <Result>(ask: (bucket: Bucket) => Promise<Result>): Promise<Result> => {
    try {
      return await ask(await open());
    } catch (error) {
      throw failureOf(error);
    }
  };
  return {
    put: (key, data, after) =>
      whole(async (bucket) => {
        try {
          return await bucket.put(key, data, after === undefined ? {} : { previousSeq: after });
        } catch (error) {
          if (after !== undefined && isNewer(error)) return null;
          throw error;
        }
      }),
    remove: (key) => whole((bucket) => bucket.delete(key)),
    history: (key) =>
      whole(async (bucket) => {
        const found: (StoredValue & { data: Uint8Array })[] = [];
        for await (const { operation, revision, value } of await bucket.history({ key }))
          if (operation === 'PUT') found.push({ key, revision, data: value });
        return found;
      }),
    watch: (listener, onFailure) => {
      const ending = new AbortController();
      const { signal } = ending;
      const read = async (connection: BucketConnection): Promise<void> => {
        const entries = await (await connection.open()).watch();
        const stop = (): void => entries.stop();
        signal.addEventListener('abort', stop);
        if (signal.aborted) stop();
        try {
          for await (const { key, revision, value, operation } of entries) {
            if (signal.aborted) return;
            listener({ key, revision, data: operation === 'PUT' ? value : null });
          }
        } finally {
          signal.removeEventListener('abort', stop);
        }
      };
      const follow = async (connection: BucketConnection): Promise<void> => {
        const isWanted = (): boolean => !signal.aborted && connection.isLive();
        while (isWanted()) {
          try {
            await read(connection);
          } catch (error) {
            // A connection that is lost tells so itself, and the next one begins anew.
            if (isWanted()) onFailure(failureOf(error));
          }
          if (isWanted()) await pause();
        }
      };
      const detach = onConnected((connection) => void follow(connection));
      return () => {
        ending.abort();
        detach();
      };
    },
  };
}
