/** A run that was killed, and the one after it, over a real nats-server. */
import { of, Subject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Engine } from '../src/cameras.js';
import { LookaheadError } from '../src/errors.js';
import { kindOf, type Message, type MessageKind, type Outcome } from '../src/messages.js';
import { createMetrics } from '../src/metrics/registry.js';
import type { Baselines } from '../src/outcomes/baselines.js';
import { CameraSet } from '../src/camera-set.js';
import { resumeCamera } from '../src/resume-cameras.js';
import { resumeOutcomes, type Resuming } from '../src/resume.js';
import { connectBus, type Bus, type HistoryRange, type Received } from '../src/sinks/bus.js';
import { event, forecast, outcome } from './support/messages.js';
import { natsServerForTest, type TestNatsServer } from './support/nats-server.js';

const labels = ['nothing happens', 'van enters', 'gate opens', 'dog leaves'].map((text, at) => ({
  ...{ type: at === 0 ? 'nothing' : (text.split(' ')[1] ?? ''), actor: null, target: null },
  ...{ text, baseRate: 0.25 },
}));

const never = new AbortController().signal;

async function busOn(server: TestNatsServer): Promise<Bus> {
  const bus = await connectBus({ servers: [server.url], site: 'test' });
  onTestFinished(() => bus.close(0));
  return bus;
}

async function storedOutcomes(bus: Bus): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const { data } of bus.history('outcome', { sinceMs: 0, max: 1000 }))
    all.push(JSON.parse(new TextDecoder().decode(data)) as Outcome);
  return all;
}

it('gives every forecast of a killed run one outcome, over two restarts and a broker that comes late', async () => {
  const server = await natsServerForTest();
  const first = await busOn(server);
  await first.ready(10_000);
  for (let sequence = 0; sequence < 5; sequence++) {
    await first.publish(forecast(sequence));
    await first.publish(forecast(sequence, { rev: 1 }));
    await first.publish(
      forecast(sequence, { id: `${forecast(sequence).id}-within`, target: 'within' }),
    );
  }
  await first.publish(event(5));
  const decidedAt = new Date().toISOString();
  await first.publish(outcome(0, { decidedAt }));
  await first.close();

  const heard: string[] = [];
  const resuming = (bus: Bus, epoch: number): Resuming => ({
    ...{ cameras: ['gate', 'nobody'], labels, epoch, slackMs: 60, now: Date.now, signal: never },
    isDoubtful: () => false,
    onOutcome: ({ id, verdict }) => heard.push(`${id} ${verdict}`),
    onEvent: ({ id }) => heard.push(id),
    publish: (message) => bus.publish(message),
  });
  await server.stop();
  const second = await busOn(server);
  const waiting = resumeOutcomes(second, resuming(second, 2));
  await server.start();
  expect(await waiting).toBe(9);
  expect(heard).toEqual([`${outcome(0).id} hit`, event(5).id]);

  const stored = await storedOutcomes(second);
  const wanted = [0, 1, 2, 3, 4].flatMap((at) => [forecast(at).id, `${forecast(at).id}-within`]);
  expect(stored.map(({ id }) => id).sort()).toEqual(wanted.sort());
  const verdictOf = (id: string): unknown => {
    const { verdict, because, target } = stored.find((one) => one.id === id) ?? {};
    return [verdict, because, target];
  };
  // The van came 1 s after the window of the third.
  expect(verdictOf(forecast(2).id)).toEqual(['hit', null, 'next']);
  expect(verdictOf(`${forecast(1).id}-within`)).toEqual(['hit', null, 'within']);
  expect(verdictOf(forecast(4).id)).toEqual(['undecidable', 'restart', 'next']);

  expect(await resumeOutcomes(second, resuming(second, 3)), 'nothing is left open').toBe(0);
  expect(await storedOutcomes(second)).toHaveLength(10);
});

/** A broker in memory whose reading breaks off where it is told to. */
function storeOf(messages: readonly Message[], breaksOff: (kind: string, read: number) => boolean) {
  const encoder = new TextEncoder();
  return {
    site: 'test',
    status$: of({ state: 'connected' as const, sinceMs: 0, why: '' }),
    history: async function* (
      kind: MessageKind,
      { camera }: HistoryRange,
    ): AsyncGenerator<Received> {
      let read = 0;
      for (const message of messages) {
        await Promise.resolve();
        if (breaksOff(kind, read)) throw failure('broker_unreachable');
        if (kindOf(message) !== kind || message.camera !== camera) continue;
        yield { subject: kind, data: encoder.encode(JSON.stringify(message)) };
        read += 1;
      }
    },
  };
}

const failure = (code: LookaheadError['code']): LookaheadError =>
  new LookaheadError(code, 'The test wants it.', 'None.');

