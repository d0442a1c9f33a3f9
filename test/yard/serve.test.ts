/** The camera process: what it serves, what it says when it cannot, and that it leaves nothing behind. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { demoScene } from '../../src/yard/demo-scenes.js';
import { openRecording, parseVideoTrack } from '../../src/yard/recording.js';
import { startCameras, type Cameras, type ServeSpec } from '../../src/yard/serve-client.js';
import { ffmpegPath, testStream, until, watch } from './rtsp-helpers.js';

let folder: string;
let recording: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lookahead-serve-'));
  recording = join(folder, 'gate.h264');
  writeFileSync(recording, testStream(2));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function start(cameras: ServeSpec['cameras'], port = 0): Promise<Cameras> {
  const started = await startCameras({ ffmpegPath: ffmpegPath(), port, cameras });
  onTestFinished(() => started.close());
  return started;
}

/** The process and all below it that still run, from /proc. */
function family(pid: number): number[] {
  const below = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(parent) === pid && state !== 'Z' ? [Number(name)] : [];
    } catch {
      return []; // It ended meanwhile.
    }
  });
  return [pid, ...below.flatMap(family)];
}

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function refusesConnections(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

describe('the camera process', () => {
  it('serves yard cameras and recordings, and ends with all its encoders', async () => {
    const cameras = await start([
      { name: 'yard', kind: 'yard', ...demoScene(0) },
      { name: 'yard2', kind: 'yard', ...demoScene(1) },
      { name: 'gate', kind: 'file', path: recording },
    ]);
    expect(Object.keys(cameras.urls)).toEqual(['yard', 'yard2', 'gate']);
    const { yard = '', yard2 = '', gate = '' } = cameras.urls;
    const [first, second, third] = await Promise.all([
      watch(yard, 'tcp', 40),
      watch(yard2, 'udp', 40),
      watch(gate, 'tcp', 40),
    ]);
    for (const watched of [first, second, third]) {
      expect(watched.size, watched.stderr).toBe('320x180');
      expect(watched.times).toHaveLength(40);
      const gaps = watched.times.slice(1).map((time, i) => time - (watched.times[i] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(0);
    }
    const all = family(cameras.pid);
    expect(all.length, 'itself and an encoder for each yard camera').toBe(3);
    await cameras.close();
    expect(await cameras.lost).toBe('it ended with 0');
    await until('all ended', () => !all.some(isRunning));
    expect(await refusesConnections(gate)).toBe(true);
  });

  it('replaces an encoder that died, and the reader sees pictures again', async () => {
    const cameras = await start([{ name: 'yard', kind: 'yard', ...demoScene(0) }]);
    const [, encoder = -1] = family(cameras.pid);
    process.kill(encoder, 'SIGKILL');
    await until('another encoder', () => {
      const [, next] = family(cameras.pid);
      return next !== undefined && next !== encoder;
    });
    expect((await watch(cameras.urls['yard'] ?? '', 'tcp', 20)).times).toHaveLength(20);
  });

  it('ends when its parent dies, by whatever signal', async () => {
    const client = new URL('../../dist/yard/serve-client.js', import.meta.url).href;
    const spec: ServeSpec = {
      ffmpegPath: ffmpegPath(),
      port: 0,
      cameras: [{ name: 'yard', kind: 'yard', ...demoScene(0) }],
    };
    const code = `
      const { startCameras } = await import(${JSON.stringify(client)});
      const { pid } = await startCameras(${JSON.stringify(spec)});
      console.log(pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      parent.kill('SIGKILL');
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const all = family(Number(line.toString()));
    expect(all).toHaveLength(2);
    parent.kill('SIGKILL');
    await until('all ended', () => !all.some(isRunning));
  });

  it('ends on SIGTERM with its encoders', async () => {
    const cameras = await start([{ name: 'yard', kind: 'yard', ...demoScene(0) }]);
    const all = family(cameras.pid);
    process.kill(cameras.pid, 'SIGTERM');
    expect(await cameras.lost).toBe('it ended with 0');
    await until('all ended', () => !all.some(isRunning));
  });

  it('names a recording that cannot be played, and what to do', async () => {
    const missing = join(folder, 'missing.mp4');
    await expect(start([{ name: 'a', kind: 'file', path: missing }])).rejects.toMatchObject({
      code: 'recording_unusable',
      message: `The recording ${missing} cannot be played: ${missing}: No such file or directory.`,
    });
    const text = join(folder, 'text.mp4');
    writeFileSync(text, 'this is no video');
    await expect(start([{ name: 'a', kind: 'file', path: text }])).rejects.toMatchObject({
      code: 'recording_unusable',
      remedy: 'Give a video file that ffmpeg can read.',
    });
  });

  it('opens an mp4, and refuses a script that names another file', async () => {
    const video = join(folder, 'gate.mp4');
    const made = spawnSync(ffmpegPath(), ['-v', 'error', '-i', recording, '-c', 'copy', video]);
    expect(made.status, made.stderr.toString()).toBe(0);
    const { annexB } = await openRecording(ffmpegPath(), video);
    expect(annexB.length).toBeGreaterThan(0);
    const script = join(folder, 'script.mp4');
    writeFileSync(script, `ffconcat version 1.0\nfile gate.mp4\n`);
    await expect(openRecording(ffmpegPath(), script)).rejects.toMatchObject({
      code: 'recording_unusable',
    });
  });

  it('names a missing ffmpeg, a taken port and a camera that is there twice', async () => {
    const file = { kind: 'file', path: recording } as const;
    const nowhere = { ffmpegPath: '/nowhere/ffmpeg', port: 0, cameras: [{ name: 'a', ...file }] };
    await expect(startCameras(nowhere)).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    const yard = { ...nowhere, cameras: [{ name: 'a', kind: 'yard', ...demoScene(0) } as const] };
    await expect(startCameras(yard)).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    const twice = [
      { name: 'a', ...file },
      { name: 'a', ...file },
    ];
    await expect(start(twice)).rejects.toMatchObject({ code: 'usage' });
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as { port: number };
    const taken = start([{ name: 'a', ...file }], port);
    await expect(taken).rejects.toMatchObject({
      code: 'port_taken',
      message: `The RTSP port ${port} is already in use.`,
    });
  });
});

describe("ffmpeg's listing of a file", () => {
  it.each([
    ['h264 (Main) (avc1 / 0x31637661), yuv420p, 768x432, 187 kb/s, 10 fps, 10 tbr', 'h264', 10],
    ['hevc (Main), yuv420p, 1920x1080, 29.97 fps, 29.97 tbr, 90k tbn', 'hevc', 29.97],
    ['mjpeg, yuvj420p(pc), 640x480, 1k tbr, 1k tbn', 'mjpeg', 25],
    ['vp9, yuv420p, 640x480, 24 tbr', 'vp9', 24],
  ])('tells codec and frame rate of %s', (track, codec, framesPerSecond) => {
    const listing = `Input #0, mov:\n  Stream #0:0[0x1](und): Audio: aac\n  Stream #0:1[0x2](und): Video: ${track}\n`;
    expect(parseVideoTrack(listing)).toEqual({ codec, framesPerSecond });
  });

  it('finds no video in sound alone or a cover picture', () => {
    expect(parseVideoTrack('  Stream #0:0: Audio: mp3, 44100 Hz')).toBeUndefined();
    const cover = '  Stream #0:1: Video: mjpeg, yuvj420p, 600x600, 90k tbr (attached pic)';
    expect(parseVideoTrack(cover)).toBeUndefined();
  });
});
