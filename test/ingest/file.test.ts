import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/ingest/file.js';
import { openCamera } from '../../src/ingest/open-camera.js';
import type { Frame } from '../../src/types.js';
import {
  all,
  children,
  digests,
  ffmpeg,
  ffmpegPath,
  temporaryFolder,
  testH264,
  until,
} from './support.js';

const folder = temporaryFolder();
const options = {
  camera: 'gate',
  ffmpegPath,
  widthPx: 160,
  heightPx: 96,
  framesPerSecond: 8,
  privacyMasks: [],
};

beforeAll(() => {
  writeFileSync(join(folder, '8.h264'), testH264('320x180', 8, 3));
  writeFileSync(join(folder, '25.h264'), testH264('320x180', 25, 3));
  const format = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x240:rate=30',
    '-t',
    '3',
    '-c:v',
    'libx264',
  ];
  ffmpeg(...format, join(folder, 'with b pictures & a space.mp4'));
});

const read = async (path: string): Promise<Frame[]> => {
  const frames: Frame[] = [];
  for await (const frame of readRecording(path, options)) frames.push(frame);
  return frames;
};

describe('a recording', () => {
  it.each(['8.h264', '25.h264', 'with b pictures & a space.mp4'])(
    '%s gives 8 frames for each second, the same at every run',
    async (name) => {
      const [first, second] = [await read(join(folder, name)), await read(join(folder, name))];
      expect(first.length).toBe(24);
      expect(first.map(({ capturedAtMs }) => capturedAtMs)).toEqual(first.map((_, n) => n * 125));
      expect(first.map(({ sequence }) => sequence)).toEqual(first.map((_, n) => n));
      expect(digests(second)).toEqual(digests(first));
    },
  );

  it('knows where its picture lies', async () => {
    const [frame] = await read(join(folder, 'with b pictures & a space.mp4'));
    expect(frame?.picture).toEqual({ x: 16, y: 0, width: 128, height: 96 });
  });

  it('waits for its reader, and ends ffmpeg when the reader leaves', async () => {
    const path = join(folder, 'long.h264');
    writeFileSync(path, testH264('160x96', 8, 120));
    let count = 0;
    for await (const frame of readRecording(path, options)) {
      expect(frame.sequence).toBe(count++);
      // Far more than fits into the pipe is left to be read while ffmpeg waits.
      if (count === 3) {
        await delay(500);
        expect(children('long.h264').length).toBe(1);
      }
      if (count === 5) break;
    }
    await until(() => children('long.h264').length === 0, 'no ffmpeg');
  });

  it('is read by openCamera too', async () => {
    const frame$ = openCamera({ name: 'gate', url: `file:${join(folder, '8.h264')}` }, options);
    expect(digests(await all(frame$))).toEqual(digests(await read(join(folder, '8.h264'))));
  });

  it.each([
    ['missing.mp4', ''],
    ['text.mp4', 'hello'],
    ['list.m3u8', '#EXTM3U\n#EXTINF:1,\n8.h264\n#EXT-X-ENDLIST\n'],
    ['list.ffconcat', "ffconcat version 1.0\nfile '8.h264'\n"],
    [
      'list.sdp',
      'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    ],
  ])('cannot be %s', async (name, text) => {
    if (text !== '') writeFileSync(join(folder, name), text);
    await expect(read(join(folder, name))).rejects.toMatchObject({ code: 'ffmpeg_failed' });
  });

  it('cannot be a folder', async () => {
    mkdirSync(join(folder, 'folder'));
    await expect(read(join(folder, 'folder'))).rejects.toMatchObject({ code: 'ffmpeg_failed' });
  });

  it('needs ffmpeg', async () => {
    const reading = readRecording('a.mp4', { ...options, ffmpegPath: join(folder, 'none') });
    await expect(reading.next()).rejects.toMatchObject({ code: 'ffmpeg_missing' });
  });
});
