/** Cameras that come and go in a whole engine: real models, a real NATS server, a real RTSP server that wants a login. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startApp, type App } from '../../src/app.js';
import { ConfigSchema } from '../../src/config.js';
import { createConsole } from '../../src/console.js';
import {
  CameraAddSchema,
  CameraTestedSchema,
  paths,
  type CameraAdd,
  type CameraMasks,
} from '../../src/http/contract.js';
import type { CameraList } from '../../src/sinks/services.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { children, ffmpegPath, testH264, until } from '../ingest/support.js';
import { yardDir } from '../models/yard-bundle.js';
import { natsServerPath } from '../support/nats-server.js';

const password = 'S3cr@t:/P#w?%';
/** What of it could stand anywhere, as it is or encoded. */
const traces = /S3cr|P#w|P%23w/;
let server: RtspServer;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lookahead-cameras-'));
  server = await RtspServer.listen();
  const recording = { annexB: testH264('320x180', 10, 4), framesPerSecond: 10 };
  server.mountRecording('front', recording);
  server.mountRecording('gate', { ...recording, credentials: { username: 'bob', password } });
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Running {
  readonly app: App;
  /** As the dashboard asks, over HTTP. */
  readonly port: ReturnType<typeof overHttp>;
  /** Standard output and error. */
  readonly said: () => string;
  readonly metrics: () => Promise<string>;
  readonly rows: () => Promise<CameraList['cameras']>;
  readonly request: (service: string, asked: object) => Promise<Record<string, unknown>>;
  /** Everything that NATS was told, one line for each message: subject and data. */
  readonly heard: string[];
}

