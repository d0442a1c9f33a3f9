/** A real ffmpeg on a real RTSP server, with the faults that cameras have. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Subscription, take } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LookaheadError } from '../../src/errors.js';
import { openCamera, type Camera, type IngestOptions } from '../../src/ingest/open-camera.js';
import { watchRtsp, type RtspLimits, type RtspOptions } from '../../src/ingest/rtsp.js';
import { parseSource, type RtspSource } from '../../src/ingest/source-url.js';
import type { Frame } from '../../src/types.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { all, children, ffmpegPath, temporaryFolder, testH264, until } from './support.js';

const folder = temporaryFolder();
const password = 'S3cr@t:/P#w?%';
let server: RtspServer;
let annexB: Buffer;

beforeAll(async () => {
  annexB = testH264('320x180', 10, 2);
  server = await RtspServer.listen();
  server.mountRecording('plain', { annexB, framesPerSecond: 10 });
  server.mountRecording('locked', {
    annexB,
    framesPerSecond: 10,
    credentials: { username: 'bob', password },
  });
});

afterAll(() => server.close());

/** Generous, since the machine may be busy; tests that wait for a watchdog set their own. */
const limits: RtspLimits = {
  firstFrameMaxMs: 60_000,
  silenceMaxMs: 60_000,
  socketTimeoutMs: 30_000,
  killAfterMs: 2000,
};

const options = (url: string, more: Partial<RtspOptions> = {}): RtspOptions => ({
  camera: 'gate',
  source: parseSource(url) as RtspSource,
  ffmpegPath,
  transport: 'tcp',
  widthPx: 160,
  heightPx: 96,
  privacyMasks: [],
  limits,
  listener: {},
  ...more,
});

const open = (camera: Partial<Camera>, more: Partial<IngestOptions> = {}) =>
  openCamera(
    { name: 'gate', url: server.url('plain'), ...camera },
    { ffmpegPath, widthPx: 160, heightPx: 96, framesPerSecond: 8, limits, ...more },
  );

/** What a subscription has brought so far. */
interface Watched {
  readonly frames: Frame[];
  error?: LookaheadError;
  isComplete: boolean;
}
const subscriptions: Subscription[] = [];
function watch(frame$: ReturnType<typeof watchRtsp>): Watched {
  const watched: Watched = { frames: [], isComplete: false };
  subscriptions.push(
    frame$.subscribe({
      next: (frame) => watched.frames.push(frame),
      error: (error: unknown) => (watched.error = error as LookaheadError),
      complete: () => (watched.isComplete = true),
    }),
  );
  return watched;
}

afterEach(async () => {
  for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
  await until(() => children('rtsp://').length === 0, 'no ffmpeg left behind');
});

