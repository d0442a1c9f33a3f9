/**
 * Stored messages by direct get alone: whoever may create no consumer can ask for a message by its sequence, and for the
 * first from a sequence on that has a subject. Pure; knows no connection.
 */

export interface StoredMessage {
  readonly sequence: number;
  /** When the server stored it. */
  readonly atMs: number;
  readonly value: unknown;
}

export interface StoredReader {
  /** The last stored message of a subject; `subject` may hold wildcards. */
  last(stream: string, subject: string): Promise<StoredMessage | undefined>;
  /** The first one from a sequence on. */
  next(stream: string, sequence: number, subject: string): Promise<StoredMessage | undefined>;
}

export interface Where {
  readonly stream: string;
  /** Of the messages that are wanted. */
  readonly subject: string;
  /** Of every message in the stream. */
  readonly all: string;
}

/** Milliseconds since 1970, both ends within; absent: open. */
export interface Span {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** Sequences, both ends within. */
export interface Bounds {
  readonly first: number;
  readonly last: number;
}

export interface Reading {
  readonly signal: AbortSignal;
  /** Called for each message that has come. */
  readonly onRead?: ((message: StoredMessage) => void) | undefined;
}

/** So many questions are on their way at once: what takes time is the way there and back. */
const segmentsMax = 16;

/**
 * The smallest sequence from which on no message of the subject is before what is looked for; `last + 1`: all are. Rejects
 * when the signal fires.
 */
export async function firstFrom(
  reader: StoredReader,
  { stream, subject }: Pick<Where, 'stream' | 'subject'>,
  { first, last }: Bounds,
  isBefore: (message: StoredMessage) => boolean,
  signal?: AbortSignal,
): Promise<number> {
  let [low, high] = [first, last + 1];
  while (low < high) {
    signal?.throwIfAborted();
    const middle = Math.floor((low + high) / 2);
    const found = await reader.next(stream, middle, subject);
    if (found === undefined || found.sequence >= high || !isBefore(found)) high = middle;
    else low = found.sequence + 1;
  }
  return low;
}

/** Undefined: nothing was stored in that time. Rejects when the signal fires. */
export async function boundsOf(
  reader: StoredReader,
  { stream, all }: Pick<Where, 'stream' | 'all'>,
  { fromMs, toMs }: Span,
  { signal }: Pick<Reading, 'signal'>,
): Promise<Bounds | undefined> {
  const [oldest, newest] = await Promise.all([
    reader.next(stream, 1, all),
    reader.last(stream, all),
  ]);
  if (oldest === undefined || newest === undefined) return undefined;
  const since = async (ms: number): Promise<number> => {
    if (ms <= oldest.atMs) return oldest.sequence;
    const within = { first: oldest.sequence, last: newest.sequence };
    return firstFrom(reader, { stream, subject: all }, within, ({ atMs }) => atMs < ms, signal);
  };
  const [first, after] = await Promise.all([
    fromMs === undefined ? oldest.sequence : since(fromMs),
    toMs === undefined ? newest.sequence + 1 : since(toMs + 1),
  ]);
  signal.throwIfAborted();
  return first < after ? { first, last: after - 1 } : undefined;
}

/** All of a range, newest first; the range is cut into parts that are read at the same time. */
export async function readRange(
  reader: StoredReader,
  { stream, subject }: Pick<Where, 'stream' | 'subject'>,
  { first, last }: Bounds,
  { signal, onRead }: Reading,
): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  const step = Math.max(1, Math.ceil((last - first + 1) / segmentsMax));
  const walk = async (from: number): Promise<void> => {
    const to = Math.min(last, from + step - 1);
    for (let at = from; at <= to;) {
      signal.throwIfAborted();
      const message = await reader.next(stream, at, subject);
      if (message === undefined || message.sequence > to) return;
      found.push(message);
      onRead?.(message);
      at = message.sequence + 1;
    }
  };
  const starts: number[] = [];
  for (let from = first; from <= last; from += step) starts.push(from);
  await Promise.all(starts.map(walk));
  signal.throwIfAborted();
  return found.sort((a, b) => b.sequence - a.sequence);
}