/** Rejects with the body of a refusal. */
function overHttp(pageUrl: string) {
  const call = async (method: string, path: string, body: object): Promise<unknown> => {
    const response = await fetch(new URL(path, pageUrl), {
      method,
      headers: { 'content-type': 'application/json', origin: new URL(pageUrl).origin },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const value = (text === '' ? undefined : JSON.parse(text)) as unknown;

    if (!response.ok) throw value;
    return value;
  };
  return {
    test: async ({ camera: _camera, privacyMasks: _masks, ...address }: CameraAdd) =>
      CameraTestedSchema.parse(await call('POST', paths.cameraTest, address)),
    add: (request: CameraAdd) => call('POST', paths.cameras, request),
    remove: (camera: string) => call('DELETE', paths.cameras, { camera }),
    mask: (request: CameraMasks) => call('PUT', paths.cameraMasks, request),
    png: async (camera: string): Promise<{ png: Buffer; atMs: number } | undefined> => {
      const response = await fetch(new URL(`${paths.still}?camera=${camera}`, pageUrl));
      if (response.status !== 200) return undefined;
      return {
        png: Buffer.from(await response.arrayBuffer()),
        atMs: Date.parse(response.headers.get('x-lookahead-at') ?? ''),
      };
    },
  };
}

async function engine(name: string, more: object = {}): Promise<Running> {
  const config = ConfigSchema.parse({
    cameras: { front: { url: server.url('front') } },
    credentialsFile: join(dir, `${name}.json`),
    nats: { port: 0, storeDir: join(dir, name) },
    http: { port: 0 },
    log: { level: 'debug' },
    ...more,
  });
  let text = '';
  const out = { write: (line: string) => (text += line), on: () => undefined };
  const failures: unknown[] = [];
  const app = await startApp({
    config,
    tools: { ffmpegPath, natsServerPath: natsServerPath() },
    console: createConsole({ out, err: out, env: {}, level: 'debug', cameras: ['front'] }),
    onFatal: (error) => failures.push(error),
    signal: new AbortController().signal,
  });
  const nc = await connect({ servers: app.natsUrl });
  const heard: string[] = [];
  nc.subscribe('>', {
    callback: (_error, { subject, data }) =>
      heard.push(`${subject} ${new TextDecoder().decode(data)}`),
  });
  const request: Running['request'] = async (service, asked) => {
    const subject = `lookahead.v1.home.svc.${service}`;
    return (await nc.request(subject, JSON.stringify(asked), { timeout: 60_000 })).json();
  };
  onTestFinished(async () => {
    await nc.close();
    await app.close();
    expect(failures).toEqual([]);
  });
  return {
    ...{ app, port: overHttp(app.pageUrl), heard, request, said: () => text },
    metrics: async () => (await fetch(new URL('/metrics', app.pageUrl))).text(),
    rows: async () => ((await request('cameras.list', {})) as unknown as CameraList).cameras,
  };
}

const gate = () =>
  CameraAddSchema.parse({ camera: 'gate', url: server.url('gate'), username: 'bob', password });
const stateOf = async ({ rows }: Running, camera: string): Promise<string | undefined> =>
  (await rows()).find((row) => row.camera === camera)?.state;
const wait = (what: string, isSo: () => unknown): Promise<void> =>
  expect
    .poll(async () => Boolean(await isSo()), { timeout: 60_000, interval: 100, message: what })
    .toBe(true);
const countOf = ({ heard }: Running, subject: string): number =>
  heard.filter((line) => line.startsWith(`lookahead.v1.home.${subject} `)).length;

/** Brightness, 0 to 255, of the pixel at these shares of the picture. */
async function brightness(png: Buffer, x: number, y: number): Promise<number> {
  const image = await loadImage(png);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const [red = 0, green = 0, blue = 0] = context.getImageData(
    ...([Math.floor(x * image.width), Math.floor(y * image.height), 1, 1] as const),
  ).data;
  return Math.max(red, green, blue);
}

describe('a running engine', () => {
  it('tries, adds, masks and removes a camera with a login; the next run watches it again', async () => {
    const first = await engine('come-and-go');
    const { app, port } = first;
    await wait('the camera of the file', async () => (await stateOf(first, 'front')) === 'online');

    const tried = await port.test(gate());
    expect(tried).toMatchObject({ widthPx: 320, heightPx: 180 });
    expect(await loadImage(tried.still)).toMatchObject({ width: 160, height: 90 });
    await until(() => server.readers('gate') === 0, 'the end of its ffmpeg');
    await expect(port.test({ ...gate(), password: `${password}!` })).rejects.toMatchObject({
      code: 'camera_refused',
      message: expect.not.stringMatching(traces) as string,
    });
    expect((await first.rows()).map(({ camera }) => camera)).toEqual(['front']);

    await port.add(gate());
    await wait('online', async () => (await stateOf(first, 'gate')) === 'online');
    await wait(
      'scenes and forecasts',
      () => countOf(first, 'gate.scene') * countOf(first, 'gate.forecast'),
    );
    await expect(port.add(gate())).rejects.toMatchObject({ code: 'camera_exists' });
    await expect(port.remove('front')).rejects.toMatchObject({ code: 'camera_fixed' });
    const still = await port.png('gate');
    expect(Math.abs(Date.now() - still!.atMs)).toBeLessThan(60_000);
    expect(await brightness(still!.png, 0.25, 0.25), 'there is something to hide').toBeGreaterThan(
      60,
    );

    const { privacyMasks } = CameraAddSchema.parse({
      ...gate(),
      privacyMasks: [{ rectangle: { x: 0, y: 0, width: 0.5, height: 0.5 } }],
    });
    const connects = async (): Promise<string | undefined> =>
      /connects_total\{camera="front"\} (\d+)/.exec(await first.metrics())?.[1];
    const connected = await connects();
    await port.mask({ camera: 'gate', privacyMasks });
    expect(await port.png('gate'), 'what was seen before is gone').toBeUndefined();
    await wait('a still with the mask', () => port.png('gate'));
    const masked = (await port.png('gate'))!.png;
    expect(await brightness(masked, 0.25, 0.25)).toBeLessThan(30);
    expect(await brightness(masked, 0.75, 0.25)).toBeGreaterThan(60);
    await wait('online again', async () => (await stateOf(first, 'gate')) === 'online');
    await until(() => server.readers('gate') === 1, 'one connection');
    expect(await connects(), 'the other camera was left alone').toBe(connected);

    expect(readFileSync(join(dir, 'come-and-go.json'), 'utf8')).toContain('S3cr');
    const nc = await connect({ servers: app.natsUrl });
    const bucket = await nc.jetstream().views.kv('LOOKAHEAD_home_cameras');
    const kept = (await bucket.get('gate'))!.string();
    await nc.close();
    expect(JSON.parse(kept)).toMatchObject({ credential: 'gate', privacyMasks });
    await app.close();
    await until(() => server.readers('gate') === 0, 'the end of its ffmpeg');

    const second = await engine('come-and-go');
    await wait(
      'online after the restart',
      async () => (await stateOf(second, 'gate')) === 'online',
    );
    await wait('scenes after the restart', () => countOf(second, 'gate.scene'));
    const again = (await second.rows()).find(({ camera }) => camera === 'gate');
    expect(again).toMatchObject({ origin: 'api', privacyMasks: [expect.any(Array)] });
    expect(await brightness((await second.port.png('gate'))!.png, 0.25, 0.25)).toBeLessThan(30);
    await wait('its gauges', async () => (await second.metrics()).includes('camera="gate"'));

    await second.request('cameras.remove', { camera: 'gate' });
    await until(() => server.readers('gate') === 0, 'the end of its ffmpeg');
    await wait('its last word', () =>
      second.heard.some((line) => /home\.gate\.state .*"offline".*"removed"/.test(line)),
    );
    const told = (): number => second.heard.filter((line) => line.includes('.home.gate.')).length;
    const oneMore = async (): Promise<void> => {
      const count = countOf(second, 'front.scene');
      await wait('the other camera goes on', () => countOf(second, 'front.scene') > count);
    };
    await oneMore(); // What was on its way is there.
    const before = told();
    for (let count = 0; count < 3; count++) await oneMore();
    expect(told(), 'nothing more').toBe(before);
    expect(await second.metrics()).not.toContain('camera="gate"');
    expect(await second.port.png('gate')).toBeUndefined();
    expect(second.heard.findLast((line) => line.includes('home.heartbeat'))).not.toContain('gate');
    expect(readFileSync(join(dir, 'come-and-go.json'), 'utf8')).not.toContain('S3cr');

    for (const { heard, said } of [first, second]) {
      expect(heard.length).toBeGreaterThan(20);
      expect(heard.filter((line) => traces.test(line))).toEqual([]);
      expect(said()).not.toMatch(traces);
    }
    expect(kept).not.toMatch(traces);
  }, 240_000);

  it('has a camera offline whose credential is missing, and says which', async () => {
    const run = await engine('credential');
    const nc = await connect({ servers: run.app.natsUrl });
    const bucket = await nc.jetstream().views.kv('LOOKAHEAD_home_cameras', { history: 1 });
    const kept = {
      schema: 'lookahead.camera.v1',
      origin: 'api',
      transport: 'tcp',
      privacyMasks: [],
    };
    await bucket.put(
      'gate',
      JSON.stringify({ ...kept, url: server.url('gate'), credential: 'door' }),
    );
    await nc.close();
    const row = async () => (await run.rows()).find(({ camera }) => camera === 'gate');
    await wait('offline', async () => (await row())?.state === 'offline');
    expect((await row())?.why).toBe('gate: there is no credential "door".');
  }, 120_000);

  it('watches a camera that comes during a switch of the bundle once, by the new one', async () => {
    const newer = join(dir, 'newer');
    cpSync(yardDir, newer, { recursive: true, filter: (path) => !path.includes('golden') });
    const manifest = join(newer, 'manifest.json');
    const content = JSON.parse(readFileSync(manifest, 'utf8')) as object;
    writeFileSync(manifest, JSON.stringify({ ...content, version: '9.9.9' }));
    const run = await engine('switch', { models: { switchable: [newer] } });
    const switching = run.request('bundle.use', {
      ...{ schema: 'lookahead.bundle.use.v1', bundle: newer },
    });
    await run.port.add(gate());
    expect(await switching).toMatchObject({ current: { version: '9.9.9' } });
    const isOfNewer = (line: string): boolean =>
      line.startsWith('lookahead.v1.home.gate.forecast') && line.includes('9.9.9');
    await wait('a forecast by the new bundle', () => run.heard.some(isOfNewer));
    await until(() => server.readers('gate') === 1, 'one connection');
    const ids = run.heard.filter((line) => /home\.gate\.forecast .*"rev":0/.test(line));
    const sequences = ids.filter(isOfNewer).map((line) => /"id":"([^"]+)"/.exec(line)?.[1]);
    expect(new Set(sequences).size, 'no forecast twice').toBe(sequences.length);
  }, 120_000);
});

it('leaves no ffmpeg behind', () => until(() => children('ffmpeg').length === 0, 'their end'));
