/**
 * Ingest beside other ways of doing the same: `npm run bench -- ingest [--streams 2] [--seconds 20] [--windows 3] [--no-write]`.
 *
 * All contenders read the same RTSP streams at the same time, so that whatever else the machine does costs them alike. CPU is user and
 * system time of each contender's whole process tree from /proc. Each picture shows its number as a bar code, and picture n leaves the camera
 * at a known time; latency runs from there to the complete RGB picture in the consumer's memory.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { argv, rtspArgs } from '../src/ingest/ffmpeg-args.js';
import { ffmpegVersion } from '../src/ingest/ffmpeg-version.js';
import { openCamera } from '../src/ingest/open-camera.js';
import { RtspServer } from '../src/yard/rtsp-server.js';
import { readProcesses, root, treeOf, writeResult } from './shared.js';

const ffmpegPath = process.env['LOOKAHEAD_FFMPEG'] ?? 'ffmpeg';
const bundle = { widthPx: 160, heightPx: 96, framesPerSecond: 8 };

interface Stream {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly framesPerSecond: number;
  readonly kilobits: number;
}

/** A usual camera, and the yard's own. */
const streams: readonly Stream[] = [
  { widthPx: 1280, heightPx: 720, framesPerSecond: 25, kilobits: 3200 },
  { widthPx: 320, heightPx: 180, framesPerSecond: 16, kilobits: 400 },
];

/** Number and arrival (wall clock, ms) of every picture that a consumer kept. */
type Arrivals = readonly (readonly [number, number])[];

interface Contender {
  readonly name: string;
  /** Processes that read these addresses; each writes its `Arrivals` to stdout when its stdin ends. Bare ffmpeg writes none. */
  readonly start: (urls: readonly string[]) => Promise<ChildProcess[]>;
}

interface Result {
  readonly name: string;
  /** Cores that one stream takes, for each window. */
  readonly cpu: readonly number[];
  readonly latenciesMs: readonly number[];
  readonly framesPerSecond: number;
}

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '20' },
    windows: { type: 'string', default: '3' },
    'no-write': { type: 'boolean', default: false },
    // What this file runs itself with: our own ingest, as the engine uses it.
    consume: { type: 'string', multiple: true },
  },
});
/** Our contender: one process for all cameras, as the engine is. */
function consume(urls: readonly string[]): void {
  const arrivals: [number, number][] = [];
  for (const url of urls) {
    openCamera({ name: 'bench', url }, { ...bundle, ffmpegPath }).subscribe({
      next: ({ pixels, capturedAtMs }) => arrivals.push([numberIn(pixels), capturedAtMs]),
      error: (error: unknown) => {
        throw error;
      },
    });
  }
  process.stdin.resume().on('end', () => {
    process.stdout.write(`${JSON.stringify(arrivals)}\n`, () => process.exit());
  });
}

/** The number that the bar code of a letterboxed picture shows: eight bars, the highest bit first. */
function numberIn(pixels: Uint8Array): number {
  let number = 0;
  for (let bar = 0; bar < 8; bar++) {
    const at = (8 * bundle.widthPx + bar * 20 + 10) * 3;
    number = number * 2 + ((pixels[at] ?? 0) > 127 ? 1 : 0);
  }
  return number;
}

async function measureAll(): Promise<void> {
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const contenders = [
    ours,
    bareFfmpeg,
    ...peers().map(([name, mode]) => ({ name, start: peer(mode) })),
  ];
  const sections: string[] = [];
  for (const stream of streams) {
    const title = `${stream.widthPx} x ${stream.heightPx}, ${stream.framesPerSecond} frames a second, ${stream.kilobits / 1000} Mb/s`;
    process.stderr.write(`${title}\n`);
    const results = await measure(stream, contenders);
    // A reader that falls behind is sent the next key picture, so it decodes less: neither its CPU nor its latency counts.
    const isTooBusy = results.some(
      ({ latenciesMs, framesPerSecond }) =>
        latenciesMs.length > 0 && framesPerSecond < 0.95 * bundle.framesPerSecond,
    );
    const warning = isTooBusy ? '\n\nNot valid: the machine was too busy for all readers.' : '';
    const section = `${title}:\n\n${table(results)}${warning}`;
    process.stdout.write(`\n${section}\n`);
    sections.push(section);
  }
  if (!values['no-write']) await write(sections, load);
}