describe('a camera', () => {
  it.each(['tcp', 'udp'] as const)('gives frames over %s', async (transport) => {
    const frames = await all(watchRtsp(options(server.url('plain'), { transport })).pipe(take(12)));
    expect(frames.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    for (const { camera, pixels, picture, capturedAtMs } of frames) {
      expect(camera).toBe('gate');
      expect(pixels.length).toBe(160 * 96 * 3);
      expect(picture).toEqual({ x: 0, y: 3, width: 160, height: 90 });
      expect(Math.abs(capturedAtMs - Date.now())).toBeLessThan(60_000);
    }
    const rows = Array.from({ length: 96 }, (_, row) =>
      Math.max(...(frames[0]?.pixels.subarray(row * 480, row * 480 + 480) ?? [])),
    );
    expect(rows.map((max) => max > 0).lastIndexOf(true)).toBe(92);
    expect(rows.findIndex((max) => max > 0)).toBe(3);
    expect(
      frames.some(
        ({ pixels }, n) => n > 0 && !pixels.every((v, at) => v === frames[0]?.pixels[at]),
      ),
    ).toBe(true);
  });

  it('gets exactly the golden arguments', async () => {
    const fake = join(folder, 'print-args');
    writeFileSync(
      fake,
      '#!/bin/sh\ncase "$1" in -version) echo "ffmpeg version 5.1";; -nostdin) printf "%s\\n" "$@" > "$0.txt";; esac\n',
    );
    chmodSync(fake, 0o755);
    const watched = watch(watchRtsp(options('rtsp://cam/live', { ffmpegPath: fake })));
    await until(() => watched.error !== undefined, 'its end');
    const golden = JSON.parse(
      readFileSync(new URL('../golden/ffmpeg-args.json', import.meta.url), 'utf8'),
    ) as Record<string, string[]>;
    const expected = golden['rtsp over tcp, ffmpeg 5.1']?.map((one) =>
      one === '5000000' ? '30000000' : one,
    );
    expect(readFileSync(`${fake}.txt`, 'utf8').trimEnd().split('\n')).toEqual(expected);
  });

  it('logs in with a password full of separators', async () => {
    const [frame] = await all(
      open({ url: server.url('locked'), username: 'bob', password }).pipe(take(1)),
    );
    expect(frame?.pixels.length).toBe(160 * 96 * 3);
  });

  it('counts its frames on over subscriptions', async () => {
    const frame$ = open({});
    const first = await all(frame$.pipe(take(3)));
    const second = await all(frame$.pipe(take(3)));
    expect([...first, ...second].map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('what goes wrong', () => {
  it('names a refused login, and shows no password', async () => {
    const warnings: string[] = [];
    const watched = watch(
      open(
        { url: server.url('locked'), username: 'bob', password: 'Wr0ng@/:%#?' },
        {
          listener: { onWarning: (line) => warnings.push(line) },
        },
      ),
    );
    await until(() => watched.error !== undefined, 'a refusal');
    expect(watched.error?.code).toBe('camera_refused');
    const told = JSON.stringify([
      watched.error,
      watched.error?.message,
      watched.error?.stack,
      warnings,
    ]);
    expect(told).toContain('401');
    expect(told).not.toMatch(/Wr0ng/);
    expect(told).not.toContain('bob');
  });

  it('names a stream that is not there', async () => {
    const watched = watch(open({ url: server.url('nothing') }));
    await until(() => watched.error !== undefined, 'not found');
    expect(watched.error?.code).toBe('camera_not_found');
  });

  it('names a camera that nobody answers for', async () => {
    const gone = await RtspServer.listen();
    const url = gone.url('plain');
    await gone.close();
    const watched = watch(open({ url }));
    await until(() => watched.error !== undefined, 'unreachable');
    expect(watched.error?.code).toBe('camera_unreachable');
  });

  it('names a missing ffmpeg', async () => {
    const watched = watch(open({}, { ffmpegPath: join(folder, 'no-ffmpeg') }));
    await until(() => watched.error !== undefined, 'missing');
    expect(watched.error?.code).toBe('ffmpeg_missing');
  });

  it('takes the end of the stream for a failure', async () => {
    const own = await RtspServer.listen();
    const mount = own.mountRecording('plain', { annexB, framesPerSecond: 10 });
    const watched = watch(open({ url: own.url('plain') }));
    await until(() => watched.frames.length > 2, 'frames');
    mount.disconnectReaders();
    await until(() => watched.error !== undefined, 'an error');
    expect(['camera_ended', 'camera_unreachable']).toContain(watched.error?.code);
    expect(watched.isComplete).toBe(false);
    await own.close();
  });

  it('comes back when the server does, with frames that count on', async () => {
    let own = await RtspServer.listen();
    const { port } = own;
    own.mountRecording('plain', { annexB, framesPerSecond: 10 });
    const frame$ = open({ url: own.url('plain') });
    const before = watch(frame$);
    await until(() => before.frames.length > 2, 'frames');
    await own.close();
    await until(() => before.error !== undefined, 'the loss');
    own = await RtspServer.listen({ port });
    own.mountRecording('plain', { annexB, framesPerSecond: 10 });
    const after = watch(frame$);
    await until(() => after.frames.length > 2, 'frames again');
    expect(after.frames[0]?.sequence).toBe(before.frames.length);
    await own.close();
  });

  it.each(['tcp', 'udp'] as const)(
    'notices a stall over %s by its own watchdog, and kills ffmpeg',
    async (transport) => {
      const own = await RtspServer.listen();
      const mount = own.mountRecording('plain', { annexB, framesPerSecond: 10 });
      const watched = watch(
        open({ url: own.url('plain'), transport }, { limits: { ...limits, silenceMaxMs: 1500 } }),
      );
      await until(() => watched.frames.length > 2, 'frames');
      mount.stall(Infinity);
      await until(() => watched.error !== undefined, 'silence');
      expect(watched.error).toMatchObject({ code: 'camera_silent' });
      await until(() => children(own.url('plain')).length === 0, 'ffmpeg to be gone');
      await own.close();
    },
  );

  it('notices a camera that never sends a picture', async () => {
    const own = await RtspServer.listen();
    own.mountRecording('plain', { annexB, framesPerSecond: 10 }).stall(Infinity);
    const watched = watch(
      open({ url: own.url('plain') }, { limits: { ...limits, firstFrameMaxMs: 1500 } }),
    );
    await until(() => watched.error !== undefined, 'silence');
    expect(watched.error).toMatchObject({ code: 'camera_silent' });
    await own.close();
  });

  it('counts damage by lost packets', async () => {
    const own = await RtspServer.listen();
    const mount = own.mountRecording('plain', {
      annexB: testH264('640x360', 10, 2),
      framesPerSecond: 10,
    });
    let damage = 0;
    const watched = watch(
      open(
        { url: own.url('plain'), transport: 'udp' },
        { listener: { onDecodeErrors: (count) => (damage += count) } },
      ),
    );
    await until(() => watched.frames.length > 2, 'frames');
    expect(damage).toBe(0);
    mount.lossShare(0.2);
    await until(() => damage > 0, 'damage');
    await own.close();
  });

  it('names an ffmpeg that was killed', async () => {
    const watched = watch(open({}));
    await until(() => watched.frames.length > 2, 'frames');
    for (const pid of children('rtsp://')) process.kill(pid, 'SIGKILL');
    await until(() => watched.error !== undefined, 'the loss');
    expect(watched.error).toMatchObject({ code: 'ffmpeg_failed' });
    expect(watched.error?.message).toContain('SIGKILL');
  });
});

describe('unsubscribing', () => {
  it('leaves no child', async () => {
    const watched = watch(open({}));
    await until(() => watched.frames.length > 2, 'frames');
    expect(children('rtsp://').length).toBe(1);
    subscriptions[0]?.unsubscribe();
    await until(() => children('rtsp://').length === 0, 'no child');
    const { length } = watched.frames;
    expect([watched.error, watched.isComplete, watched.frames.length]).toEqual([
      undefined,
      false,
      length,
    ]);
  });

  it('at once, before ffmpeg runs, leaves no child', async () => {
    for (let n = 0; n < 5; n++) {
      const subscription = open({}).subscribe();
      if (n > 0) await new Promise((resolve) => setTimeout(resolve, n * 5));
      subscription.unsubscribe();
    }
    await until(() => children('rtsp://').length === 0, 'no child');
  });

  it('kills an ffmpeg that does not listen to SIGTERM', async () => {
    const watched = watch(open({}, { limits: { ...limits, killAfterMs: 100 } }));
    await until(() => watched.frames.length > 2, 'frames');
    for (const pid of children('rtsp://')) process.kill(pid, 'SIGSTOP');
    subscriptions[0]?.unsubscribe();
    await until(() => children('rtsp://').length === 0, 'no child');
  });
});
