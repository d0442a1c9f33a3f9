/** The shipped configurations of nats-server, each role used as it is meant to be, and tried for what it must not do. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { wsconnect, type NatsConnection as BrowserConnection } from '@nats-io/nats-core';
import { connectAsync, type MqttClient } from 'mqtt';
import { connect } from 'nats';
import { concat, firstValueFrom, lastValueFrom, of, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { rolesConf } from '../../src/nats-conf.js';
import { inboxPrefixOf } from '../../src/nats-roles.js';
import { connectBus, type Bus, type BusOptions } from '../../src/sinks/bus.js';
import { storedKinds } from '../../src/sinks/streams.js';
import { event, forecast, heartbeat, scene } from '../support/messages.js';
import { probeNats } from '../support/nats-probe.js';
import { natsServerPath } from '../support/nats-server.js';
import {
  copyOfDeploy,
  deployNats,
  environmentFor,
  passwords,
  startShippedNats,
  variants,
  type ShippedNats,
} from '../support/shipped-nats.js';

const seen = 'lookahead.v1.test.gate.forecast';
const forecastStream = 'LOOKAHEAD_test_forecast';
const violation = /Permissions Violation/;
const patience = { timeout: 20_000, interval: 50 };

describe('the files', () => {
  it('roles.conf holds what the engine knows of its roles', async () => {
    await expect(rolesConf('home')).toMatchFileSnapshot('../../deploy/nats/roles.conf');
  });

  it('roles.conf is made for another site as README.md says', () => {
    const folder = copyOfDeploy();
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(readFileSync(join(folder, 'roles.conf'), 'utf8')).toBe(rolesConf('test'));
  });

  it.each([...variants, 'leaf'])('%s.conf is valid', (variant) => {
    const { status, stderr } = checked(variant);
    expect([status, stderr]).toEqual([0, expect.stringContaining('is valid')]);
  });

  it.each(['LOOKAHEAD_PIPELINE_PASSWORD', 'LOOKAHEAD_ROBOT_PASSWORD', 'LOOKAHEAD_NATS_STORE'])(
    'without %s no server starts',
    (name) => {
      const { status, stderr } = checked('one-machine', { [name]: undefined });
      expect(status).toBe(1);
      expect(stderr).toContain(name);
    },
  );

  it('README.md speaks of each of them', () => {
    const readme = readFileSync(join(deployNats, 'README.md'), 'utf8');
    const files = readdirSync(deployNats).filter((name) => /\.(conf|sh)$/.test(name));
    for (const file of files) expect(readme).toContain(file);
  });

  function checked(variant: string, more: Record<string, string | undefined> = {}) {
    const folder = copyOfDeploy();
    onTestFinished(() => rmSync(folder, { recursive: true }));
    if (variant === 'nats-server')
      spawnSync('./make-certificates.sh', ['localhost'], { cwd: folder });
    const env = { ...environmentFor(folder), ...more };
    return spawnSync(natsServerPath(), ['-t', '-c', `${variant}.conf`], {
      ...{ cwd: folder, env, encoding: 'utf8' },
    });
  }
});

describe('on one machine', () => {
  let server: ShippedNats;
  let engine: Bus;
  beforeAll(async () => {
    server = await startShippedNats('one-machine');
    engine = await openBus(server, 'pipeline');
    await engine.ready(20_000);
    for (const sequence of [0, 1, 2]) await engine.publish(forecast(sequence));
    await engine.publish(forecast(7, { camera: 'yard' }));
    await engine.publish(event(1));
  });
  afterAll(async () => {
    await engine.close(0);
    await server.remove();
  });

  describe('the pipeline', () => {
    it('has its streams, stores, reads back, and misses no right', async () => {
      expect(engine.status.state).toBe('connected');
      for (const kind of storedKinds) expect(await engine.last(kind)).toBeDefined();
      expect(await idsOf(engine)).toContain(forecast(2).id);
      expect(server.log()).not.toMatch(/\[ERR\].*lookahead test/);
    });

    it.each(['calibration', 'cameras'])('keeps values in the bucket %s', async (bucket) => {
      const values = engine.keyValues(bucket, 4);
      const followed: string[] = [];
      const failures: Error[] = [];
      const stop = values.watch(
        ({ key }) => followed.push(key),
        (failure) => failures.push(failure),
      );
      onTestFinished(stop);
      expect(await values.put('gate', bytes('1'))).toBe(1);
      expect(await values.put('gate', bytes('2'), 1)).toBe(2);
      expect(await values.put('gate', bytes('3'), 1)).toBeNull();
      await vi.waitFor(() => expect(followed).toContain('gate'), patience);
      expect((await values.history('gate')).map(({ revision }) => revision)).toEqual([1, 2]);
      expect(failures).toEqual([]);
    });

    it('deletes no stream, reads no other one, and speaks for no other site', async () => {
      const probe = await probeNats(server.url, login('pipeline'));
      for (const subject of [
        `$JS.API.STREAM.DELETE.${forecastStream}`,
        `$JS.API.STREAM.PURGE.${forecastStream}`,
        '$JS.API.STREAM.CREATE.OTHER',
        '$JS.API.DIRECT.GET.OTHER',
        'lookahead.v1.elsewhere.gate.forecast',
        '_INBOX_robot.x',
      ]) {
        expect(await probe.publish(subject), subject).toMatch(violation);
      }
      expect(await probe.subscribe('>')).toMatch(violation);
    });
  });

  describe('a robot', () => {
    it('hears what is said live', async () => {
      const robot = await busOf(server, 'robot');
      await robot.ready(20_000);
      const heard: string[] = [];
      for (const subject of [seen, 'lookahead.v1.test.*.scene', 'lookahead.v1.test.heartbeat']) {
        robot.subscribe(subject, (received) => heard.push(received.subject));
      }
      await vi.waitFor(async () => {
        engine.heartbeat(heartbeat(1));
        await Promise.all([engine.publish(scene(1)), engine.publish(forecast(3))]);
        expect(new Set(heard)).toEqual(
          new Set([seen, 'lookahead.v1.test.gate.scene', 'lookahead.v1.test.heartbeat']),
        );
      }, patience);
    });

    it('reads the last message of one camera and of each, and the history', async () => {
      const robot = await busOf(server, 'robot');
      await robot.ready(20_000);
      expect(await robot.last('forecast', 'yard')).toHaveLength(1);
      expect(await robot.last('forecast')).toHaveLength(2);
      expect(await robot.last('score', 'gate')).toEqual([]);
      const ids = await idsOf(robot);
      expect(ids).toEqual(expect.arrayContaining([forecast(0).id, forecast(7, yard).id]));
      const gateOnly = await idsOf(robot, 'gate');
      expect(gateOnly).toContain(forecast(0).id);
      expect(gateOnly).not.toContain(forecast(7, yard).id);
    });

    it('reads with a durable consumer of its own, and acknowledges', async () => {
      const client = await connect({ ...login('robot'), ...inbox('robot'), servers: server.url });
      onTestFinished(() => client.close());
      const manager = await client.jetstreamManager();
      await manager.consumers.add(forecastStream, {
        durable_name: 'arm-1',
        ack_policy: 'explicit' as never,
      });
      const consumer = await client.jetstream().consumers.get(forecastStream, 'arm-1');
      const message = await consumer.next({ expires: 5_000 });
      expect(await message?.ackAck()).toBe(true);
    });

    it('asks, and gets every piece of the answer', async () => {
      const pieces = Array.from({ length: 60 }, (_, piece) => of({ piece }));
      engine.serveStream('ask', 'Answers.', () => concat(...pieces));
      engine.serve('cameras.list', 'Lists.', () => ({ cameras: ['gate'] }));
      const robot = await busOf(server, 'robot');
      await robot.ready(20_000);
      await vi.waitFor(async () => {
        const listed = await firstValueFrom(robot.call('cameras.list', {}), {
          defaultValue: undefined,
        });
        expect(listed).toEqual({ cameras: ['gate'] });
      }, patience);
      const answer = await lastValueFrom(robot.call('ask', {}).pipe(take(60), toArray()), {
        defaultValue: [],
      });
      expect(answer).toEqual(pieces.map((_, piece) => ({ piece })));
    });

    it.each([
      seen,
      'lookahead.v1.test.heartbeat',
      'lookahead.v1.test.svc.bundle.use',
      'lookahead.v1.test.svc.cameras.add',
      'lookahead.v1.test.work.1',
      `$JS.API.STREAM.DELETE.${forecastStream}`,
      `$JS.API.STREAM.PURGE.${forecastStream}`,
      `$JS.API.STREAM.UPDATE.${forecastStream}`,
      `$JS.API.STREAM.MSG.DELETE.${forecastStream}`,
      `$JS.API.CONSUMER.DELETE.${forecastStream}.arm-1`,
      '$JS.API.STREAM.CREATE.MINE',
      '$JS.API.STREAM.LIST',
      '$KV.LOOKAHEAD_test_calibration.gate',
      '$JS.API.DIRECT.GET.KV_LOOKAHEAD_test_cameras',
      '$JS.API.CONSUMER.CREATE.KV_LOOKAHEAD_test_cameras',
      '_INBOX.1',
      '_INBOX_dashboard.1',
      '$SRV.PING',
    ])('publishes nothing on %s', async (subject) => {
      const probe = await probeNats(server.url, login('robot'));
      expect(await probe.publish(subject)).toMatch(violation);
    });

    it.each([
      '>',
      'lookahead.v1.test.>',
      'lookahead.v1.test.work.1',
      'lookahead.v1.test.svc.ask',
      '_INBOX.>',
      '_INBOX_dashboard.>',
      '$KV.>',
      '$JS.>',
    ])('hears nothing of %s', async (subject) => {
      const probe = await probeNats(server.url, login('robot'));
      expect(await probe.subscribe(subject)).toMatch(violation);
    });

    it('comes in only by its password', async () => {
      for (const wrong of [{}, { user: 'robot' }, { user: 'robot', pass: passwords.dashboard }]) {
        await expect(probeNats(server.url, wrong)).rejects.toThrow('Authorization Violation');
      }
    });
  });

  describe('a robot over MQTT', () => {
    it.each([0, 1] as const)('hears the engine, QoS %s', async (qos) => {
      const robot = await mqttOf(server);
      const [granted] = await robot.subscribeAsync('lookahead/v1/test/+/forecast', { qos });
      expect(granted?.qos).toBe(qos);
      const heard = messageOf(robot);
      await engine.publish(forecast(20 + qos));
      const [topic, payload] = await heard;
      expect(topic).toBe('lookahead/v1/test/gate/forecast');
      expect(JSON.parse(payload.toString())).toEqual(forecast(20 + qos));
    });

    it('publishes no forecast, and hears nothing that is not for it', async () => {
      const robot = await mqttOf(server);
      const heard: string[] = [];
      const stop = engine.subscribe('lookahead.v1.test.>', ({ subject }) => heard.push(subject));
      onTestFinished(stop);
      // An answer on the same connection: the server knows by now what is listened to.
      await engine.last('forecast');
      const ask = 'lookahead.v1.test.svc.ask';
      const mayBeHeard = async (by: MqttClient, times: number): Promise<void> => {
        await by.publishAsync('lookahead/v1/test/svc/ask', '{}', { qos: 0 });
        await vi.waitFor(
          () => expect(heard.filter((subject) => subject === ask)).toHaveLength(times),
          patience,
        );
      };
      await mayBeHeard(robot, 1);
      await robot.publishAsync('lookahead/v1/test/gate/forecast', '{}', { qos: 0 });
      // The server may cut it off for that; what another says after it is heard, and what it said is not.
      await mayBeHeard(await mqttOf(server), 2);
      expect(heard).not.toContain(seen);
      for (const topic of ['#', 'lookahead/v1/test/#', 'lookahead/v1/test/svc/ask']) {
        await expect((await mqttOf(server)).subscribeAsync(topic), topic).rejects.toThrow();
      }
    });
  });

  describe('the dashboard', () => {
    it('hears what is said live, and reads back message by message', async () => {
      const browser = await browserOf(server);
      const live = browser.subscribe('lookahead.v1.test.gate.*', { max: 1 });
      await expect(firstOf(live)).rejects.toThrow(/permission/i);
      const forecasts = browser.subscribe(seen, { max: 1 });
      const heard = firstOf(forecasts);
      await browser.flush();
      await engine.publish(forecast(30));
      expect((await heard)?.json()).toEqual(forecast(30));

      const get = (request: object, stream = forecastStream) =>
        browser.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(request));
      const last = await get({ last_by_subj: 'lookahead.v1.test.yard.forecast' });
      expect(last.json()).toEqual(forecast(7, yard));
      expect(last.headers?.get('Nats-Time-Stamp')).toMatch(/^\d{4}-/);
      const next = await get({ seq: 2, next_by_subj: 'lookahead.v1.test.yard.forecast' });
      expect(next.json()).toEqual(forecast(7, yard));
      const short = await browser.request(`$JS.API.DIRECT.GET.${forecastStream}.${seen}`);
      expect(short.json()).toEqual(forecast(30));
    });

    it('asks, and lists cameras and bundle', async () => {
      const names = ['ask', 'cameras.list', 'bundle.show'];
      for (const name of names) engine.serve(name, 'Answers.', () => ({ name }));
      const browser = await browserOf(server);
      for (const name of names) {
        await vi.waitFor(async () => {
          const reply = await browser.request(`lookahead.v1.test.svc.${name}`);
          expect(reply.json()).toBeDefined();
        }, patience);
      }
    });

    it.each([
      seen,
      'lookahead.v1.test.svc.bundle.use',
      'lookahead.v1.test.svc.cameras.add',
      'lookahead.v1.test.work.1',
      `$JS.API.CONSUMER.CREATE.${forecastStream}`,
      `$JS.API.CONSUMER.CREATE.${forecastStream}.mine`,
      `$JS.API.CONSUMER.MSG.NEXT.${forecastStream}.arm-1`,
      `$JS.API.STREAM.DELETE.${forecastStream}`,
      '$JS.API.STREAM.CREATE.MINE',
      '$JS.API.DIRECT.GET.KV_LOOKAHEAD_test_cameras',
      '$JS.API.DIRECT.GET.KV_LOOKAHEAD_test_cameras.$KV.LOOKAHEAD_test_cameras.gate',
      '$KV.LOOKAHEAD_test_cameras.gate',
      '_INBOX.1',
      '_INBOX_robot.1',
    ])('publishes nothing on %s', async (subject) => {
      const probe = await probeNats(server.websocketUrl, login('dashboard'));
      expect(await probe.publish(subject)).toMatch(violation);
    });

    it.each([
      '>',
      'lookahead.v1.test.>',
      'lookahead.v1.test.work.1',
      'lookahead.v1.test.svc.ask',
      '_INBOX.>',
      '_INBOX_robot.>',
      '$KV.>',
    ])('hears nothing of %s', async (subject) => {
      const probe = await probeNats(server.websocketUrl, login('dashboard'));
      expect(await probe.subscribe(subject)).toMatch(violation);
    });

    it.each([
      ['purged', `$JS.API.STREAM.PURGE.${forecastStream}`],
      ['deleted', `$JS.API.STREAM.DELETE.${forecastStream}`],
      ['overwritten', '$KV.LOOKAHEAD_test_cameras.kept'],
      ['told again', seen],
    ])('by the place of an answer nothing is %s', async (_what, reply) => {
      const cameras = engine.keyValues('cameras', 4);
      await cameras.put('kept', bytes('1'));
      const heard: string[] = [];
      const stop = engine.subscribe(seen, ({ subject }) => heard.push(subject));
      onTestFinished(stop);
      const browser = await browserOf(server);
      // There is no such message: the answer is empty, and for a command of the server's that is enough.
      const request = JSON.stringify({ seq: 999_999 });
      browser.publish(`$JS.API.DIRECT.GET.${forecastStream}`, request, { reply });
      const last = await browser.request(`$JS.API.DIRECT.GET.${forecastStream}`, request);
      expect(last.headers?.code).toBe(404);
      await setTimeout(300);
      expect(await engine.last('forecast', 'yard')).toHaveLength(1);
      expect(Buffer.from((await cameras.history('kept')).at(-1)!.data).toString()).toBe('1');
      expect(heard).toEqual([]);
    });

    it('comes in by WebSocket alone, and the engine never does', async () => {
      const refused = 'Authorization Violation';
      await expect(probeNats(server.url, login('dashboard'))).rejects.toThrow(refused);
      await expect(probeNats(server.websocketUrl, login('pipeline'))).rejects.toThrow(refused);
      await expect(probeNats(server.websocketUrl)).rejects.toThrow(refused);
      await expect(mqttOf(server, 'dashboard')).rejects.toThrow(/not authorized/i);
      await expect(mqttOf(server, 'pipeline')).rejects.toThrow(/not authorized/i);
    });

    it('comes from no page of another origin', async () => {
      expect(await originAnswer(server, 'http://elsewhere.example')).toContain('403');
      const own = server.websocketUrl.replace('ws:', 'http:');
      expect(await originAnswer(server, own)).toBe('open');
    });
  });

  it('health is told on loopback', async () => {
    const response = await fetch(`${server.monitoringUrl}/healthz`);
    expect(await response.json()).toEqual({ status: 'ok' });
  });

  it('whoever may ask chooses where the answer goes: a stored message comes again, as itself', async () => {
    const probe = await connect({ ...login('robot'), ...inbox('robot'), servers: server.url });
    onTestFinished(() => probe.close());
    const heard: Uint8Array[] = [];
    const stop = engine.subscribe(seen, ({ data }) => heard.push(data));
    onTestFinished(stop);
    const request = `$JS.API.DIRECT.GET.${forecastStream}.lookahead.v1.test.yard.forecast`;
    probe.publish(request, undefined, { reply: seen });
    await vi.waitFor(() => expect(heard).toHaveLength(1), patience);
    // What it is about still stands in it: whoever checks id and validUntil is not misled.
    expect(JSON.parse(new TextDecoder().decode(heard[0]))).toEqual(forecast(7, yard));
  });
});

describe('over several machines', () => {
  let server: ShippedNats;
  beforeAll(async () => (server = await startShippedNats('nats-server')));
  afterAll(() => server.remove());

  it('the engine connects with the authority that it is given, and otherwise not at all', async () => {
    const { caFile } = server;
    const engine = await busOf(server, 'pipeline', { caFile });
    await engine.ready(20_000);
    await engine.publish(forecast(1));
    expect(await engine.last('forecast', 'gate')).toHaveLength(1);

    const stranger = await busOf(server, 'pipeline');
    expect(stranger.status.state).not.toBe('connected');
    expect(stranger.status.why).toMatch(/certificate/i);
  });

  it('with an authority given, a server that does not encrypt is refused', async () => {
    const open = await startShippedNats('compose');
    onTestFinished(() => open.remove());
    const engine = await busOf(open, 'pipeline', { caFile: server.caFile });
    expect(engine.status.state).not.toBe('connected');
  });

  it('a missing file of authorities is named', async () => {
    const engine = busOf(server, 'pipeline', { caFile: '/nowhere/ca.pem' });
    await expect(engine).rejects.toMatchObject({
      code: 'config_unreadable',
      message: expect.stringContaining('/nowhere/ca.pem') as string,
    });
  });

  it('robots over MQTT and the dashboard are encrypted too', async () => {
    const ca = readFileSync(server.caFile);
    const engine = await busOf(server, 'pipeline', { caFile: server.caFile });
    await engine.ready(20_000);
    const robot = await mqttOf(server, 'robot', { ca });
    await robot.subscribeAsync('lookahead/v1/test/gate/forecast');
    const browser = await browserOf(server, ca);
    const subscription = browser.subscribe(seen, { max: 1 });
    await browser.flush();
    const heard = [firstOf(subscription), messageOf(robot)];
    await engine.publish(forecast(2));
    await Promise.all(heard);

    const open = server.mqttUrl.replace('mqtts', 'mqtt');
    await expect(mqttOf({ mqttUrl: open }, 'robot')).rejects.toThrow();
  });
});

const yard = { camera: 'yard' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const login = (user: keyof typeof passwords) => ({ user, pass: passwords[user] });
const inbox = (role: keyof typeof passwords) => ({ inboxPrefix: inboxPrefixOf(role) });

/** Ends with the test. */
async function busOf(...given: Parameters<typeof openBus>): Promise<Bus> {
  const bus = await openBus(...given);
  onTestFinished(() => bus.close(0));
  return bus;
}

