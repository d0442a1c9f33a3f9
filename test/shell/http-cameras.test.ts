import { describe, expect, it } from 'vitest';
import { LookaheadError, type ErrorCode } from '../../src/errors.js';
import type { CameraPort } from '../../src/http/ports.js';
import { HttpErrorSchema } from '../../src/http/contract.js';
import { ask, httpForTest } from './http-support.js';

const url = 'rtsp://10.0.0.8/stream';

/** Remembers what it was asked for. */
function port(more: Partial<CameraPort> = {}): { cameras: CameraPort; calls: unknown[] } {
  const calls: unknown[] = [];
  const row = { camera: 'gate', state: 'connecting', since: '', why: '' } as const;
  const still = 'data:image/png;base64,';
  const tested = { widthPx: 2, heightPx: 1, firstPictureMs: 3, still };
  const keep =
    <T>(name: string, value: T) =>
    (request: unknown): Promise<T> => {
      calls.push([name, request]);
      return Promise.resolve(value);
    };
  const cameras: CameraPort = {
    test: keep('test', { schema: 'lookahead.camera.tested.v1', ...tested }),
    add: keep('add', row),
    remove: keep('remove', undefined),
    mask: keep('mask', undefined),
    ...more,
  };
  return { cameras, calls };
}

describe('cameras on request', () => {
  it('are tested, added, masked and removed', async () => {
    const { cameras, calls } = port();
    const server = await httpForTest({ cameras });
    const call = async (method: string, path: string, json: unknown): Promise<unknown[]> => {
      const { status, body } = await ask(server, path, { method, json });
      return body === '' ? [status] : [status, JSON.parse(body) as unknown];
    };
    const address = { url, username: null, password: null, transport: 'tcp' };
    expect(await call('POST', '/api/cameras/test', { url })).toEqual([
      200,
      expect.objectContaining({ widthPx: 2 }),
    ]);
    expect(await call('POST', '/api/cameras', { camera: 'gate', url })).toEqual([
      201,
      expect.objectContaining({ camera: 'gate' }),
    ]);
    const masks = { camera: 'gate', privacyMasks: [] };
    expect(await call('PUT', '/api/cameras/masks', masks)).toEqual([204]);
    expect(await call('DELETE', '/api/cameras', { camera: 'gate' })).toEqual([204]);
    expect(calls).toEqual([
      ['test', address],
      ['add', { camera: 'gate', ...address, privacyMasks: [] }],
      ['mask', masks],
      ['remove', 'gate'],
    ]);
    expect((await call('PUT', '/api/cameras', {}))[0]).toBe(405);
    expect((await ask(server, '/api/cameras')).headers['allow']).toBe('POST, DELETE');
  });

  it.each<[ErrorCode, number]>([
    ['camera_unknown', 404],
    ['camera_exists', 409],
    ['camera_fixed', 409],
    ['source_refused', 400],
    ['camera_refused', 502],
    ['camera_unreachable', 502],
    ['publish_failed', 503],
    ['harvest_unusable', 500],
  ])('%s gets %i, with what to do', async (code, expected) => {
    const error = new LookaheadError(code, 'What is wrong.', 'What to do.');
    const server = await httpForTest(port({ add: () => Promise.reject(error) }));
    const { status, body } = await ask(server, '/api/cameras', { json: { camera: 'gate', url } });
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toEqual({ code, message: 'What is wrong.', remedy: 'What to do.' });
  });

  it('never say the password again', async () => {
    const password = 'p@ss wörd';
    const said = `rtsp://admin:${encodeURIComponent(password)}@10.0.0.8 and ${password}`;
    const error = new LookaheadError('camera_refused', said, said);
    const { cameras, calls } = port({
      test: () => Promise.reject(error),
      add: () => Promise.reject(new Error(said)),
    });
    const server = await httpForTest({ cameras });
    const bodies: string[] = [];
    const call = async (path: string, json: unknown): Promise<void> => {
      const { status, body } = await ask(server, path, { json });
      expect(status).toBeGreaterThanOrEqual(400);
      HttpErrorSchema.parse(JSON.parse(body));
      bodies.push(body);
    };
    await call('/api/cameras/test', { url, password });
    await call('/api/cameras', { camera: 'gate', url, password });
    // What is wrong with the request is named without it, too.
    await call('/api/cameras', { camera: 'a b', url, password });
    await call('/api/cameras', { camera: 'gate', url, password: [password] });
    await call('/api/cameras', { camera: 'gate', url, password: { [password]: password } });
    await call('/api/cameras', { camera: 'gate', url, password: `${password}\n` });
    await call('/api/cameras', { camera: 'gate', url: `${said}\n`, username: `${password}\n` });
    await call('/api/cameras/test', password);
    expect(calls).toEqual([]);
    for (const body of bodies) expect(body).not.toMatch(/p@ss|p%40ss|wörd|w%C3%B6rd/);
  });

  it('are tested two at a time', async () => {
    const waiting: (() => void)[] = [];
    const { cameras } = port();
    const test: CameraPort['test'] = async (request) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return cameras.test(request);
    };
    const server = await httpForTest({ cameras: { ...cameras, test } });
    const start = () => ask(server, '/api/cameras/test', { json: { url } });
    const first = [start(), start()];
    await expect.poll(() => waiting.length).toBe(2);
    const third = await start();
    expect([third.status, third.headers['retry-after']]).toEqual([429, '5']);
    expect(JSON.parse(third.body)).toMatchObject({ code: 'queue_full' });
    for (const go of waiting.splice(0)) go();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    const fourth = start();
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]!();
    expect((await fourth).status).toBe(200);
  });
});

