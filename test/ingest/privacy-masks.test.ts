/** What a mask promises: every pixel that its area touches is black wherever the picture goes, and little else is. */
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { take } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { readRecording } from '../../src/ingest/file.js';
import { openCamera } from '../../src/ingest/open-camera.js';
import { Previews } from '../../src/ingest/preview.js';
import {
  bandHeightMax,
  bandsOf,
  faultOf,
  privacyFilter,
  type Corner,
  type Polygon,
} from '../../src/ingest/privacy-masks.js';
import type { Frame } from '../../src/types.js';
import { RtspServer } from '../../src/yard/rtsp-server.js';
import { all, ffmpeg, ffmpegPath, temporaryFolder, testH264 } from './support.js';

/** Any shape without crossings: corners in order round a point from which all of them can be seen. */
const anyStar = fc
  .record({
    x: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
    y: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
    radii: fc.array(fc.double({ min: 0.02, max: 0.2, noNaN: true }), {
      minLength: 3,
      maxLength: 24,
    }),
    turn: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ x, y, radii, turn }) => {
    const polygon: Polygon = radii.map((radius, index): Corner => {
      const angle = (2 * Math.PI * (index + turn)) / radii.length;
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    });
    return { middle: [x, y] as Corner, polygon };
  });

const anyShare = fc.double({ min: 0, max: 1, noNaN: true });

/** By a ray to the right: says nothing of bands. */
function isInside(polygon: Polygon, [x, y]: Corner): boolean {
  let count = 0;
  polygon.forEach((to, index) => {
    const from = polygon.at(index - 1)!;
    if (from[1] > y === to[1] > y) return;
    if (x < from[0] + ((to[0] - from[0]) * (y - from[1])) / (to[1] - from[1])) count += 1;
  });
  return count % 2 === 1;
}

/** Whether the polygon has a point at this x with a y within the bounds. */
function touches(polygon: Polygon, x: number, top: number, bottom: number): boolean {
  if (isInside(polygon, [x, top]) || isInside(polygon, [x, bottom])) return true;
  return polygon.some((to, index) => {
    const from = polygon.at(index - 1)!;
    if (x < Math.min(from[0], to[0]) || x > Math.max(from[0], to[0]) || from[0] === to[0]) {
      return false;
    }
    const y = from[1] + ((to[1] - from[1]) * (x - from[0])) / (to[0] - from[0]);
    return y >= top && y <= bottom;
  });
}

/** But for what doubles lose. */
const isCovered = (polygon: Polygon, [x, y]: Corner): boolean =>
  bandsOf(polygon).some(
    ({ left, top, right, bottom }) => Math.min(x - left, right - x, y - top, bottom - y) >= -1e-11,
  );

const uShape: Polygon = [
  [0.1, 0.1],
  [0.2, 0.1],
  [0.2, 0.7],
  [0.6, 0.7],
  [0.6, 0.1],
  [0.7, 0.1],
  [0.7, 0.9],
  [0.1, 0.9],
];

