import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  argv,
  fileArgs,
  letterbox,
  previewOutput,
  rtspArgs,
} from '../../src/ingest/ffmpeg-args.js';
import { readVersion } from '../../src/ingest/ffmpeg-version.js';
import { ffmpeg, ffmpegPath } from './support.js';
import { ffmpegVersion } from '../../src/ingest/ffmpeg-version.js';

const golden = JSON.parse(
  readFileSync(new URL('../golden/ffmpeg-args.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

const yard = { widthPx: 160, heightPx: 96, privacyMasks: [] };
const masked = {
  ...yard,
  privacyMasks: [
    [
      [0.25, 0.5],
      [0.3, 0.5],
      [0.3, 0.75],
      [0.25, 0.75],
    ],
    [
      [0.5, 0],
      [1, 0],
      [1, 0.03],
    ],
  ],
} as const;
const live = { ...yard, url: 'rtsp://cam/live', transport: 'tcp', socketTimeoutMs: 5000 } as const;
const version = (major: number, minor: number) => ({ major, minor, text: '' });

describe('the arguments of ffmpeg', () => {
  it.each([
    ['rtsp over tcp, ffmpeg 5.1', () => rtspArgs({ ...live, version: version(5, 1) })],
    [
      'rtsp over udp, ffmpeg 8.0',
      () => rtspArgs({ ...live, transport: 'udp', version: version(8, 0) }),
    ],
    ['rtsp over tcp, ffmpeg 5.0', () => rtspArgs({ ...live, version: version(5, 0) })],
    ['rtsp over tcp, ffmpeg 4.4', () => rtspArgs({ ...live, version: version(4, 4) })],
    [
      'file at 8 frames a second, ffmpeg 5.1',
      () => fileArgs({ ...yard, url: 'file:a.h264', framesPerSecond: 8, version: version(5, 1) }),
    ],
    [
      'rtsp with privacy masks, ffmpeg 5.1',
      () => rtspArgs({ ...live, ...masked, version: version(5, 1) }),
    ],
    [
      'file with privacy masks, ffmpeg 5.1',
      () => fileArgs({ ...masked, url: 'file:a.h264', framesPerSecond: 8, version: version(5, 1) }),
    ],
  ])('for %s are the golden ones', (name, args) => {
    expect(argv(args())).toEqual(golden[name]);
  });

  it.each([
    ['live view', yard],
    ['live view with privacy masks', masked],
  ])('for the %s are the golden ones', (name, { privacyMasks }) => {
    const output = previewOutput({ widthMaxPx: 640, privacyMasks });
    expect(Object.entries(output).flat()).toEqual(golden[name]);
  });
});

describe('the picture', () => {
  const pixels = (args: string[]) =>
    ffmpeg(
      '-f',
      'lavfi',
      ...args,
      '-frames:v',
      '1',
      '-pix_fmt',
      'rgb24',
      '-f',
      'rawvideo',
      'pipe:1',
    );

  it('of a 16:9 camera is scaled exactly as in training', async () => {
    const args = fileArgs({
      ...yard,
      url: '',
      framesPerSecond: 8,
      version: await ffmpegVersion(ffmpegPath),
    });
    const filter = (args.output[args.output.indexOf('-vf') + 1] ?? '').replace('fps=8,', '');
    const input = ['-i', 'testsrc2=size=320x180,format=yuv420p', '-vf'];
    const training = 'scale=160:90:flags=fast_bilinear,pad=160:96:0:3';
    expect(pixels([...input, filter]).equals(pixels([...input, training]))).toBe(true);
  });

  it.each([
    [320, 180],
    [640, 480],
    [1280, 720],
    [720, 1280],
    [641, 361],
    [704, 576],
    [100, 60],
    [99, 60],
    [1000, 37],
    [37, 1000],
    [768, 433],
  ])('of %i x %i lies where letterbox() says', (width, height) => {
    const scaled = 'scale=160:96:force_original_aspect_ratio=decrease:flags=fast_bilinear';
    // In a format without chroma planes: those would round odd sizes down.
    const white = `color=white:size=${width}x${height},format=rgb24`;
    const frame = pixels(['-i', white, '-vf', `${scaled},pad=160:96:-1:-1`]);
    const lit = Array.from({ length: 160 * 96 }, (_, index) => index).filter(
      (index) => (frame[index * 3] ?? 0) > 127,
    );
    const columns = lit.map((index) => index % 160);
    const rows = lit.map((index) => Math.floor(index / 160));
    const [x, y] = [Math.min(...columns), Math.min(...rows)];
    expect(letterbox(width, height, 160, 96)).toEqual({
      x,
      y,
      width: Math.max(...columns) - x + 1,
      height: Math.max(...rows) - y + 1,
    });
  });
});

describe('the version of ffmpeg', () => {
  it.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright', 5, 1],
    ['ffmpeg version n8.0 Copyright', 8, 0],
    ['ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright', 4, 4],
    ['ffmpeg version 10.2 Copyright', 10, 2],
    ['ffmpeg version N-47683-g0e8eb07980-static x\nlibavformat    58. 24.101 / 58. 24.101', 4, 1],
    ['ffmpeg version git-2022-02-01 x\nlibavformat    59. 17.101 / 59. 17.101', 5, 0],
    ['ffmpeg version git-2022-08-01 x\nlibavformat    59. 27.100 / 59. 27.100', 5, 1],
    ['ffmpeg version 2025-01-01-git-x x\nlibavformat    61.  9.106 / 61.  9.106', 7, 1],
  ])('is read from %j', (output, major, minor) => {
    expect(readVersion(output)).toMatchObject({ major, minor });
  });

  it('is not read from something else', async () => {
    expect(readVersion('hello')).toBeNull();
    await expect(ffmpegVersion('/nowhere/ffmpeg')).rejects.toMatchObject({
      code: 'ffmpeg_missing',
    });
    await expect(ffmpegVersion('true')).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    await expect(ffmpegVersion('/tmp')).rejects.toMatchObject({ code: 'ffmpeg_missing' });
  });
});