const ours: Contender = {
  name: 'Lookahead',
  start: (urls) => {
    const args = urls.flatMap((url) => ['--consume', url]);
    const script = fileURLToPath(import.meta.url);
    return Promise.resolve([
      spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
    ]);
  },
};

/** The same arguments; the pictures go to /dev/null, so not even a pipe is paid for. */
const bareFfmpeg: Contender = {
  name: 'bare ffmpeg, same decode and scale, to /dev/null',
  start: async (urls) => {
    const version = await ffmpegVersion(ffmpegPath);
    const common = {
      ...bundle,
      transport: 'tcp',
      socketTimeoutMs: 5000,
      privacyMasks: [],
      version,
    } as const;
    return urls.map((url) =>
      spawn(ffmpegPath, argv(rtspArgs({ ...common, url })), { stdio: 'ignore' }),
    );
  },
};

const peer =
  (mode: string): Contender['start'] =>
  (urls) =>
    Promise.resolve(
      urls.map((url) =>
        spawn(
          `${root}/.cache/bench-venv/bin/python`,
          [`${root}/bench/ingest_peers.py`, mode, url],
          {
            stdio: ['pipe', 'pipe', 'inherit'],
            env: { ...process.env, OPENCV_FFMPEG_CAPTURE_OPTIONS: 'rtsp_transport;tcp' },
          },
        ),
      ),
    );

/** Makes a virtual environment of their own in the cache; without one the Python peers are left out, with the reason. */
function peers(): [name: string, mode: string][] {
  const venv = `${root}/.cache/bench-venv`;
  try {
    if (!existsSync(`${venv}/bin/python`)) execFileSync('python3', ['-m', 'venv', venv]);
    const wanted = ['opencv-python-headless', 'av', 'numpy'];
    execFileSync(`${venv}/bin/pip`, ['install', '--quiet', ...wanted], { stdio: 'pipe' });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    process.stderr.write(`OpenCV and PyAV are left out: ${why}\n`);
    return [];
  }
  return [
    ['OpenCV, read() of every frame', 'cv2-read'],
    ['OpenCV, grab() of every frame, retrieve() of 8', 'cv2-grab'],
    ['PyAV, one thread', 'pyav'],
  ];
}

async function measure(stream: Stream, contenders: readonly Contender[]): Promise<Result[]> {
  const annexB = film(stream);
  const server = await RtspServer.listen();
  server.mountRecording('bench', { annexB, framesPerSecond: stream.framesPerSecond });
  const startedAtMs = Date.now();
  const count = Number(values.streams);
  const urls = Array.from({ length: count }, () => server.url('bench'));
  const running = await Promise.all(contenders.map(({ start }) => start(urls)));
  try {
    const all = contenders.length * count;
    for (let waitedS = 0; server.readers('bench') < all; waitedS++) {
      if (waitedS > 60) throw new Error(`only ${server.readers('bench')} of ${all} readers play`);
      await sleep(1000);
    }
    // Readers probe a stream for some seconds and then work off what came meanwhile.
    await sleep(15_000);
    const seconds = Number(values.seconds);
    const fromMs = Date.now();
    const cpu: number[][] = contenders.map(() => []);
    for (let window = 0; window < Number(values.windows); window++) {
      const before = running.map(cpuSecondsOf);
      const windowFromMs = performance.now();
      await sleep(seconds * 1000);
      const after = running.map(cpuSecondsOf);
      const passedS = (performance.now() - windowFromMs) / 1000;
      after.forEach((used, n) => cpu[n]?.push((used - (before[n] ?? 0)) / passedS / count));
    }
    const toMs = Date.now();
    return await Promise.all(
      contenders.map(async ({ name }, n) => {
        const arrivals = (await Promise.all((running[n] ?? []).map(arrivalsOf)))
          .flat()
          .filter(([, atMs]) => atMs >= fromMs && atMs < toMs);
        return {
          name,
          cpu: cpu[n] ?? [],
          latenciesMs: arrivals.map(([number, atMs]) =>
            latencyMs(number, atMs - startedAtMs, stream.framesPerSecond),
          ),
          framesPerSecond: arrivals.length / ((toMs - fromMs) / 1000) / count,
        };
      }),
    );
  } finally {
    for (const child of running.flat()) child.kill('SIGKILL');
    await server.close();
  }
}