describe('taking up what earlier runs left', () => {
  const nowMs = Date.parse(forecast(4).validUntil) + 60_000;
  const messages = [0, 1, 2, 3, 4].flatMap((at) => [forecast(at), forecast(at, { rev: 1 })]);
  const known = [outcome(0), outcome(1), event(5)];
  const resume = async (store: ReturnType<typeof storeOf>, change: Partial<Resuming> = {}) => {
    const [heard, published]: [string[], string[]] = [[], []];
    const stored = await resumeOutcomes(store, {
      ...{
        cameras: ['gate'],
        labels,
        epoch: 2,
        slackMs: 60,
        now: () => nowMs,
        retryMs: 0,
        signal: never,
      },
      isDoubtful: () => false,
      onOutcome: ({ id }) => heard.push(id),
      onEvent: ({ id }) => heard.push(id),
      publish: ({ id }) => Promise.resolve(published.push(id)),
      ...change,
    });
    return { stored, heard, published };
  };
  const open = [2, 3, 4].map((at) => forecast(at).id);

  it('begins a camera again whose reading broke off, anywhere, and tells nothing twice', async () => {
    for (const broken of ['outcome', 'forecast', 'within', 'event'])
      for (const at of [0, 1, 2]) {
        let left = 2;
        const store = storeOf(
          [...messages, ...known],
          (kind, read) => kind === broken && read === at && left-- > 0,
        );
        const { stored, heard, published } = await resume(store);
        expect(published, `${broken} ${String(at)}`).toEqual(open);
        expect(heard).toEqual(known.map(({ id }) => id));
        expect(stored).toBe(3);
      }
  });

  it('goes on with what follows where the broker does not take an outcome', async () => {
    const published: string[] = [];
    const { stored } = await resume(
      storeOf([...messages, ...known], () => false),
      {
        publish: ({ id }) => {
          published.push(id);
          if (id === open[0]) return Promise.reject(failure('publish_failed'));
          return Promise.resolve();
        },
      },
    );
    expect(published).toEqual(open);
    expect(stored).toBe(2);
  });

  it('knows an outcome whose clock was behind the broker', async () => {
    const decidedAt = new Date(nowMs - 3_600_000 - 60_000).toISOString();
    const store = storeOf([forecast(0), outcome(0, { decidedAt })], () => false);
    expect((await resume(store)).published).toEqual([]);
  });

  it('tells and publishes nothing once its run is over, wherever it is', async () => {
    for (let after = 0; after < 6; after++) {
      const ending = new AbortController();
      const done: string[] = [];
      const note = ({ id }: { id: string }): void => {
        expect(ending.signal.aborted, id).toBe(false);
        if (done.push(id) > after) ending.abort();
      };
      await resume(
        storeOf([...messages, ...known], () => false),
        {
          ...{ signal: ending.signal, onOutcome: note, onEvent: note },
          publish: (message) => {
            note(message);
            return Promise.resolve();
          },
        },
      );
      expect(done).toEqual([...known.map(({ id }) => id), ...open].slice(0, after + 1));
    }
  });

  it('says at once what it may not read, and stops at a mistake of ours', async () => {
    const refused = { ...storeOf([], () => false), history: () => refuse() };
    await expect(resume(refused)).rejects.toMatchObject({ code: 'broker_refused' });
    const mistaken = { publish: () => Promise.reject(new TypeError('bug')) };
    await expect(
      resume(
        storeOf(messages, () => false),
        mistaken,
      ),
    ).rejects.toThrow('bug');
  });
});

it('is learned from once: by what hears messages, or by being told, and by the baselines', async () => {
  const [remembered, scored, heard]: [string[], string[], string[]] = [[], [], []];
  const now = Date.now();
  const at = (ms: number): string => new Date(now - 60_000 + ms).toISOString();
  const fresh = (sequence: number) => {
    const { window, ...rest } = forecast(sequence);
    const [fromMs, toMs] = [sequence * 2_000, sequence * 2_000 + 8_000];
    const times = { issuedAt: at(toMs + 300), validUntil: at(toMs + 4_000) };
    return { ...rest, ...times, window: { ...window, from: at(fromMs), to: at(toMs) } };
  };
  const stored = [...[0, 1, 2].map(fresh), outcome(1, { decidedAt: at(15_000) })];
  const messages = new Subject<Message>();
  messages.subscribe((message) => heard.push('id' in message ? message.id : ''));
  const engine = {
    bus: { ...storeOf(stored, () => false), publish: () => Promise.resolve({ ackedAtMs: now }) },
    models: { bundle: { manifest: { labels, geometry: { framesPerSecond: 8 } } } },
    ...{ messages, cameras: new CameraSet([]), baselines: new Map<string, Baselines>() },
    recalibrations: { remember: ({ id }: Outcome) => remembered.push(id) },
    scores: { remember: ({ id }: Outcome) => scored.push(id) },
    metrics: createMetrics({ processMetrics: false }),
    console: { log: () => undefined, message: () => undefined },
  } as unknown as Engine;
  const reads = vi.spyOn(engine.bus, 'history');
  await resumeCamera({ camera: 'gate', epoch: 2, signal: never }, engine);
  expect(
    reads.mock.calls.filter(([kind]) => kind === 'outcome'),
    'one for all',
  ).toHaveLength(1);
  expect(heard).toEqual([forecast(0).id, forecast(2).id]);
  expect([remembered, scored]).toEqual([[outcome(1).id], [outcome(1).id]]);
  // One came as «van enters» and one as «nothing»; the third could not be decided.
  const rates = engine.baselines
    .get('gate')
    ?.at(now)
    .baseRate.map((rate) => rate * 22);
  expect(rates).toEqual([6, 6, 5, 5].map((rate) => expect.closeTo(rate, 6) as number));
});

// eslint-disable-next-line require-yield
async function* refuse(): AsyncGenerator<Received> {
  await Promise.resolve();
  throw failure('broker_refused');
}