export interface HistoryPage<T> {
  /** Newest first. */
  readonly rows: readonly T[];
  /** Nothing older is left. */
  readonly isEnd: boolean;
  /** So much was read without a whole page being found; asking again searches further back. */
  readonly isPaused: boolean;
}

export interface History<T> {
  /** The next older page. Rejects when the signal fires; what had been read is read again then. */
  older(reading: Reading): Promise<HistoryPage<T>>;
}

const pageRows = 50;
/** A page that has not filled up after so many messages asks whether to go on. */
const readMax = 4_000;
/** What one turn aims to read: enough for the parts to be worth their first question. */
const turnMessages = 256;
const chunkMin = 64;
const chunkMax = 65_536;

/**
 * Reads backwards from the newest. `keep` says what a message becomes; undefined: it is passed over. The range of one turn
 * grows where a camera's messages lie far apart, and shrinks where they lie close.
 */
export function openHistory<T>(
  reader: StoredReader,
  where: Where,
  span: Span,
  keep: (value: unknown) => T | undefined,
): History<T> {
  let bounds: Bounds | undefined | 'unknown' = 'unknown';
  let chunk = chunkMin;
  let spare: readonly T[] = [];

  return {
    older: async (reading) => {
      if (bounds === 'unknown') bounds = await boundsOf(reader, where, span, reading);
      let rows = spare;
      let read = 0;
      while (bounds !== undefined && rows.length < pageRows && read < readMax) {
        const first: number = Math.max(bounds.first, bounds.last - chunk + 1);
        const messages = await readRange(reader, where, { first, last: bounds.last }, reading);
        rows = [
          ...rows,
          ...messages.flatMap(({ value }) => {
            const kept = keep(value);
            return kept === undefined ? [] : [kept];
          }),
        ];
        read += messages.length;
        // What is kept outlives an interruption of the turn after this one.
        spare = rows;
        bounds = first > bounds.first ? { first: bounds.first, last: first - 1 } : undefined;
        const growth = Math.min(4, Math.max(0.25, turnMessages / Math.max(1, messages.length)));
        chunk = Math.round(Math.min(chunkMax, Math.max(chunkMin, chunk * growth)));
      }
      const page = rows.slice(0, pageRows);
      spare = rows.slice(pageRows);
      const isEnd = bounds === undefined && spare.length === 0;
      return { rows: page, isEnd, isPaused: !isEnd && page.length < pageRows };
    },
  };
}

/**
 * At most `count` messages that `keep` takes, spread evenly over a range, oldest first. Where the range is hardly larger, all
 * of it.
 */
export async function readSample<T>(
  reader: StoredReader,
  where: Pick<Where, 'stream' | 'subject'>,
  { first, last }: Bounds,
  count: number,
  keep: (value: unknown, atMs: number) => T | undefined,
  reading: Reading,
): Promise<T[]> {
  const found = new Map<number, T>();
  const take = ({ sequence, atMs, value }: StoredMessage): boolean => {
    const kept = keep(value, atMs);
    if (kept !== undefined) found.set(sequence, kept);
    return kept !== undefined;
  };
  const size = last - first + 1;
  if (size <= 2 * count) {
    for (const message of await readRange(reader, where, { first, last }, reading)) take(message);
  } else {
    let index = 0;
    const work = async (): Promise<void> => {
      while (index < count) {
        const from = first + Math.floor((index * size) / count);
        index += 1;
        // A subject holds two kinds of target in turn: the neighbour is of the other kind.
        for (let at = from, tries = 0; tries < 3; tries++) {
          reading.signal.throwIfAborted();
          const message = await reader.next(where.stream, at, where.subject);
          if (message === undefined || message.sequence > last) break;
          reading.onRead?.(message);
          if (take(message)) break;
          at = message.sequence + 1;
        }
      }
    };
    await Promise.all(Array.from({ length: segmentsMax }, work));
    reading.signal.throwIfAborted();
  }
  return [...found].sort(([a], [b]) => a - b).map(([, kept]) => kept);
}
