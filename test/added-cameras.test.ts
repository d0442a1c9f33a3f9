/** Which cameras may be added, changed and removed, what is kept of them, and what is made of what others have kept. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AddedCameras } from '../src/added-cameras.js';
import { CameraSet, type CameraChange } from '../src/camera-set.js';
import { cameraAt, type CameraSource } from '../src/camera-source.js';
import { serveCameras } from '../src/camera-services.js';
import { CredentialStore } from '../src/credential-store.js';
import { LookaheadError } from '../src/errors.js';
import { CameraAddSchema, type CameraAdd } from '../src/http/contract.js';
import type { Bus } from '../src/sinks/bus.js';
import type { KeyValues, StoredValue } from '../src/sinks/key-values.js';
import type { ServiceHandler } from '../src/sinks/services.js';

const password = 'S3cr@t:/P#w?%';
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 20));

/** A bucket in memory that tells its changes later, as NATS does. */
function bucketOf() {
  const values = new Map<string, StoredValue>();
  const listeners = new Set<(value: StoredValue) => void>();
  const state = { revision: 0, isAway: false, puts: [] as string[] };
  const write = (key: string, data: Uint8Array | null): number => {
    if (state.isAway) throw new LookaheadError('broker_unreachable', 'It is away.', 'Wait.');
    const value = { key, data, revision: ++state.revision };
    values.set(key, value);
    if (data) state.puts.push(text(data));
    for (const listen of listeners) queueMicrotask(() => listen(value));
    return value.revision;
  };
  const store: KeyValues = {
    put: (key, data) => Promise.resolve().then(() => write(key, data)),
    remove: (key) => Promise.resolve().then(() => void write(key, null)),
    history: (key) => {
      if (state.isAway) return store.put(key, new Uint8Array()).then(() => []);
      const value = values.get(key);
      const { data } = value ?? { data: null };
      return Promise.resolve(value && data ? [{ ...value, data }] : []);
    },
    watch: (listener) => {
      listeners.add(listener);
      for (const value of values.values()) queueMicrotask(() => listener(value));
      return () => void listeners.delete(listener);
    },
  };
  return { store, state, write, values };
}

const fixedOf = (name: string, origin: 'file' | 'yard' = 'file'): CameraSource => ({
  ...{ name, origin, host: null },
  url: () => Promise.resolve(''),
});

