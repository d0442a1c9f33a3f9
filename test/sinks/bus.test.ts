/** The bus against a real nats-server that dies, freezes, forgets and refuses. */
import { connect, type NatsConnection } from 'nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import type { Message } from '../../src/messages.js';
import { type Bus, type BusOptions, connectBus, type HistoryRange } from '../../src/sinks/bus.js';
import type { BusEvent } from '../../src/sinks/publisher.js';
import { defaultBudgets, streamName } from '../../src/sinks/streams.js';
import { event, forecast, heartbeat, outcome, scene, state } from '../support/messages.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';

const quick = {
  reconnectMs: 50,
  pingPeriodMs: 1_000,
  ackTimeoutMs: 1_000,
  connectTimeoutMs: 1_000,
};

async function busFor(server: TestNatsServer, options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await connectBus({
    servers: [server.url],
    site: 'test',
    ...options,
    limits: { ...quick, ...options.limits },
  });
  onTestFinished(() => bus.close(0));
  return bus;
}

/** A plain client, to see what the server really has. */
async function clientOf(server: TestNatsServer): Promise<NatsConnection> {
  const client = await connect({ servers: server.url });
  onTestFinished(() => client.close());
  return client;
}

async function storedIds(server: TestNatsServer, kind: 'forecast' | 'event'): Promise<string[]> {
  const client = await connect({ servers: server.url });
  const manager = await client.jetstreamManager();
  const name = streamName('test', kind);
  const { state: held } = await manager.streams.info(name);
  const ids: string[] = [];
  for (let seq = held.first_seq; seq <= held.last_seq; seq++) {
    ids.push((await manager.streams.getMessage(name, { seq })).json<{ id: string }>().id);
  }
  await client.close();
  return ids;
}

function eventsOf(bus: Bus): BusEvent[] {
  const seen: BusEvent[] = [];
  bus.events$.subscribe((each) => seen.push(each));
  return seen;
}

function statesOf(bus: Bus): string[] {
  const seen: string[] = [];
  bus.status$.subscribe((each) => seen.push(each.state));
  return seen;
}

const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 30_000, interval: 20 });

