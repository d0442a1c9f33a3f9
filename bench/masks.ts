/**
 * Automatic masks the plain way against ours: `npm run bench -- masks [--points 8] [--batch 16]`: a grid of 8 x 8 points on
 * a picture of 1024 x 1024, with a decoder of SAM's shapes and random weights (`training/bench_decoder.py`, made on first use).
 *
 * The plain way repeats the picture's embedding for every point and enlarges every mask to the full size before it looks
 * at it; ours shares the embedding and selects on the decoder's own grid. Each runs in a process of its own, one thread;
 * CPU is user and system time of the second of two rounds, memory the highest resident size over that after loading.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { filterMasks, selectMasks, type Mask } from '../src/models/automatic-masks.js';
import type { Graph } from '../src/models/manifest.js';
import { gridPoints } from '../src/models/prompt-points.js';
import { openSession } from '../src/models/session.js';
import { cpuClockMs } from '../src/models/stopwatch.js';
import { float32, floats } from '../src/models/tensor.js';
import { root, writeResult } from './shared.js';

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '8' },
    batch: { type: 'string', default: '16' },
    variant: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const perSide = Number(values.points);
const [fullPx, lowPx] = [1024, 256];
const folder = `${root}/.cache/bench-masks`;

interface Variant {
  readonly name: string;
  readonly file: 'repeated' | 'shared';
  readonly pointsPerBatch: number;
}
const variants: Readonly<Record<string, Variant>> = {
  plain: { name: 'embedding repeated, masks of 1024 x 1024', file: 'repeated', pointsPerBatch: 64 },
  shared: { name: 'embedding shared, masks of 256 x 256', file: 'shared', pointsPerBatch: 64 },
  small: {
    name: `the same, ${values.batch} points a batch`,
    file: 'shared',
    pointsPerBatch: Number(values.batch),
  },
};

interface Result {
  readonly decodeSeconds: number;
  readonly selectSeconds: number;
  readonly peakMb: number;
  readonly masks: readonly { readonly predictedIou: number; readonly cells: string }[];
}

if (values.variant === undefined) compare();
else await measure(variants[values.variant]!);

function compare(): void {
  makeDecoders();
  const script = fileURLToPath(import.meta.url);
  const results = Object.keys(variants).map((variant): Result => {
    const args = [script, '--variant', variant, '--points', values.points, '--batch', values.batch];
    const child = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0) throw new Error(`The variant "${variant}" failed.`);
    return JSON.parse(child.stdout) as Result;
  });
  const plain = results[0]!;
  const cpu = (one: Result): number => one.decodeSeconds + one.selectSeconds;
  const rows = results.map((one, index) => [
    Object.values(variants)[index]!.name,
    one.decodeSeconds.toFixed(2),
    one.selectSeconds.toFixed(3),
    `${(cpu(plain) / cpu(one)).toFixed(1)} x`,
    one.peakMb.toFixed(0),
    String(one.masks.length),
    agreement(plain, one),
  ]);
  const head = [
    '',
    'decoder CPU s',
    'selection CPU s',
    'less CPU',
    'peak MB',
    'masks',
    'the same masks',
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)];
  const body = [
    '## Automatic masks',
    '',
    `${String(perSide * perSide)} points on one picture of ${fullPx} x ${fullPx}, a decoder of SAM's shapes with random weights, one thread.`,
    '',
    ...table,
  ];
  process.stdout.write(`${body.join('\n')}\n`);
  if (values.write) writeResult('masks', 'npm run bench -- masks', body);
}

/** How many of the plain way's masks are kept here too, of the same predicted IoU, and how alike these are. */
function agreement(plain: Result, other: Result): string {
  const ious = plain.masks.flatMap(({ predictedIou, cells }) => {
    // Random weights predict much the same of several masks.
    const alike = other.masks.filter((one) => Math.abs(predictedIou - one.predictedIou) < 1e-5);
    return alike.length > 0 ? [Math.max(...alike.map((one) => overlapOf(cells, one.cells)))] : [];
  });
  const mean = ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
  return `${String(ious.length)} of ${String(plain.masks.length)}, IoU ${mean.toFixed(3)} in the mean`;
}

