/** Reading backwards by direct get: against a made-up stream, and against a real server. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from 'nats';
import {
  boundsOf,
  openHistory,
  readRange,
  readSample,
  type StoredMessage,
  type StoredReader,
} from '../../src/sinks/dashboard/read-history.js';
import { connectBus } from '../../src/sinks/bus.js';
import { subjects } from '../../src/messages.js';
import { streamName } from '../../src/sinks/streams.js';
import { outcome } from '../support/messages.js';
import { natsServerForTest } from '../support/nats-server.js';

const never = { signal: new AbortController().signal };

/** Message s is stored at second s, by camera s modulo `cameras`; those in `gone` were removed. */
function madeUp(
  size: number,
  { cameras = 1, gone = [] as readonly number[] } = {},
): StoredReader & { asked: number; inFlightMost: number } {
  const removed = new Set(gone);
  const message = (sequence: number): StoredMessage => ({
    sequence,
    atMs: sequence * 1_000,
    value: sequence,
  });
  let inFlight = 0;
  const reader = {
    asked: 0,
    inFlightMost: 0,
    last: async (_stream: string, subject: string) => {
      for (let at = size; at > 0; at--) {
        if (!removed.has(at) && isOf(at, subject)) return message(at);
      }
      return Promise.resolve(undefined);
    },
    next: async (_stream: string, sequence: number, subject: string) => {
      reader.asked += 1;
      inFlight += 1;
      reader.inFlightMost = Math.max(reader.inFlightMost, inFlight);
      await Promise.resolve();
      inFlight -= 1;
      for (let at = Math.max(1, sequence); at <= size; at++) {
        if (!removed.has(at) && isOf(at, subject)) return message(at);
      }
      return undefined;
    },
  };
  const isOf = (sequence: number, subject: string): boolean =>
    subject === '*' || Number(subject) === sequence % cameras;
  return reader;
}

const all = { stream: 's', subject: '*', all: '*' };

describe('the bounds of a time', () => {
  it('are the first and last message in it, both ends within', async () => {
    const reader = madeUp(1_000);
    const span = { fromMs: 200_000, toMs: 300_000 };
    expect(await boundsOf(reader, all, span, never)).toEqual({ first: 200, last: 300 });
    // A search that halves: not one question for each message.
    expect(reader.asked).toBeLessThan(30);
  });

  it('are those of the stream where the time is open or reaches beyond it', async () => {
    const reader = madeUp(50, { gone: [1, 2, 3, 50] });
    const whole = { first: 4, last: 49 };
    expect(await boundsOf(reader, all, {}, never)).toEqual(whole);
    expect(await boundsOf(reader, all, { fromMs: 0, toMs: 1e9 }, never)).toEqual(whole);
  });

  it('are none before, after and between the messages, and in an empty stream', async () => {
    const gone = Array.from({ length: 20 }, (_, index) => 21 + index);
    const reader = madeUp(60, { gone });
    const between = { fromMs: 20_500, toMs: 40_500 };
    for (const span of [{ toMs: 500 }, { fromMs: 61_000 }, between])
      expect(await boundsOf(reader, all, span, never)).toBeUndefined();
    expect(await boundsOf(madeUp(0), all, {}, never)).toBeUndefined();
  });
});

describe('a range', () => {
  it('is read whole, newest first, in at most 16 parts at once', async () => {
    const reader = madeUp(500, { cameras: 3, gone: [100, 250] });
    const read = await readRange(
      reader,
      { stream: 's', subject: '1' },
      { first: 50, last: 449 },
      never,
    );
    const expected = Array.from({ length: 400 }, (_, index) => 449 - index).filter(
      (sequence) => sequence % 3 === 1 && sequence !== 100 && sequence !== 250,
    );
    expect(read.map(({ sequence }) => sequence)).toEqual(expected);
    expect(reader.inFlightMost).toBeLessThanOrEqual(16);
    expect(reader.inFlightMost).toBeGreaterThan(4);
  });
});