describe('publishing', () => {
  it('is acknowledged, and the last forecast of a camera is read by direct get', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.ready(10_000);
    expect(bus.status.state).toBe('connected');

    const before = Date.now();
    for (const sequence of [0, 1, 2]) {
      const { ackedAtMs } = await bus.publish(forecast(sequence));
      expect(ackedAtMs).toBeGreaterThanOrEqual(before);
    }
    await bus.publish(forecast(9, { camera: 'yard' }));

    const [last] = await bus.last('forecast', 'gate');
    expect(JSON.parse(new TextDecoder().decode(last?.data))).toEqual(forecast(2));
    expect((await bus.last('forecast')).map(({ subject }) => subject).sort()).toEqual([
      'lookahead.v1.test.gate.forecast',
      'lookahead.v1.test.yard.forecast',
    ]);
    expect(await bus.last('forecast', 'nobody')).toEqual([]);
    expect(await bus.last('outcome')).toEqual([]);
  });

  it('stores every kind once under its id, an update of a forecast beside it, and scenes not at all', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.ready(10_000);
    const seen = eventsOf(bus);

    const messages: Message[] = [forecast(1), event(1), outcome(1), state(), scene(1)];
    for (const message of [...messages, ...messages]) await bus.publish(message);
    await bus.publish(forecast(1, { rev: 1 }));

    const stored = seen.filter((each) => each.type === 'stored');
    expect(stored.filter(({ duplicate }) => duplicate).map(({ kind }) => kind)).toEqual([
      'forecast',
      'event',
      'outcome',
      'state',
    ]);
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-1', 'test-gate-1-1']);
    expect(await storedIds(server, 'event')).toEqual(['test-gate-1-e1']);
    const client = await clientOf(server);
    const manager = await client.jetstreamManager();
    const streams = await manager.streams.list().next();
    expect(streams.map(({ config }) => config.name).sort()).toEqual([
      'LOOKAHEAD_test_event',
      'LOOKAHEAD_test_forecast',
      'LOOKAHEAD_test_outcome',
      'LOOKAHEAD_test_score',
      'LOOKAHEAD_test_state',
      'LOOKAHEAD_test_within',
    ]);
    for (const { config } of streams) {
      expect(config.max_bytes).toBeGreaterThan(0);
      expect(config.max_age).toBeGreaterThan(0);
      expect(config).toMatchObject({ storage: 'file', discard: 'old', allow_direct: true });
    }
  });

  it('reads what is stored, oldest first, by camera, since a time, the newest of many', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.ready(10_000);
    for (let at = 0; at < 600; at++) void bus.publish(outcome(at));
    await bus.publish(outcome(900, { camera: 'yard' }));
    await until(() => bus.outbox.messages === 0);
    await new Promise((done) => setTimeout(done, 20));
    const betweenMs = Date.now();
    await bus.publish(outcome(1000));

    const read = async (range: Partial<HistoryRange>): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { data } of bus.history('outcome', { sinceMs: 0, max: 10_000, ...range }))
        ids.push((JSON.parse(new TextDecoder().decode(data)) as { id: string }).id);
      return ids;
    };
    const all = await read({});
    expect(all).toHaveLength(602);
    const ofGate = all.filter((id) => id.startsWith('test-gate'));
    expect(ofGate).toEqual([...Array(600).keys(), 1000].map((at) => outcome(at).id));
    expect(await read({ camera: 'yard' })).toEqual([outcome(900, { camera: 'yard' }).id]);
    expect(await read({ camera: 'nobody' })).toEqual([]);
    expect(await read({ sinceMs: betweenMs })).toEqual([outcome(1000).id]);
    expect(await read({ camera: 'gate', max: 3 })).toEqual(
      [598, 599, 1000].map((at) => outcome(at).id),
    );
    const client = await clientOf(server);
    const manager = await client.jetstreamManager();
    const { state: kept } = await manager.streams.info(streamName('test', 'outcome'));
    expect(kept.consumer_count, 'nothing is left behind').toBe(0);
    await server.stop();
    await expect(read({})).rejects.toMatchObject({ code: 'broker_unreachable' });
  });

  it('never takes a server that has fallen silent for the end of what is stored', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server, { limits: { ...quick, pingPeriodMs: 60_000 } });
    await bus.ready(10_000);
    await Promise.all(Array.from({ length: 600 }, (_, at) => bus.publish(outcome(at))));
    let read = 0;
    const reading = async (): Promise<void> => {
      for await (const { data } of bus.history('outcome', { sinceMs: 0, max: 10_000 })) {
        read += Number(data.length > 0);
        if (read === 256) server.freeze();
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(read).toBeLessThan(600);
    server.thaw();
  });

  it('drops and counts what is longer than the server takes', async () => {
    const server = await natsServerForTest({ config: 'max_payload: 8192' });
    const bus = await busFor(server);
    await bus.ready(10_000);
    const seen = eventsOf(bus);
    const why = 'x'.repeat(9_000);

    await expect(bus.publish(state({ why }))).rejects.toMatchObject({ code: 'publish_failed' });
    const long = scene(1, { camera: 'y'.repeat(64) });
    await expect(bus.publish({ ...long, extra: why } as Message)).rejects.toThrow(/9\d+ bytes/);
    expect(seen).toMatchObject([
      { type: 'dropped', kind: 'state', reason: 'oversize' },
      { type: 'dropped', kind: 'scene', reason: 'oversize' },
    ]);
    await bus.publish(forecast(1));
  });

  it('sends scenes and heartbeats to whoever listens', async () => {
    const server = await natsServerForTest();
    const [bus, listener] = [await busFor(server), await busFor(server, { role: 'reader' })];
    const heard: string[] = [];
    listener.subscribe('lookahead.v1.>', ({ subject }) => heard.push(subject));
    await listener.last('state');
    await bus.publish(scene(1));
    expect(bus.heartbeat(heartbeat(1))).toBe(true);
    await until(() => heard.length === 2);
    expect(heard).toEqual(['lookahead.v1.test.gate.scene', 'lookahead.v1.test.heartbeat']);
  });

  it('refuses the name of a camera that is no subject token, and of a site at once', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    expect(() => bus.publish(forecast(1, { camera: 'a.*' }))).toThrow(LookaheadError);
    await expect(connectBus({ servers: [server.url], site: 'a.b' })).rejects.toMatchObject({
      code: 'subject_invalid',
    });
  });
});