function engineOn(bucket = bucketOf(), fixed = [fixedOf('front')]) {
  const dir = mkdtempSync(join(tmpdir(), 'lookahead-added-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'credentials.json');
  const lines: string[] = [];
  const changes: string[] = [];
  const cameras = new CameraSet(fixed);
  cameras.change$.subscribe(({ kind, source }: CameraChange) =>
    changes.push(`${kind} ${source.name}`),
  );
  const added = new AddedCameras({
    ...{ cameras, states: new Map(), ffmpegPath: 'ffmpeg', seeing: () => undefined },
    credentials: new CredentialStore(file, (line) => lines.push(line)),
    console: { log: (level, line) => lines.push(`${level} ${line}`) },
  });
  const follow = () => added.follow({ keyValues: () => bucket.store });
  return { added, cameras, changes, lines, bucket, file, follow };
}

const request = (change: Partial<CameraAdd> = {}): CameraAdd => ({
  ...CameraAddSchema.parse({ camera: 'gate', url: 'rtsp://cam.example:8554/main' }),
  ...change,
});

describe('adding a camera', () => {
  it('keeps it, watches it once, and tells host and masks of it, not its address', async () => {
    const { added, changes, bucket, follow, lines } = engineOn();
    follow();
    const { privacyMasks } = CameraAddSchema.parse({
      ...{ camera: 'gate', url: 'rtsp://x/' },
      privacyMasks: [{ rectangle: { x: 0, y: 0, width: 0.5, height: 1 } }],
    });
    const row = await added.add(request({ privacyMasks }));
    await settle();
    expect(changes).toEqual(['added gate']);
    expect(row).toMatchObject({
      ...{ camera: 'gate', origin: 'api', host: 'cam.example:8554', state: 'connecting' },
      privacyMasks: [
        [
          [0, 0],
          [0.5, 0],
          [0.5, 1],
          [0, 1],
        ],
      ],
    });
    expect(JSON.stringify(added.rows())).not.toContain('main');
    expect(added.rows().map(({ camera, origin }) => [camera, origin])).toEqual([
      ['front', 'file'],
      ['gate', 'api'],
    ]);
    expect(JSON.parse(bucket.state.puts[0]!)).toEqual({
      ...{ schema: 'lookahead.camera.v1', origin: 'api', credential: null, transport: 'tcp' },
      ...{ url: 'rtsp://cam.example:8554/main', privacyMasks },
    });
    expect(lines).toEqual(['info gate: added, at cam.example:8554']);
  });

  it('writes its password into the store of credentials, for its host alone, and removes it with it', async () => {
    const { added, cameras, bucket, file, follow, lines } = engineOn();
    follow();
    const row = await added.add(request({ username: 'bob', password }));
    expect(await cameraAt(cameras.of('gate')!)).toMatchObject({ username: 'bob', password });
    const told = JSON.stringify([bucket.state.puts, lines, row, added.rows()]);
    expect(told).not.toContain('S3cr');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      gate: { username: 'bob', password, host: 'cam.example:8554', camera: 'gate' },
    });

    // Whoever may write into NATS must not be able to send the password elsewhere.
    const kept = JSON.parse(bucket.state.puts[0]!) as object;
    bucket.write('gate', bytes({ ...kept, url: 'rtsp://evil.example/main' }));
    await settle();
    await expect(cameraAt(cameras.of('gate')!)).rejects.toMatchObject({
      code: 'credential_unknown',
      message: expect.stringContaining('"gate"') as string,
    });
    await added.remove('gate');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({});
    expect(cameras.names).toEqual(['front']);
  });

  it('loses its password with it too where another has removed it, and not where it was added again meanwhile', async () => {
    const { added, bucket, file, follow } = engineOn();
    follow();
    await added.add(request({ username: 'bob', password }));
    bucket.write('gate', null);
    await expect.poll(() => readFileSync(file, 'utf8')).toBe('{}\n');
    await added.add(request({ username: 'bob', password }));
    await Promise.all([added.remove('gate'), added.add(request({ username: 'eve', password }))]);
    await settle();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ gate: { username: 'eve' } });
  });

  it('is removed though the file of credentials cannot be read, which is told; what failed before is what is answered', async () => {
    const { added, cameras, bucket, file, follow, lines } = engineOn();
    follow();
    await added.add(request({ username: 'bob', password }));
    writeFileSync(file, `{ "gate": ${password}`);
    await added.remove('gate');
    expect(cameras.names).toEqual(['front']);
    expect(await bucket.store.history('gate')).toEqual([]);
    expect(lines.at(-1)).toMatch(/^warn gate: a login .* is not deleted: .*Mend /);
    expect(lines.join()).not.toContain('S3cr');

    rmSync(file);
    bucket.store.put = () => {
      writeFileSync(file, 'rubbish');
      return Promise.reject(new LookaheadError('broker_unreachable', 'It is away.', 'Wait.'));
    };
    await expect(added.add(request({ password }))).rejects.toMatchObject({
      code: 'broker_unreachable',
    });
  });

  it.each<[string, Partial<CameraAdd>, string]>([
    ['a name that is taken', { camera: 'front' }, 'camera_exists'],
    ['a name that differs in case only', { camera: 'FRONT' }, 'camera_exists'],
    ['a reserved name', { camera: 'svc' }, 'request_invalid'],
    ['a name that every object has', { camera: 'constructor' }, 'request_invalid'],
    ['a user name in the address', { url: 'rtsp://S3cr@cam/' }, 'source_refused'],
    ['a login in the address', { url: `rtsp://bob:S3cr%40t@cam/` }, 'source_refused'],
    [
      'a password in the path',
      { url: 'rtsp://cam/user=a_password=S3cr_channel=1' },
      'source_refused',
    ],
    ['a file', { url: 'file:/etc/S3cr' }, 'source_refused'],
    ['another protocol', { url: 'http://cam/S3cr' }, 'source_refused'],
    ['no host', { url: 'rtsp:///S3cr' }, 'source_refused'],
  ])('refuses %s, and keeps nothing of it', async (_what, change, code) => {
    const { added, changes, bucket, file, follow } = engineOn();
    follow();
    for (const asked of [
      added.add(request({ password, ...change })),
      added.addWithCredential({ ...request(change), credential: null }),
    ]) {
      const error = await asked.catch((reason: unknown) => reason as LookaheadError);
      expect(error).toMatchObject({ code });
      const { message, remedy } = error as LookaheadError;
      if (!change.url?.startsWith('http') && change.url !== 'rtsp:///S3cr')
        expect(`${message} ${remedy}`).not.toContain('S3cr');
    }
    expect([changes, bucket.state.puts]).toEqual([[], []]);
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });

  it('refuses more than 64, those of the file counted', async () => {
    const many = Array.from({ length: 64 }, (_, at) => fixedOf(`c${String(at)}`));
    const { added, bucket, lines, cameras, follow } = engineOn(bucketOf(), many);
    follow();
    await expect(added.add(request())).rejects.toThrow('at most 64 cameras');
    bucket.write('gate', bytes({ ...validEntry }));
    await settle();
    expect(cameras.size).toBe(64);
    expect(lines).toEqual([expect.stringMatching(/^warn gate: .*at most 64/)]);
  });

  it('changes nothing where NATS is away, and can be tried again', async () => {
    const { added, changes, bucket, file, follow } = engineOn();
    await expect(added.add(request())).rejects.toMatchObject({ code: 'broker_unreachable' });
    follow();
    const put = bucket.store.put.bind(bucket.store);
    Object.assign(bucket.store, { put: () => Promise.reject(new Error('lost')) });
    await expect(added.add(request({ password }))).rejects.toThrow('lost');
    expect(JSON.parse(readFileSync(file, 'utf8')), 'no password is left').toEqual({});
    Object.assign(bucket.store, { put });
    bucket.state.isAway = true;
    await expect(added.add(request())).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(changes).toEqual([]);
    bucket.state.isAway = false;
    await added.add(request());
    bucket.state.isAway = true;
    await expect(added.remove('gate')).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(changes).toEqual(['added gate']);
  });

  it('is done one at a time: of two of one name the second is refused', async () => {
    const { added, changes, follow } = engineOn();
    follow();
    const both = await Promise.allSettled([added.add(request()), added.add(request())]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const flood = Array.from({ length: 40 }, () =>
      added.remove('nobody').catch((error: unknown) => error),
    );
    const codes = (await Promise.all(flood)).map((error) => (error as LookaheadError).code);
    expect(new Set(codes)).toEqual(new Set(['camera_unknown', 'queue_full']));
    expect(changes).toEqual(['added gate']);
  });
});

