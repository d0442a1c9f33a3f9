/**
 * What perceiving costs by part, for batches of 1 to 16 cameras, on yard pictures:
 * `npm run bench -- perception [--batches 1,2,4,8,16] [--rounds 6] [--seed 1] [--bundle DIR] [--no-write]`.
 *
 * Parts: CPU time (user and system) of one thread in this process, so that other work on the machine counts for little;
 * the batch sizes take turns, so that what drifts meets all of them. Whole process and memory: a perceiver of its own
 * for each batch size, as the engine starts it and over its socket.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBundle } from '../src/models/bundle.js';
import { ModelChild } from '../src/models/model-child.js';
import { cpuClockMs } from '../src/models/stopwatch.js';
import { Perceiver, type PerceiverInput } from '../src/models/perceiver.js';
import { uint8 } from '../src/models/tensor.js';
import { ClipFilm, readProcesses, root, writeResult } from './shared.js';

const { values } = parseArgs({
  options: {
    // Each divides the largest, which is the number of cameras.
    batches: { type: 'string', default: '1,2,4,8,16' },
    rounds: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    bundle: { type: 'string', default: `${root}/bundles/yard` },
    'no-write': { type: 'boolean', default: false },
  },
});
const batchSizes = values.batches.split(',').map(Number);
const cameras = Math.max(...batchSizes);
const rounds = Number(values.rounds);
/** The first round, in which memory is still being had and every track is new, does not count. */
const warmUps = 1;
/** Far more than any batch takes. */
const patienceMs = 600_000;

const titles: Readonly<Record<string, string>> = {
  backbone: 'backbone',
  segmenterEncoder: 'segmenter encoder',
  segmenterDecoder: 'segmenter decoder',
  segmenterSelection: 'mask selection',
  objects: 'pooling and object head',
  tracks: 'tracks',
  events: 'event head',
  familiarity: 'familiarity',
};

const bundle = await openBundle(values.bundle);
const films = Array.from(
  { length: cameras },
  (_, scene) => new ClipFilm(bundle.manifest, Number(values.seed), scene),
);
/** [round][camera] */
const clips = Array.from({ length: warmUps + rounds }, (_, round) =>
  films.map((film, camera) => film.next(`camera-${String(camera)}`, round)),
);

const parts = await measureParts();
const processes = [];
for (const batchSize of batchSizes) processes.push(await measureProcess(batchSize));

const row = (title: string, figures: readonly number[], digits: number): string =>
  `| ${[title, ...figures.map((figure) => figure.toFixed(digits))].join(' | ')} |`;
const stages = Object.keys(parts.costs[0] ?? {});
const lines = [
  `Bundle ${bundle.manifest.name} ${bundle.manifest.version}, ${String(cameras)} yard cameras, ${String(rounds)} clips each, ${parts.objectsPerClip.toFixed(1)} objects a clip. CPU ms of one core for each clip (median of the rounds), by clips in a batch.`,
  '',
  `| part | ${batchSizes.join(' | ')} |`,
  `| --- |${batchSizes.map(() => ' --- |').join('')}`,
  ...stages.map((stage) =>
    row(
      titles[stage] ?? stage,
      parts.costs.map((cost) => cost[stage] ?? 0),
      2,
    ),
  ),
  row(
    'all parts',
    parts.costs.map((cost) => Object.values(cost).reduce((sum, ms) => sum + ms, 0)),
    1,
  ),
  row(
    'the process, socket and all',
    processes.map(({ cpuMs }) => cpuMs),
    1,
  ),
  row(
    'its peak resident memory, MiB',
    processes.map(({ peakMib }) => peakMib),
    0,
  ),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (!values['no-write'])
  writeResult(
    'perception',
    `npm run bench -- perception --batches ${values.batches} --rounds ${String(rounds)}`,
    ['## Perception, by part and batch size', '', ...lines],
  );

/** `costs`: [batch size], CPU ms for each clip by stage. */
async function measureParts() {
  const perceiver = await Perceiver.open(bundle, { threads: 1, clock: cpuClockMs });
  const found = batchSizes.map(() => new Map<string, number[]>());
  let objects = 0;
  for (const [round, inputs] of clips.entries()) {
    for (const [index, batchSize] of batchSizes.entries()) {
      const sums = new Map<string, number>();
      for (const batch of batchesOf(inputs, batchSize)) {
        for (const { stagesMs, objects: seen } of await perceiver.scenes(batch)) {
          if (round >= warmUps) objects += seen.length;
          for (const [stage, ms] of Object.entries(stagesMs))
            sums.set(stage, (sums.get(stage) ?? 0) + ms);
        }
      }
      if (round < warmUps) continue;
      for (const [stage, sum] of sums) {
        const perRound = found[index]?.get(stage) ?? [];
        found[index]?.set(stage, [...perRound, sum / inputs.length]);
      }
    }
  }
  await perceiver.dispose();
  return {
    objectsPerClip: objects / (rounds * cameras * batchSizes.length),
    costs: found.map((perStage) =>
      Object.fromEntries([...perStage].map(([stage, costs]) => [stage, median(costs)])),
    ),
  };
}

/** Of each batch size, cameras of its own: each sees its clips once, in order. */
function batchesOf(inputs: readonly PerceiverInput[], batchSize: number): PerceiverInput[][] {
  const own = inputs.map((input) => ({ ...input, camera: `${input.camera}-${String(batchSize)}` }));
  return Array.from({ length: own.length / batchSize }, (_, batch) =>
    own.slice(batch * batchSize, (batch + 1) * batchSize),
  );
}

async function measureProcess(batchSize: number) {
  const sent: number[] = [];
  const child = new ModelChild({
    role: 'perceiver',
    entry: `${root}/dist/models/perceiver-process.js`,
    bundleDir: values.bundle,
    bundleSha256: bundle.sha256,
    batchMax: batchSize,
    batchWaitMs: patienceMs,
    onBatch: (_, count) => void sent.push(count),
  });
  await child.start();
  const { widthPx, heightPx } = bundle.manifest.preprocessing;
  const { framesPerClip } = bundle.manifest.geometry;
  const perceive = ({ pixels, ...header }: PerceiverInput) =>
    child.request(
      'perceive',
      header,
      { frames: uint8([framesPerClip, heightPx, widthPx, 3], pixels) },
      patienceMs,
    );
  try {
    let beforeMs = 0;
    for (const [round, inputs] of clips.entries()) {
      if (round === warmUps) beforeMs = cpuMsOf(child.pid);
      await Promise.all(inputs.map(perceive));
    }
    const cpuMs = (cpuMsOf(child.pid) - beforeMs) / (rounds * cameras);
    if (sent.some((count) => count !== batchSize))
      throw new Error(`Batches of ${sent.join(', ')} were sent, not of ${String(batchSize)}.`);
    return { cpuMs, peakMib: peakMibOf(child.pid) };
  } finally {
    await child.close();
  }
}

function cpuMsOf(pid: number | undefined): number {
  return 1000 * (readProcesses().find((one) => one.pid === pid)?.cpuSeconds ?? NaN);
}

/** Linux only. */
function peakMibOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