describe('a server that is away', () => {
  it('loses no acknowledged message by kill -9 in mid-stream, and gets the rest afterwards, in order', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.ready(10_000);
    const acked: string[] = [];
    const all = Array.from({ length: 300 }, (_, sequence) => forecast(sequence));
    const publishing = Promise.all(
      all.map((each) => bus.publish(each).then(() => acked.push(each.id))),
    );
    await until(() => acked.length > 20);
    await server.kill();
    expect(acked.length).toBeLessThan(all.length);
    await until(() => bus.status.state === 'disconnected');
    expect(bus.outbox.messages).toBeGreaterThan(0);

    await server.start();
    await publishing;
    expect(await storedIds(server, 'forecast')).toEqual(all.map(({ id }) => id));
    expect(bus.outbox.messages).toBe(0);
  });

  it('may be away at the start: the engine lives, and delivers when it comes', async () => {
    const server = await natsServerForTest({ started: false });
    const bus = await busFor(server);
    expect(bus.status).toMatchObject({ state: 'connecting' });
    expect(bus.status.why).toContain(server.url);
    await expect(bus.ready(100)).rejects.toMatchObject({ code: 'broker_unreachable' });
    const waiting = bus.publish(forecast(1));

    await server.start();
    await waiting;
    await bus.ready(10_000);
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-1']);
  });

  it('never keeps scenes and heartbeats for later', async () => {
    const server = await natsServerForTest();
    const [bus, client] = [await busFor(server), await clientOf(server)];
    await bus.ready(10_000);
    await server.kill();
    await until(() => bus.status.state === 'disconnected');
    const seen = eventsOf(bus);
    await expect(bus.publish(scene(1))).rejects.toMatchObject({ code: 'publish_failed' });
    expect(bus.heartbeat(heartbeat(1))).toBe(false);
    expect(seen).toMatchObject([
      { type: 'dropped', kind: 'scene', reason: 'disconnected' },
      { type: 'dropped', kind: 'heartbeat', reason: 'disconnected' },
    ]);
    await client.close();
  });

  it('lets the outbox overflow by the least important first, each drop counted and told', async () => {
    const server = await natsServerForTest({ started: false });
    const bus = await busFor(server, { limits: { outboxMessagesMax: 5 } });
    const seen = eventsOf(bus);
    const offered = [event(1), ...[1, 2, 3, 4, 5, 6].map((n) => forecast(n)), state()];
    const settled = Promise.allSettled(offered.map((each) => bus.publish(each)));
    expect(seen).toMatchObject([
      { type: 'dropped', kind: 'event', reason: 'full' },
      { type: 'dropped', kind: 'forecast', reason: 'full' },
      { type: 'dropped', kind: 'forecast', reason: 'full' },
    ]);
    await server.start();
    expect((await settled).map(({ status }) => status)).toEqual([
      ...Array<string>(3).fill('rejected'),
      ...Array<string>(5).fill('fulfilled'),
    ]);
    expect(await storedIds(server, 'forecast')).toEqual(
      [3, 4, 5, 6].map((n) => `test-gate-1-${n}`),
    );
  });

  it('is noticed when it freezes, costs no socket for each try, and is found again', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.ready(10_000);
    const states = statesOf(bus);
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const socketsBefore = sockets();
    server.freeze();
    const waiting = bus.publish(forecast(1));
    await until(() => states.includes('stale'));
    await until(() => states.includes('disconnected'));
    await new Promise((resolve) => setTimeout(resolve, 3_500)); // Three tries of 1 s.
    expect(sockets()).toBeLessThanOrEqual(socketsBefore + 1);

    server.thaw();
    await waiting;
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-1']);
    await until(() => bus.status.state === 'connected');
  });

  it('gets its streams again when it comes back with an empty disk', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    await bus.publish(forecast(1));
    await server.kill();
    server.emptyStore();
    const waiting = bus.publish(forecast(2));
    await server.start();
    await waiting;
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-2']);
  });
});