describe('masks and removal', () => {
  it('reopen that camera alone, and are kept', async () => {
    const { added, changes, cameras, bucket, follow } = engineOn();
    follow();
    await added.add(request());
    const { privacyMasks } = CameraAddSchema.parse({
      ...{ camera: 'gate', url: 'rtsp://x/' },
      privacyMasks: [
        {
          polygon: [
            [0, 0],
            [1, 0],
            [0, 1],
          ],
        },
      ],
    });
    await added.mask({ camera: 'gate', privacyMasks });
    await settle();
    expect(changes).toEqual(['added gate', 'reopened gate']);
    expect((await cameraAt(cameras.of('gate')!)).privacyMasks).toHaveLength(1);
    expect(JSON.parse(bucket.state.puts.at(-1)!)).toMatchObject({ privacyMasks });
  });

  it('are refused for cameras that were not added, with where to change them', async () => {
    const { added, changes, follow } = engineOn(bucketOf(), [
      fixedOf('front'),
      fixedOf('yard-1', 'yard'),
    ]);
    follow();
    for (const change of [
      (camera: string) => added.remove(camera),
      (camera: string) => added.mask({ camera, privacyMasks: [] }),
    ]) {
      await expect(change('front')).rejects.toMatchObject({
        ...{ code: 'camera_fixed', remedy: expect.stringContaining('cameras.front') as string },
      });
      await expect(change('yard-1')).rejects.toMatchObject({
        ...{ code: 'camera_fixed', remedy: expect.stringContaining('yardCameras') as string },
      });
      await expect(change('nobody')).rejects.toMatchObject({ code: 'camera_unknown' });
    }
    expect(changes).toEqual([]);
  });
});

const validEntry = {
  ...{ schema: 'lookahead.camera.v1', origin: 'api', credential: null, transport: 'tcp' },
  ...{ url: 'rtsp://cam/', privacyMasks: [] },
};