function overlapOf(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => Buffer.from(text, 'base64'));
  let both = 0;
  let either = 0;
  a!.forEach((value, at) => {
    both += bitCount(value & b![at]!);
    either += bitCount(value | b![at]!);
  });
  return both / either;
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

function makeDecoders(): void {
  if (['repeated', 'shared'].every((name) => existsSync(`${folder}/${name}.onnx`))) return;
  const python = `${root}/training/.venv/bin/python`;
  if (!existsSync(python)) {
    throw new Error(`${python} is missing: run \`uv sync\` in training/, then this again.`);
  }
  process.stderr.write('making two decoders …\n');
  execFileSync(python, [`${root}/training/bench_decoder.py`, folder], { stdio: 'inherit' });
}

/** In a process of its own. */
async function measure({ file, pointsPerBatch }: Variant): Promise<void> {
  const side = file === 'repeated' ? fullPx : lowPx;
  const tensor = (name: string, shape: (string | number)[]): Graph['inputs'][number] => ({
    name,
    type: 'float32',
    shape,
  });
  const path = `${folder}/${file}.onnx`;
  const graph: Graph = {
    path,
    sha256: '',
    inputs: [tensor('image_embeddings', [1, 256, 64, 64]), tensor('point_coords', ['N', 2])],
    outputs: [tensor('masks', ['N', 3, side, side]), tensor('iou_predictions', ['N', 3])],
  };
  const session = await openSession(path, graph, { threads: 1 });
  const embedding = Float32Array.from({ length: 256 * 64 * 64 }, (_, at) => Math.sin(at * 1.7));
  const image_embeddings = float32([1, 256, 64, 64], embedding);
  const grid = { pointsPerRow: perSide, pointsPerColumn: perSide };
  const points = gridPoints({ x: 0, y: 0, width: fullPx, height: fullPx }, grid);
  const parameters = {
    predIouThresh: 0,
    stabilityScoreThresh: 0.9,
    stabilityScoreOffset: 1,
    boxNmsThresh: 0.7,
    cropNmsThresh: 0.7,
    minMaskRegionArea: 0,
  };
  const loadedMb = memoryMb('VmRSS');
  let decodeSeconds = 0;
  let selectSeconds = 0;
  let kept: Mask[] = [];
  for (let round = 0; round < 2; round++) {
    decodeSeconds = 0;
    selectSeconds = 0;
    const found: Mask[] = [];
    for (let from = 0; from < points.length; from += pointsPerBatch) {
      const batch = points.slice(from, from + pointsPerBatch);
      const start = cpuSeconds();
      const outputs = await session.run({
        image_embeddings,
        point_coords: float32([batch.length, 2], Float32Array.from(batch.flat())),
      });
      const decoded = cpuSeconds();
      decodeSeconds += decoded - start;
      const [logits, ious] = [floats(outputs, 'masks'), floats(outputs, 'iou_predictions')];
      found.push(...filterMasks(logits, ious, side, side, parameters));
      selectSeconds += cpuSeconds() - decoded;
    }
    const start = cpuSeconds();
    kept = selectMasks(found, side, side, parameters);
    selectSeconds += cpuSeconds() - start;
  }
  const peakMb = memoryMb('VmHWM') - loadedMb;
  const masks = kept.map(({ predictedIou, cells }) => ({
    predictedIou,
    cells: Buffer.from(packed(cells, side)).toString('base64'),
  }));
  process.stdout.write(
    JSON.stringify({ decodeSeconds, selectSeconds, peakMb, masks } satisfies Result),
  );
  await session.dispose();
}

function cpuSeconds(): number {
  return cpuClockMs() / 1000;
}

function memoryMb(key: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** Bits of 256 x 256 cells; of a larger mask a cell is set where at least half of its pixels are. */
function packed(cells: Uint8Array, side: number): Uint8Array {
  const step = side / lowPx;
  const bits = new Uint8Array((lowPx * lowPx) / 8);
  for (let row = 0; row < lowPx; row++) {
    for (let column = 0; column < lowPx; column++) {
      let count = 0;
      for (let y = row * step; y < (row + 1) * step; y++) {
        for (let x = column * step; x < (column + 1) * step; x++) count += cells[y * side + x]!;
      }
      if (2 * count < step * step) continue;
      const at = row * lowPx + column;
      bits[at >> 3]! |= 1 << (at & 7);
    }
  }
  return bits;
}