/** Pictures in the film; their numbers fit into the bar code. */
const filmFrames = 250;

/** Picture n of the endlessly repeated film leaves the camera n / rate after its start. */
function latencyMs(number: number, sinceStartMs: number, framesPerSecond: number): number {
  const roundMs = (filmFrames * 1000) / framesPerSecond;
  const late = sinceStartMs - (number * 1000) / framesPerSecond;
  return ((late % roundMs) + roundMs) % roundMs;
}

/** A moving, noisy test picture under a bar code, coded as cameras do: High profile, no B pictures, a key picture every two seconds. */
function film({ widthPx, heightPx, framesPerSecond, kilobits }: Stream): Buffer {
  const barHeight = heightPx / 9;
  const bars = Buffer.alloc(widthPx * barHeight * filmFrames);
  for (let frame = 0; frame < filmFrames; frame++) {
    for (let bar = 0; bar < 8; bar++) {
      if (((frame >> (7 - bar)) & 1) === 0) continue;
      for (let row = 0; row < barHeight; row++) {
        const at = (frame * barHeight + row) * widthPx + (bar * widthPx) / 8;
        bars.fill(255, at, at + widthPx / 8);
      }
    }
  }
  const size = `${widthPx}x${heightPx}`;
  const rate = String(framesPerSecond);
  const picture = `testsrc2=size=${size}:rate=${rate},noise=alls=12:allf=t`;
  return execFileSync(
    ffmpegPath,
    [
      ...['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', picture],
      ...['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${widthPx}x${barHeight}`, '-r', rate],
      ...['-i', 'pipe:0', '-filter_complex', '[0][1]overlay=shortest=1,format=yuv420p'],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-bf', '0'],
      ...['-g', String(2 * framesPerSecond), '-b:v', `${kilobits}k`, '-f', 'h264', 'pipe:1'],
    ],
    { input: bars, maxBuffer: 1 << 28 },
  );
}

async function arrivalsOf(child: ChildProcess): Promise<Arrivals> {
  if (child.stdin === null || child.stdout === null) return [];
  const lines = createInterface(child.stdout);
  child.stdin.end();
  for await (const line of lines) return JSON.parse(line) as Arrivals;
  return [];
}

/** User and system time of processes and all that they started, in seconds. */
function cpuSecondsOf(children: readonly ChildProcess[]): number {
  const pids = children.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  return treeOf(pids, readProcesses()).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function table(results: readonly Result[]): string {
  const mean = (numbers: readonly number[]): number =>
    numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const bare = mean(results.find(({ name }) => name === bareFfmpeg.name)?.cpu ?? []);
  const quantile = (numbers: readonly number[], share: number): string => {
    const sorted = [...numbers].sort((a, b) => a - b);
    return (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(0);
  };
  const rows = results.map(({ name, cpu, latenciesMs, framesPerSecond }) =>
    [
      name,
      mean(cpu).toFixed(3),
      `${Math.min(...cpu).toFixed(3)} to ${Math.max(...cpu).toFixed(3)}`,
      (mean(cpu) / bare).toFixed(2),
      ...(latenciesMs.length === 0
        ? ['', '', '']
        : [framesPerSecond.toFixed(1), quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.95)]),
    ].join(' | '),
  );
  return [
    '| Reader | cores a stream | by window | to bare | frames/s kept | latency p50 ms | p95 ms |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

/** Into `docs/performance.md`. */
async function write(sections: readonly string[], load: string): Promise<void> {
  const { text } = await ffmpegVersion(ffmpegPath);
  writeResult(
    'ingest',
    `npm run bench -- ingest --streams ${values.streams} --seconds ${values.seconds} --windows ${values.windows}`,
    [
      `ffmpeg ${text}; load average before: ${load}. All readers at the same time on the same streams, over TCP on loopback; to 160 x 96 rgb24.`,
      '',
      ...sections.flatMap((section) => [section, '']),
    ],
  );
}

if (values.consume === undefined) await measureAll();
else consume(values.consume);