describe('what earlier runs and others have kept', () => {
  it('is watched when NATS is there; a bad entry is told and skipped, and can be removed', async () => {
    const bucket = bucketOf();
    bucket.write('gate', bytes(validEntry));
    bucket.write('svc', bytes(validEntry));
    for (const [name, change] of Object.entries({
      file: { url: 'file:/etc/passwd' },
      login: { url: `rtsp://bob:S3cr@cam/` },
      masks: { privacyMasks: [{ polygon: [[0, 0]] }] },
      origin: { origin: 'file' },
    }))
      bucket.write(name, bytes({ ...validEntry, ...change }));
    bucket.write('noise', new Uint8Array([255, 0]));
    const { added, changes, cameras, lines, follow } = engineOn(bucket);
    follow();
    await settle();
    expect(changes).toEqual(['added gate']);
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual(
      ['file', 'login', 'masks', 'noise', 'origin', 'svc'].map((name) => `warn ${name}:`),
    );
    expect(lines.join('\n')).not.toContain('S3cr');
    await added.remove('noise');
    expect(bucket.values.get('noise')?.data).toBeNull();
    expect(cameras.names).toEqual(['front', 'gate']);
  });

  it('gives way to a camera of the file, with a warning', async () => {
    const bucket = bucketOf();
    bucket.write('front', bytes(validEntry));
    bucket.write('Front', bytes(validEntry));
    const { changes, lines, follow } = engineOn(bucket);
    follow();
    await settle();
    expect(changes).toEqual([]);
    expect(lines).toEqual([
      expect.stringMatching(/^warn front: .*watched in its place/),
      expect.stringMatching(/^warn Front: .*watched in its place/),
    ]);
  });

  it('is followed: changed, removed, and told again at a new connection', async () => {
    const bucket = bucketOf();
    const { changes, follow } = engineOn(bucket);
    follow();
    bucket.write('gate', bytes(validEntry));
    await settle();
    bucket.write('gate', bytes({ ...validEntry, url: 'rtsp://cam/sub' }));
    await settle();
    follow(); // All values come once more.
    await settle();
    bucket.write('gate', null);
    await settle();
    expect(changes).toEqual(['added gate', 'reopened gate', 'removed gate']);
  });

  it('goes offline with the name of a credential that is missing', async () => {
    const bucket = bucketOf();
    bucket.write('gate', bytes({ ...validEntry, credential: 'door-cameras' }));
    const { cameras, file, follow } = engineOn(bucket);
    follow();
    await settle();
    await expect(cameraAt(cameras.of('gate')!)).rejects.toThrow(
      'gate: there is no credential "door-cameras".',
    );
    writeFileSync(file, JSON.stringify({ 'door-cameras': { password } }), { mode: 0o600 });
    expect(await cameraAt(cameras.of('gate')!)).toMatchObject({ password });
  });
});

describe('over NATS', () => {
  function served() {
    const engine = engineOn();
    engine.follow();
    const handlers = new Map<string, ServiceHandler>();
    const serve: Bus['serve'] = (name, _description, handler) => void handlers.set(name, handler);
    serveCameras({ site: 'home', serve }, engine.added);
    const ask = (name: string, asked: unknown): Promise<unknown> =>
      Promise.resolve(asked).then(handlers.get(name));
    return { ...engine, ask };
  }

  it('cameras are added with a credential, listed and removed', async () => {
    const { ask, file, cameras } = served();
    writeFileSync(file, JSON.stringify({ door: { username: 'eve', password } }), { mode: 0o600 });
    const asked = { camera: 'gate', url: 'rtsp://cam/main', credential: 'door' };
    expect(await ask('cameras.add', asked)).toMatchObject({
      ...{ schema: 'lookahead.camera.added.v1', site: 'home' },
      added: { camera: 'gate', origin: 'api', host: 'cam:554' },
    });
    expect(await cameraAt(cameras.of('gate')!)).toMatchObject({ username: 'eve', password });
    expect(JSON.stringify(await ask('cameras.list', {}))).not.toContain('S3cr');
    expect(await ask('cameras.remove', { camera: 'gate' })).toEqual({
      ...{ schema: 'lookahead.camera.removed.v1', site: 'home', camera: 'gate' },
    });
    expect(JSON.parse(readFileSync(file, 'utf8')), "a person's own stays").toHaveProperty('door');
    await expect(ask('cameras.add', { ...asked, credential: 'none' })).rejects.toMatchObject({
      code: 'credential_unknown',
    });
  });

  it('a password is refused, with where it belongs, and not repeated', async () => {
    const { ask, changes } = served();
    const asked = { camera: 'gate', url: 'rtsp://cam/', username: 'bob', password };
    const error = await ask('cameras.add', asked).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'request_invalid',
      message: 'The request has fields that are not known: "username", "password".',
      remedy: expect.stringContaining('credentialsFile') as string,
    });
    for (const wrong of [
      {},
      { camera: 'gate' },
      { camera: '*', url: 'rtsp://cam/' },
      { ...asked, url: 1 },
    ])
      await expect(ask('cameras.add', wrong)).rejects.toMatchObject({ code: 'request_invalid' });
    expect(changes).toEqual([]);
  });
});