describe('pages of history', () => {
  const even = (value: unknown): number | undefined =>
    typeof value === 'number' && value % 2 === 0 ? value : undefined;

  it('follow each other without a hole or a double, to the oldest', async () => {
    const history = openHistory(madeUp(333), all, {}, even);
    const rows: number[] = [];
    for (;;) {
      const page = await history.older(never);
      rows.push(...page.rows);
      if (page.isEnd) break;
      expect(page.rows).toHaveLength(50);
    }
    expect(rows).toEqual(Array.from({ length: 166 }, (_, index) => 332 - 2 * index));
  });

  it('stop after some thousand messages that pass no filter, and go on when asked', async () => {
    const reader = madeUp(12_000);
    const history = openHistory(reader, all, {}, (value) => (value === 5 ? value : undefined));
    const first = await history.older(never);
    expect(first).toEqual({ rows: [], isEnd: false, isPaused: true });
    expect(reader.asked).toBeLessThan(5_500);
    let page = first;
    while (page.isPaused) page = await history.older(never);
    expect(page).toEqual({ rows: [5], isEnd: true, isPaused: false });
  });

  it('are found with few questions where a camera says little among many', async () => {
    const reader = madeUp(40_000, { cameras: 2_000 });
    const { rows } = await openHistory(
      reader,
      { stream: 's', subject: '7', all: '*' },
      {},
      (value) => value,
    ).older(never);
    expect(rows).toHaveLength(20);
    expect(reader.asked).toBeLessThan(300);
  });

  it('end at once when they are no longer wanted, and lose nothing by it', async () => {
    const history = openHistory(madeUp(120), all, {}, even);
    const leaving = new AbortController();
    const read = history.older({
      signal: leaving.signal,
    });
    leaving.abort();
    await expect(read).rejects.toThrow();
    expect((await history.older(never)).rows[0]).toBe(120);
  });
});

describe('a sample', () => {
  it('is spread evenly, and passes over what is of no use', async () => {
    const odd = (value: unknown): number | undefined =>
      typeof value === 'number' && value % 2 === 1 ? value : undefined;
    const sample = await readSample(
      madeUp(10_000),
      all,
      { first: 1, last: 10_000 },
      100,
      odd,
      never,
    );
    expect(sample).toHaveLength(100);
    const gaps = sample.slice(1).map((value, index) => value - sample[index]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(102);
    expect(sample.every((value) => value % 2 === 1)).toBe(true);
  });

  it('is everything where there is little', async () => {
    const sample = await readSample(madeUp(30), all, { first: 1, last: 30 }, 100, Number, never);
    expect(sample).toHaveLength(30);
  });
});

describe('against a real server', () => {
  it('pages hold the newest outcomes of one camera among thousands of several', async () => {
    const server = await natsServerForTest();
    const bus = await connectBus({ servers: [server.url], site: 'test' });
    onTestFinished(() => bus.close(0));
    await bus.ready(10_000);
    const cameras = ['gate', 'yard', 'door'];
    const messages = Array.from({ length: 3_000 }, (_, index) =>
      outcome(index, { camera: cameras[index % 3]!, brier: index / 3_000 }),
    );
    for (let at = 0; at < messages.length; at += 500)
      await Promise.all(messages.slice(at, at + 500).map((message) => bus.publish(message)));
    const client = await connect({ servers: server.url });
    onTestFinished(() => client.close());

    const get = async (stream: string, what: object): Promise<StoredMessage | undefined> => {
      const reply = await client.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(what));
      if ((reply.headers?.code ?? 0) >= 400) return undefined;
      return {
        sequence: Number(reply.headers?.get('Nats-Sequence')),
        atMs: Date.parse(reply.headers?.get('Nats-Time-Stamp') ?? ''),
        value: reply.json(),
      };
    };
    const reader: StoredReader = {
      last: (stream, subject) => get(stream, { last_by_subj: subject }),
      next: (stream, seq, subject) => get(stream, { seq, next_by_subj: subject }),
    };
    const where = {
      stream: streamName('test', 'outcome'),
      subject: subjects.of('test', 'yard', 'outcome'),
      all: subjects.all('test', 'outcome'),
    };
    const idOf = (value: unknown): string => (value as { id: string }).id;
    const history = openHistory(reader, where, {}, idOf);
    const expected = messages
      .filter(({ camera }) => camera === 'yard')
      .map(({ id }) => id)
      .reverse();
    const pages = [await history.older(never), await history.older(never)];
    expect(pages.flatMap(({ rows }) => rows)).toEqual(expected.slice(0, 100));

    const whole = await boundsOf(reader, where, {}, never);
    expect(whole).toEqual({ first: 1, last: 3_000 });
    const middle = await reader.next(where.stream, 1_500, where.all);
    const bounds = await boundsOf(reader, where, { fromMs: middle!.atMs }, never);
    // Several were stored within the millisecond of the 1500th.
    const before = await reader.next(where.stream, bounds!.first - 1, where.all);
    const first = await reader.next(where.stream, bounds!.first, where.all);
    expect(before!.atMs).toBeLessThan(middle!.atMs);
    expect(first!.atMs).toBe(middle!.atMs);
    await client.close();
  });
});