/** As a reader, unless it is the engine. The caller closes it. */
function openBus(
  { url }: ShippedNats,
  role: 'pipeline' | 'robot',
  options: Partial<BusOptions> = {},
): Promise<Bus> {
  return connectBus({
    ...{ servers: [url], site: 'test', role: role === 'pipeline' ? 'engine' : 'reader' },
    ...login(role),
    ...inbox(role),
    ...options,
  });
}

async function idsOf(bus: Bus, camera?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { data } of bus.history('forecast', { camera, sinceMs: 0, max: 100 })) {
    ids.push((JSON.parse(new TextDecoder().decode(data)) as { id: string }).id);
  }
  return ids;
}

async function browserOf(server: ShippedNats, ca?: Buffer): Promise<BrowserConnection> {
  const client = await wsconnect({
    ...{ servers: server.websocketUrl, reconnect: false },
    ...login('dashboard'),
    ...inbox('dashboard'),
    wsFactory: (url) =>
      Promise.resolve({
        socket: new WebSocket(url, { ca, perMessageDeflate: false }) as never,
        encrypted: url.startsWith('wss'),
      }),
  });
  onTestFinished(() => client.close());
  return client;
}

async function firstOf<Message>(messages: AsyncIterable<Message>): Promise<Message | undefined> {
  for await (const message of messages) return message;
  return undefined;
}

async function mqttOf(
  { mqttUrl }: Pick<ShippedNats, 'mqttUrl'>,
  username: keyof typeof passwords = 'robot',
  more: { ca?: Buffer } = {},
): Promise<MqttClient> {
  const once = { reconnectPeriod: 0, connectTimeout: 5_000 };
  const client = await connectAsync(
    mqttUrl,
    { username, password: passwords[username], protocolVersion: 4, ...once, ...more },
    false,
  );
  onTestFinished(() => client.endAsync(true));
  return client;
}

function messageOf(client: MqttClient): Promise<[topic: string, payload: Buffer]> {
  return new Promise((resolve) => {
    client.once('message', (topic, payload) => resolve([topic, payload]));
  });
}

function originAnswer({ websocketUrl }: ShippedNats, origin: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(websocketUrl, { origin });
    socket.once('error', (error) => resolve(error.message));
    socket.once('open', () => {
      socket.terminate();
      resolve('open');
    });
  });
}