describe('bodies', () => {
  const send = async (
    body: string | Buffer,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<unknown[]> => {
    const { cameras, calls } = port();
    const server = await httpForTest({ cameras });
    const reply = await ask(server, '/api/cameras', { body, headers });
    expect(calls).toEqual([]);
    const error = HttpErrorSchema.parse(JSON.parse(reply.body));
    return [reply.status, error.message];
  };

  it.each<[string, string | Buffer, number, RegExp]>([
    ['nothing', '', 400, /not JSON/],
    ['no JSON', '{', 400, /not JSON/],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, /not JSON in UTF-8/],
    ['deep nesting', '['.repeat(30_000), 400, /not JSON/],
    ['deep nesting that ends', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400, /object/],
    ['null', 'null', 400, /object/],
    ['a number beyond all', '1e999', 400, /object/],
    ['a name that is no token', '{"camera":"a.b","url":"rtsp://h/s"}', 400, /camera: "a\.b": /],
    ['a reserved key', '{"camera":"a","url":"rtsp://h/s","__proto__":{}}', 400, /__proto__/],
    ['an unknown key', '{"camera":"a","url":"rtsp://h/s","admin":true}', 400, /admin/],
    ['a missing key', '{"camera":"a"}', 400, /url/],
    ['a line break', '{"camera":"a","url":"rtsp://h/s\\r\\nX: y"}', 400, /url: .*one line/],
    [
      'a mask outside the picture',
      '{"camera":"a","url":"rtsp://h/s","privacyMasks":[{"rectangle":{"x":2,"y":0,"width":1,"height":1}}]}',
      400,
      /privacyMasks\.0\.rectangle\.x: 2: 2 is no share/,
    ],
    ['more than 64 KiB', `"${'a'.repeat(64 * 1024)}"`, 413, /65536/],
  ])('with %s are refused', async (_what, body, status, message) => {
    expect(await send(body)).toEqual([status, expect.stringMatching(message)]);
  });

  it('of unknown length are cut at 64 KiB', async () => {
    const body = `"${'a'.repeat(65 * 1024)}"`;
    const { cameras } = port();
    const server = await httpForTest({ cameras });
    const { port: at } = new URL(server.url);
    const reply = await fetch(`http://127.0.0.1:${at}/api/cameras`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    });
    expect(reply.status).toBe(413);
  });

  it.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    {},
  ])('of another type are refused: %j', async (headers) => {
    expect(await send('{}', headers)).toEqual([415, expect.stringContaining('application/json')]);
  });
});
