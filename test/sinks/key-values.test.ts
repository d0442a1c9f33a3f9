/** Versions of small values in a real nats-server: who follows them misses nothing and harms nothing. */
import { connect } from 'nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import type { KeyValues, StoredValue } from '../../src/sinks/key-values.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const told = ({ key, data }: StoredValue): string =>
  `${key} ${data === null ? '-' : new TextDecoder().decode(data)}`;
const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 20_000, interval: 20 });

interface Opened {
  readonly bus: Bus;
  readonly store: KeyValues;
  readonly heard: string[];
  readonly failures: Error[];
}

async function open(
  server: TestNatsServer,
  { history = 3, ...login }: { history?: number; user?: string; pass?: string } = {},
): Promise<Opened> {
  const bus = await connectBus({
    ...{ servers: [server.url], site: 'test', ...login },
    limits: { reconnectMs: 50, pingPeriodMs: 1_000, ackTimeoutMs: 1_000, connectTimeoutMs: 1_000 },
  });
  const store = bus.keyValues('calibration', history);
  const [heard, failures]: [string[], Error[]] = [[], []];
  const stop = store.watch(
    (value) => heard.push(told(value)),
    (error) => failures.push(error),
  );
  onTestFinished(async () => {
    stop();
    await bus.close(0);
  });
  return { bus, store, heard, failures };
}

describe('a key-value bucket', () => {
  it('is one for each site, and keeps so many versions of each key', async () => {
    const server = await natsServerForTest();
    const { bus, store } = await open(server);
    await bus.ready(10_000);
    for (const text of ['a', 'b', 'c', 'd']) await store.put('gate', bytes(text));
    await store.put('yard', bytes('z'));
    expect((await store.history('gate')).map(told)).toEqual(['gate b', 'gate c', 'gate d']);
    expect((await store.history('yard')).map(({ revision }) => revision)).toEqual([5]);
    expect(await store.history('nobody')).toEqual([]);

    const client = await connect({ servers: server.url });
    const { config } = await (
      await client.jetstreamManager()
    ).streams.info('KV_LOOKAHEAD_test_calibration');
    await client.close();
    expect(config.max_msgs_per_subject).toBe(3);
  });

  it('takes a value that follows the newest one, and refuses it where another was faster', async () => {
    const { bus, store } = await open(await natsServerForTest());
    await bus.ready(10_000);
    const first = await store.put('gate', bytes('a'), 0);
    expect(first).toBe(1);
    const second = await store.put('gate', bytes('b'), 1);
    expect(await store.put('gate', bytes('late'), 1)).toBeNull();
    expect(await store.put('gate', bytes('late'), 0)).toBeNull();
    expect((await store.history('gate')).map(told)).toEqual(['gate a', 'gate b']);
    // The other key's newest one is another.
    expect(await store.put('yard', bytes('a'), 0)).toBe((second ?? 0) + 1);
  });

  it('forgets what is removed, and takes it again', async () => {
    const { bus, store, heard } = await open(await natsServerForTest(), { history: 1 });
    await bus.ready(10_000);
    await store.put('gate', bytes('a'));
    await store.remove('gate');
    await store.remove('nobody');
    expect(await store.history('gate')).toEqual([]);
    await store.put('gate', bytes('b'));
    await until(() => heard.at(-1) === 'gate b');
    expect((await store.history('gate')).map(told)).toEqual(['gate b']);
  });

  it('tells what is there and what changes, deletions too', async () => {
    const server = await natsServerForTest();
    const writer = await open(server);
    await writer.bus.ready(10_000);
    await writer.store.put('gate', bytes('a'));
    const { heard } = await open(server);
    await until(() => heard.includes('gate a'));
    await writer.store.put('gate', bytes('b'));
    const client = await connect({ servers: server.url });
    await (await client.jetstream().views.kv('LOOKAHEAD_test_calibration')).delete('gate');
    await client.close();
    await until(() => heard.includes('gate -'));
    expect(heard).toEqual(['gate a', 'gate b', 'gate -']);
    expect((await writer.store.history('gate')).map(told)).toEqual(['gate a', 'gate b']);
  });

  it('is followed over a crash of the server: what was changed meanwhile comes', async () => {
    const server = await natsServerForTest();
    const { bus, store, heard, failures } = await open(server);
    await bus.ready(10_000);
    await store.put('gate', bytes('a'));
    await until(() => heard.includes('gate a'));
    await server.kill();
    await expect(store.put('gate', bytes('lost'))).rejects.toMatchObject({
      code: 'broker_unreachable',
    });
    await server.start();
    const client = await connect({ servers: server.url });
    await (await client.jetstream().views.kv('LOOKAHEAD_test_calibration')).put('gate', 'b');
    await client.close();
    await until(() => heard.includes('gate b'));
    await bus.ready(10_000);
    await store.put('gate', bytes('c'));
    await until(() => heard.includes('gate c'));
    expect(failures).toEqual([]);
  });

  it('that a login may not read is told, and harms no message', async () => {
    const bucket = 'KV_LOOKAHEAD_test_calibration';
    const config = `authorization { users: [{
      user: engine, password: secret,
      permissions: { publish: { deny: ["$JS.API.STREAM.*.${bucket}"] } }
    }] }`;
    const server = await natsServerForTest({ config });
    const { bus, failures } = await open(server, { user: 'engine', pass: 'secret' });
    await bus.ready(10_000);
    await until(() => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: expect.stringMatching(/^broker_/) as string });
    expect(bus.status.state).toBe('connected');
  });
});