describe('streams', () => {
  it('come back when somebody removes them under a running engine', async () => {
    const server = await natsServerForTest();
    const [bus, client] = [await busFor(server), await clientOf(server)];
    await bus.publish(forecast(1));
    await (await client.jetstreamManager()).streams.delete(streamName('test', 'forecast'));
    await bus.publish(forecast(2));
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-2']);
  });

  it('follow the configuration', async () => {
    const server = await natsServerForTest();
    const [bus, client] = [await busFor(server), await clientOf(server)];
    await bus.publish(forecast(1));
    await bus.close();
    const streams = { ...defaultBudgets, forecast: { maxAgeMs: 60_000, maxBytes: 4_096_000 } };
    const later = await busFor(server, { limits: { streams } });
    await later.ready(10_000);
    const manager = await client.jetstreamManager();
    const { config, state: held } = await manager.streams.info(streamName('test', 'forecast'));
    expect(config).toMatchObject({ max_age: 60e9, max_bytes: 4_096_000, duplicate_window: 60e9 });
    expect(held.messages).toBe(1);
  });
});

describe('a server that refuses', () => {
  it('says which stream is in the way, and goes on when it is gone', async () => {
    const server = await natsServerForTest();
    const client = await clientOf(server);
    const { streams } = await client.jetstreamManager();
    await streams.add({ name: 'OTHER', subjects: ['lookahead.v1.*.*.forecast'] });
    const bus = await busFor(server);
    await expect(bus.ready(10_000)).rejects.toMatchObject({
      code: 'broker_refused',
      message: expect.stringMatching(/subjects overlap/) as string,
    });
    const waiting = bus.publish(forecast(1));
    await streams.delete('OTHER');
    await waiting;
    expect(await storedIds(server, 'forecast')).toEqual(['test-gate-1-1']);
  });

  it('says so of a wrong password, without the password', async () => {
    const server = await natsServerForTest({ user: 'engine', pass: 'right' });
    const url = server.url.replace('://', '://engine:s3cr%40t@');
    for (const login of [{ servers: [url] }, { user: 'engine', pass: 's3cr@t' }, {}]) {
      const bus = await busFor(server, login);
      const error: unknown = await bus.ready(10_000).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'broker_refused' });
      expect(String(error)).toContain('authorization violation');
      const everything = JSON.stringify([String(error), bus.status, (error as Error).stack]);
      expect(everything).not.toMatch(/s3cr/);
    }
  });

  it('takes a login from the address too', async () => {
    const server = await natsServerForTest({ user: 'engine', pass: 'p@ss%' });
    const bus = await busFor(server, {
      servers: [server.url.replace('://', '://engine:p%40ss%25@')],
    });
    await bus.ready(10_000);
  });

  it('says what is missing when it has no JetStream, and still sends scenes', async () => {
    const server = await natsServerForTest({ jetStream: false });
    const bus = await busFor(server);
    await expect(bus.ready(10_000)).rejects.toMatchObject({
      code: 'broker_refused',
      message: expect.stringContaining('no JetStream') as string,
    });
    await bus.publish(scene(1));
  });

  it('does not block a camera with a message that it will never take', async () => {
    const server = await natsServerForTest({
      config: `authorization { users: [ { user: engine, password: right, permissions: {
        publish: { deny: "lookahead.v1.test.gate.event" } } } ] }`,
    });
    const bus = await busFor(server, { user: 'engine', pass: 'right' });
    await bus.ready(10_000);
    const seen = eventsOf(bus);
    const refused = expect(bus.publish(event(1))).rejects.toMatchObject({ code: 'publish_failed' });
    await bus.publish(forecast(1));
    await refused;
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'dropped', kind: 'event', reason: 'refused' }),
    );
  });
});

describe('leaving', () => {
  it('sends what waits first', async () => {
    const server = await natsServerForTest();
    const bus = await busFor(server);
    const all = Array.from({ length: 50 }, (_, n) => bus.publish(forecast(n)));
    await bus.close();
    await Promise.all(all);
    expect(bus.status.state).toBe('closed');
    expect(await storedIds(server, 'forecast')).toHaveLength(50);
    await expect(bus.publish(forecast(99))).rejects.toThrow(/closing/);
  });

  it('does not wait for a server that is away', async () => {
    const server = await natsServerForTest({ started: false });
    const bus = await busFor(server);
    const seen = eventsOf(bus);
    const waiting = expect(bus.publish(forecast(1))).rejects.toThrow(/closing/);
    await bus.close(60_000);
    await waiting;
    expect(seen).toMatchObject([{ type: 'dropped', kind: 'forecast', reason: 'closing' }]);
  });
});
