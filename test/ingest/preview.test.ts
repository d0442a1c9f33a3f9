/** The live picture: a real viewer on the real thing. */
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Camera } from '../../src/ingest/open-camera.js';
import { Previews, type PreviewsOptions } from '../../src/ingest/preview.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { children, childrenOf, ffmpegPath, testH264, until } from './support.js';

const password = 'S3cr@t:/P#w?%';
let server: RtspServer;
let annexB: Buffer;
const opened: Previews[] = [];

beforeAll(async () => {
  annexB = testH264('320x180', 10, 2);
  server = await RtspServer.listen();
  server.mountRecording('gate', { annexB, framesPerSecond: 10 });
  server.mountRecording('locked', {
    annexB,
    framesPerSecond: 10,
    credentials: { username: 'bob', password },
  });
});
afterAll(() => server.close());
afterEach(async () => {
  await Promise.all(opened.splice(0).map((previews) => previews.close()));
  expect(children('preview-process')).toEqual([]);
});

const previewsOf = (cameras: readonly Camera[], more: Partial<PreviewsOptions> = {}): Previews => {
  const previews = new Previews({
    ffmpegPath,
    cameraOf: (name) => Promise.resolve(cameras.find((camera) => camera.name === name)),
    silenceMaxMs: 60_000,
    ...more,
  });
  opened.push(previews);
  return previews;
};
const gate = (): Camera => ({ name: 'gate', url: server.url('gate') });

/** The first bytes that a viewer gets, without the size that comes before the stream. */
async function picture(url: string): Promise<Buffer> {
  const viewer = new WebSocket(url);
  try {
    for (;;) {
      const [data] = (await once(viewer, 'message')) as [Buffer];
      if (data.subarray(0, 4).toString() !== 'jsmp') return data;
    }
  } finally {
    viewer.terminate();
  }
}

describe('the live picture', () => {
  it('is MPEG-TS over a WebSocket, one process for all viewers, gone soon after the last', async () => {
    const previews = previewsOf([gate()], { lingerMs: 300 });
    const [one, two] = await Promise.all([previews.open('gate'), previews.open('gate')]);
    expect(one.url).toBe(two.url);
    expect(children('preview-process').length).toBe(1);
    expect((await picture(one.url))[0]).toBe(0x47);
    one.release();
    one.release();
    await delay(600);
    expect((await picture(two.url))[0]).toBe(0x47);
    two.release();
    await until(() => children('preview-process').length === 0, 'the end of the process');
    await until(() => server.readers('gate') === 0, 'the end of its ffmpeg');
  });

  it('lingers for a viewer who comes back', async () => {
    const previews = previewsOf([gate()], { lingerMs: 60_000 });
    const first = await previews.open('gate');
    const [pid] = children('preview-process');
    first.release();
    await previews.open('gate');
    expect(children('preview-process')).toEqual([pid]);
  });

  it('ends at once where its camera is to be seen otherwise, and begins anew for the next viewer', async () => {
    const previews = previewsOf([gate()], { lingerMs: 60_000 });
    const before = await previews.open('gate');
    const viewer = new WebSocket(before.url);
    await once(viewer, 'open');
    previews.end('gate');
    const [after] = await Promise.all([previews.open('gate'), once(viewer, 'close')]);
    expect(after.url).not.toBe(before.url);
    before.release();
    expect((await picture(after.url))[0]).toBe(0x47);
    previews.end('nobody');
  });

  it('can be reached from loopback only, and only by those who were told the path', async () => {
    const { url } = await previewsOf([gate()]).open('gate');
    const { port } = new URL(url);
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    for (const other of [
      `ws://127.0.0.1:${port}/`,
      `ws://127.0.0.1:${port}`,
      ...(outside === undefined ? [] : [url.replace('127.0.0.1', outside)]),
    ]) {
      await expect(picture(other)).rejects.toThrow();
    }
  });

  it('logs in, and neither process list nor warnings of the engine show the password beyond ffmpeg', async () => {
    const warnings: string[] = [];
    const previews = previewsOf(
      [{ name: 'locked', url: server.url('locked'), username: 'bob', password }],
      { onWarning: (_camera, line) => warnings.push(line) },
    );
    const { url } = await previews.open('locked');
    expect((await picture(url))[0]).toBe(0x47);
    expect(children('S3cr')).toEqual([]);
    expect(warnings.join('\n')).not.toContain('S3cr');
  });

  it.each([
    ['camera_not_found', 'nobody'],
    ['camera_not_found', 'wrong-path'],
    ['camera_refused', 'wrong-password'],
    ['camera_unreachable', 'off'],
  ])('is refused with %s for the camera %s', async (code, name) => {
    const gone = await RtspServer.listen();
    const off = gone.url('off');
    await gone.close();
    const previews = previewsOf([
      { name: 'wrong-path', url: server.url('nothing') },
      { name: 'wrong-password', url: server.url('locked'), username: 'bob', password: 'Wr0ng@/' },
      { name: 'off', url: off },
    ]);
    const error = await previews.open(name).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).not.toContain('Wr0ng');
  });

  it('without ffmpeg is an error of its own, not the end of the engine', async () => {
    const error: unknown = await previewsOf([gate()], { ffmpegPath: '/nowhere/ffmpeg' })
      .open('gate')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ffmpeg_failed' });
  });

  it('ends for its viewers when the camera is lost, and can be opened again', async () => {
    const own = await RtspServer.listen();
    const mount = own.mountRecording('gate', { annexB, framesPerSecond: 10 });
    const previews = previewsOf([{ name: 'gate', url: own.url('gate') }]);
    const { url } = await previews.open('gate');
    const viewer = new WebSocket(url);
    await once(viewer, 'message');
    mount.disconnectReaders();
    await once(viewer, 'close');
    await until(() => children('preview-process').length === 0, 'the end of the process');
    // The engine learns of the end a moment after the process has gone; who comes in between tries again.
    const view = async (): Promise<Buffer> => picture((await previews.open('gate')).url);
    expect((await view().catch(() => delay(500).then(view)))[0]).toBe(0x47);
    await own.close();
  });

  it('notices a camera that falls silent', async () => {
    const own = await RtspServer.listen();
    const mount = own.mountRecording('gate', { annexB, framesPerSecond: 10 });
    // Long enough for the first picture on a busy machine, too.
    const previews = previewsOf([{ name: 'gate', url: own.url('gate') }], { silenceMaxMs: 12_000 });
    const { url } = await previews.open('gate');
    const viewer = new WebSocket(url);
    await once(viewer, 'message');
    mount.stall(Infinity);
    await once(viewer, 'close');
    await own.close();
  });

  it('leaves no ffmpeg behind when its process is killed', async () => {
    const own = await RtspServer.listen();
    const mount = own.mountRecording('gate', { annexB, framesPerSecond: 10 });
    const previews = previewsOf([{ name: 'gate', url: own.url('gate') }]);
    const { url } = await previews.open('gate');
    const viewer = new WebSocket(url);
    let lastMs = performance.now();
    viewer.on('message', () => (lastMs = performance.now()));
    const [pid = 0] = children('preview-process');
    const [ffmpegPid = 0] = childrenOf(pid);
    // A camera that sends nothing: ffmpeg has nothing to write, so a broken pipe does not end it.
    mount.stall(Infinity);
    await until(() => performance.now() - lastMs > 2000, 'the last data');
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(ffmpegPid), 'ffmpeg to be gone');
    await own.close();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