describe('the bands of a polygon', () => {
  it('hold every point of it', () => {
    const mix = (a: Corner, b: Corner, share: number): Corner => [
      a[0] + share * (b[0] - a[0]),
      a[1] + share * (b[1] - a[1]),
    ];
    fc.assert(
      fc.property(anyStar, anyShare, anyShare, ({ middle, polygon }, along, out) => {
        polygon.forEach((to, index) => {
          const onEdge = mix(polygon.at(index - 1)!, to, along);
          for (const point of [onEdge, mix(middle, onEdge, out)]) {
            if (!isCovered(polygon, point)) expect(point).toBe('covered');
          }
        });
      }),
      { numRuns: 500 },
    );
  });

  it('reach no further than one band beyond it, up or down, and not at all to the sides', () => {
    fc.assert(
      fc.property(anyStar, anyShare, anyShare, ({ polygon }, u, v) => {
        for (const { left, top, right, bottom } of bandsOf(polygon)) {
          // Six decimals, outwards: the outermost millionth is beyond the polygon.
          if (right - left < 5e-6) continue;
          const x = left + 2e-6 + u * (right - left - 4e-6);
          const y = top + v * (bottom - top);
          const reach = bandHeightMax + 2e-6;
          if (!touches(polygon, x, y - reach, y + reach)) expect([x, y]).toBe('near');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are few: one for an upright rectangle, and the notch of a U stays free', () => {
    const rectangle = (x: number, y: number, right: number, bottom: number): Polygon => [
      [right, y],
      [right, bottom],
      [x, bottom],
      [x, y],
    ];
    expect(bandsOf(rectangle(0.1, 0.3, 0.7, 0.9))).toEqual([
      { left: 0.1, top: 0.3, right: 0.7, bottom: 0.9 },
    ]);
    expect(bandsOf(rectangle(0, 0, 1, 1))).toEqual([{ left: 0, top: 0, right: 1, bottom: 1 }]);
    expect(bandsOf(uShape).length).toBe(3);
    expect(isCovered(uShape, [0.4, 0.4])).toBe(false);
    expect(isCovered(uShape, [0.4, 0.8])).toBe(true);
  });

  it('are never of no width or height, which ffmpeg takes for the whole picture', () => {
    const needle: Polygon = [
      [0.5, 0.2],
      [0.5, 0.200_000_01],
      [0.500_000_01, 0.8],
    ];
    const bands = bandsOf(needle);
    expect(bands.length).toBeGreaterThan(1);
    for (const { left, top, right, bottom } of bands) {
      expect(right - left).toBeGreaterThan(0.5e-6);
      expect(bottom - top).toBeGreaterThan(0.5e-6);
    }
  });
});

describe('a polygon', () => {
  it('of any shape without crossings is taken', () => {
    fc.assert(
      fc.property(anyStar, ({ polygon }) => {
        expect(faultOf(polygon)).toBeUndefined();
      }),
    );
  });

  const [a, b, c, d]: Corner[] = [
    [0.1, 0.1],
    [0.9, 0.1],
    [0.9, 0.9],
    [0.1, 0.9],
  ];
  it.each<[string, Corner[], RegExp | undefined]>([
    ['closed as a ring', [a!, b!, c!, d!, a!], undefined],
    ['with a corner on an edge', [a!, [0.5, 0.1], b!, c!], undefined],
    ['of two corners', [a!, b!, a!], /2 different corners; give three/],
    ['of corners on a line', [a!, [0.5, 0.5], c!], /no area/],
    ['like a bow tie', [a!, c!, b!, [0.1, 0.8]], /crosses itself \(.*in order/],
    ['that goes back on itself', [a!, b!, c!, [0.9, 0.3], d!], /crosses itself/],
    ['that touches itself', [a!, b!, c!, [0.5, 0.1], d!], /crosses itself/],
    ['that goes along an edge again', [a!, b!, c!, [0.7, 0.1], [0.3, 0.1], d!], /crosses itself/],
  ])('%s', (_, polygon, fault) => {
    if (fault === undefined) expect(faultOf(polygon)).toBeUndefined();
    else expect(faultOf(polygon)).toMatch(fault);
  });
});

const slanted: Polygon = [
  [0.31, 0.22],
  [0.72, 0.4],
  [0.55, 0.83],
  [0.4, 0.5],
  [0.2, 0.77],
];

describe('in the picture that ffmpeg gives', () => {
  const [width, height] = [322, 182];
  const bands = bandsOf(slanted);
  // Five points in each direction of each pixel.
  const steps = [0.001, 0.25, 0.5, 0.75, 0.999];
  const touched = new Set<number>();
  const far: number[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const points = steps.flatMap((dx) =>
        steps.map((dy): Corner => [(column + dx) / width, (row + dy) / height]),
      );
      if (points.some((point) => isInside(slanted, point))) touched.add(row * width + column);
      // Two pixels of chroma lie between: it is shared by neighbours, and spread when it is made RGB.
      const isFar = bands.every(
        (band) =>
          (column + 5) / width < band.left ||
          (column - 4) / width > band.right ||
          (row + 5) / height < band.top ||
          (row - 4) / height > band.bottom,
      );
      if (isFar) far.push(row * width + column);
    }
  }
  const deep = [...touched].filter((at) =>
    [-4, 4].every((by) => touched.has(at + by) && touched.has(at + by * width)),
  );

  /** Planes of noise; with a seed for what lies under the mask, and all else always the same. */
  function noise(format: string, seed: number): Buffer {
    const shift = format.endsWith('420p') ? 1 : 0;
    const [w, h] = [width >> shift, height >> shift];
    const planes = [width * height, w * h, w * h];
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647);
    const hidden = [
      touched,
      new Set([...touched].map((at) => ((at / width) >> shift) * w + ((at % width) >> shift))),
    ] as const;
    return Buffer.concat(
      planes.map((length, plane) =>
        Buffer.from(
          Array.from({ length }, (_, at) => {
            const value = random() % 256;
            return hidden[plane === 0 ? 0 : 1].has(at) ? (value * seed) % 256 : value;
          }),
        ),
      ),
    );
  }

  const through = (format: string, planes: Buffer, filter: string): Buffer =>
    execFileSync(
      ffmpegPath,
      [
        ...['-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', format],
        ...['-s', `${width}x${height}`, '-i', 'pipe:0', '-vf', filter],
        ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
      ],
      { input: planes },
    );
  const mask = privacyFilter([slanted]);
  const scale = 'scale=160:96:force_original_aspect_ratio=decrease:flags=fast_bilinear';

  // `yuvj` is full range, where the black of `drawbox` alone would be grey.
  it.each(['yuv420p', 'yuvj420p', 'yuv444p', 'yuvj444p'])(
    'nothing of what is hidden is left, black is black, and all else is as it was: %s',
    (format) => {
      const [one, other] = [noise(format, 1), noise(format, 7)];
      const plain = through(format, one, 'null');
      expect(through(format, other, 'null').equals(plain)).toBe(false);
      const masked = through(format, one, `${mask}null`);
      expect(through(format, other, `${mask}null`).equals(masked)).toBe(true);
      const small = [one, other].map((planes) => through(format, planes, mask + scale));
      expect(small[0]!.equals(small[1]!)).toBe(true);

      expect(deep.length).toBeGreaterThan(3000);
      const brightest = deep.reduce((max, at) => Math.max(max, ...rgb(masked, at)), 0);
      expect(brightest).toBe(0);
      expect(far.length).toBeGreaterThan(width * height * 0.6);
      const difference = far.reduce((max, at) => {
        const was = rgb(plain, at);
        return Math.max(max, ...rgb(masked, at).map((value, c) => Math.abs(value - was[c]!)));
      }, 0);
      expect(difference).toBeLessThanOrEqual(format.startsWith('yuvj') ? 5 : 0);
    },
  );

  it.each(['yuv420p10le', 'nv12', 'gray', 'rgb24', 'bgr0'])('black is black: %s', (format) => {
    const source = `color=white:size=${width}x${height},format=${format}`;
    const frame = ffmpeg(
      ...['-f', 'lavfi', '-i', source, '-vf', `${mask}null`, '-frames:v', '1'],
      ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    );
    expect([...touched].reduce((max, at) => Math.max(max, ...rgb(frame, at)), 0)).toBe(0);
    expect(far.reduce((min, at) => Math.min(min, ...rgb(frame, at)), 255)).toBeGreaterThan(230);
  });
});

function rgb(frame: Buffer, at: number): number[] {
  return [...frame.subarray(at * 3, at * 3 + 3)];
}

describe('on its way to the models and to people', () => {
  const folder = temporaryFolder();
  /** Two sizes one after the other, in full range: all white. */
  const white = (size: string): Buffer =>
    ffmpeg(
      ...['-f', 'lavfi', '-i', `color=white:size=${size}:rate=10,format=yuvj420p`, '-t', '1'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0'],
      ...['-g', '10', '-threads', '1', '-f', 'h264', 'pipe:1'],
    );
  const door: Polygon = [
    [0.25, 0.2],
    [0.5, 0.2],
    [0.5, 0.6],
    [0.25, 0.6],
  ];
  const model = { ffmpegPath, widthPx: 160, heightPx: 96, framesPerSecond: 8 };
  let server: RtspServer;
  let changing: Buffer;

  beforeAll(async () => {
    changing = Buffer.concat([white('320x180'), white('640x360')]);
    server = await RtspServer.listen();
    server.mountRecording('gate', { annexB: changing, framesPerSecond: 10 });
  });
  afterAll(() => server.close());

  /**
   * Of 160 x 90 pixels below `y0` rows: black where the door is, white elsewhere. Where both mix, and for a row more, since
   * ffmpeg letterboxes a picture that has changed its size one row higher, neither is said.
   */
  function expectDoor(frame: Uint8Array, y0: number, noise: number): void {
    for (let row = 1; row < 89; row++) {
      for (let column = 0; column < 160; column++) {
        const green = frame[((y0 + row) * 160 + column) * 3 + 1]!;
        const inside = column >= 41 && column < 79 && row >= 20 && row < 52;
        const outside = column < 39 || column > 80 || row < 16 || row > 55;
        if (inside && green > noise) expect({ row, column, green }).toBe('black');
        if (outside && green < 255 - noise) expect({ row, column, green }).toBe('white');
      }
    }
  }

  it('it holds in a live camera that changes its size', async () => {
    const camera = { name: 'gate', url: server.url('gate'), privacyMasks: [door] };
    const limits = { firstFrameMaxMs: 60_000, silenceMaxMs: 60_000, socketTimeoutMs: 30_000 };
    // Two seconds are both sizes, wherever the stream is joined.
    const frames = await all(openCamera(camera, { ...model, limits }).pipe(take(20)));
    for (const { pixels } of frames) expectDoor(pixels, 3, 2);
  });

  it('it holds in a recording, also where the size changes', async () => {
    const path = join(folder, 'changing.h264');
    writeFileSync(path, changing);
    const read = { ...model, camera: 'gate', privacyMasks: [door] };
    let count = 0;
    for await (const { pixels } of readRecording(path, read)) {
      count += 1;
      expectDoor(pixels, 3, 2);
    }
    expect(count).toBeGreaterThan(12);
  });

  it('outside of it a recording is the same, bit for bit', async () => {
    const path = join(folder, 'moving.h264');
    writeFileSync(path, testH264('320x180', 8, 1));
    const options = { ...model, camera: 'gate' };
    const masked = readRecording(path, { ...options, privacyMasks: [door] });
    for await (const { pixels } of readRecording(path, { ...options, privacyMasks: [] })) {
      const other = ((await masked.next()).value as Frame).pixels;
      for (let at = 0; at < pixels.length; at++) {
        const [column, row] = [Math.floor(at / 3) % 160, Math.floor(at / 480) - 3];
        if (column >= 38 && column < 82 && row >= 16 && row < 56) continue;
        if (pixels[at] !== other[at]) expect({ column, row }).toBe('equal');
      }
    }
  });

  it('it holds in the live view', async () => {
    const camera = { name: 'gate', url: server.url('gate'), privacyMasks: [door] };
    const previews = new Previews({
      ffmpegPath,
      cameraOf: () => Promise.resolve(camera),
      silenceMaxMs: 60_000,
    });
    onTestFinished(() => previews.close());
    const { url } = await previews.open('gate');
    const viewer = new WebSocket(url);
    onTestFinished(() => viewer.terminate());
    const stream: Buffer[] = [];
    for (let bytes = 0; bytes < 20_000; bytes += stream.at(-1)?.length ?? 0) {
      const [data] = (await once(viewer, 'message')) as [Buffer];
      if (data.subarray(0, 4).toString() !== 'jsmp') stream.push(data);
    }
    const frames = execFileSync(
      ffmpegPath,
      [
        ...['-loglevel', 'quiet', '-f', 'mpegts', '-i', 'pipe:0', '-vf', 'scale=160:90:flags=area'],
        ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
      ],
      { input: Buffer.concat(stream), maxBuffer: 1 << 28 },
    );
    const size = 160 * 90 * 3;
    expect(frames.length).toBeGreaterThan(10 * size);
    for (let at = 0; at + size <= frames.length; at += size) {
      expectDoor(frames.subarray(at, at + size), 0, 24);
    }
  });
});
