/**
 * What the yard costs and what its truth is worth: `npm run bench -- yard [--scenes 16] [--futures 256] [--pictures DIR]`.
 * CPU time of one thread, user and system. With `--pictures` it measures nothing and draws ten scenes and a timeline with the truth, as in docs/yard.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCanvas, ImageData } from '@napi-rs/canvas';
import { openScene } from '../src/yard/data/splits.js';
import { Painter } from '../src/yard/drawing/painter.js';
import { agreement, effectsOf, isCause } from '../src/yard/truth/causes.js';
import type { Effect } from '../src/yard/truth/causes.js';
import { isNearEven } from '../src/yard/truth/doubt.js';
import { examScene } from '../src/yard/truth/exam.js';
import type { ExamWindow } from '../src/yard/truth/exam.js';
import { simulateFutures } from '../src/yard/truth/futures.js';
import { look, visibleLeast } from '../src/yard/truth/look.js';
import { heightPx, widthPx } from '../src/yard/world/camera.js';
import { yardLabels } from '../src/yard/world/labels.js';
import { heldOutTemplates, trainTemplates } from '../src/yard/world/templates.js';
import { ticks, ticksPerSecond } from '../src/yard/world/things.js';
import type { YardEvent } from '../src/yard/world/things.js';
import type { World } from '../src/yard/world/world.js';

const { values } = parseArgs({
  options: {
    scenes: { type: 'string', default: '16' },
    futures: { type: 'string', default: '256' },
    pairs: { type: 'string', default: '200' },
    pictures: { type: 'string' },
  },
});
const scenes = Number(values.scenes);
const count = Number(values.futures);

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const sum = (shares: Iterable<number>): number => [...shares].reduce((a, b) => a + b, 0);
const mean = (shares: readonly number[]): number => sum(shares) / shares.length;
const logOf = (share: number): number => Math.log(Math.max(share, 1e-4));
const lossOf = (truth: readonly number[], said: readonly number[]): number =>
  -sum(truth.map((share, label) => (share === 0 ? 0 : share * logOf(said[label] ?? 0))));

function drawingSpeed(): void {
  const frames = 400;
  const rates = [0, 1, 2, 3, 4, 5, 6, 7].map((scene) => {
    const world = openScene('train', 1, scene);
    const painter = new Painter(world.place);
    painter.frame(world);
    const ms = cpuMs(() => {
      for (let i = 0; i < frames; i++) {
        world.step();
        painter.frame(world);
      }
    });
    return (1000 * frames) / ms;
  });
  print(
    `drawing: ${mean(rates).toFixed(0)} frames a CPU-second at ${widthPx}x${heightPx}, slowest scene ${Math.min(...rates).toFixed(0)}`,
  );
}

function truthBySplit(): void {
  print(`\ntruth, ${scenes} scenes of 8 windows a split, ${count} futures`);
  print(
    'template             windows  S_prior  S_bayes  difference  likeliest: nothing  near-even',
  );
  const all: ExamWindow[] = [];
  for (const split of ['test', 'template'] as const) {
    const windows: ExamWindow[] = [];
    const ms = cpuMs(() => {
      for (let scene = 0; scene < scenes; scene++)
        windows.push(...examScene({ split, seed: 11, count }, scene));
    });
    for (const { name } of split === 'test' ? trainTemplates : heldOutTemplates)
      printTemplate(
        name,
        windows.filter((it) => it.template === name),
      );
    if (split === 'test') all.push(...windows);
    print(`  ${(ms / windows.length).toFixed(0)} ms of CPU a window`);
  }
  printTemplate('all of test', all);
  const gap = mean(
    all.map((it) => lossOf(it.bayes, it.bayesOfWindow) - lossOf(it.bayes, it.bayes)),
  );
  const hidden = mean(all.map((it) => lossOf(it.state, it.bayes) - lossOf(it.state, it.state)));
  print(`what 8 clips lack beside the whole history: ${gap.toFixed(4)} nats`);
  print(`what the hidden state would add: ${hidden.toFixed(4)} nats`);
}

function printTemplate(name: string, windows: readonly ExamWindow[]): void {
  if (windows.length === 0) return;
  const prior = mean(windows.map((it) => lossOf(it.bayes, it.prior)));
  const bayes = mean(windows.map((it) => lossOf(it.bayes, it.bayes)));
  const nothing = mean(windows.map((it) => it.bayes[0] ?? 0));
  const even = windows.filter((it) => isNearEven(it.bayes));
  print(
    [
      name.padEnd(20),
      String(windows.length).padStart(7),
      prior.toFixed(2).padStart(8),
      bayes.toFixed(2).padStart(8),
      (prior - bayes).toFixed(2).padStart(11),
      nothing.toFixed(3).padStart(19),
      (even.length / windows.length).toFixed(2).padStart(10),
    ].join(' '),
  );
}

/** How many of the things in the picture are hidden, moment by moment: what pBayes knows and a camera does not. */
function hiddenThings(): void {
  let moments = 0;
  let withHidden = 0;
  for (let scene = 0; scene < scenes; scene++) {
    const world = openScene('test', 11, scene);
    for (let second = 0; second < 40; second++) {
      for (let i = 0; i < ticksPerSecond; i++) world.step();
      const seen = new Set(look(world).map((it) => it.id));
      const moving = [...world.vehicles, ...world.people, world.child, world.dog, world.bicycle];
      moments++;
      if (moving.some((it) => it && it.event >= 0 && isInside(world, it.x) && !seen.has(it.id)))
        withHidden++;
    }
  }
  print(
    `moments with something of which less than ${visibleLeast * 100} % shows: ${((100 * withHidden) / moments).toFixed(1)} %`,
  );
}

function isInside({ place }: World, x: number): boolean {
  const [left, right] = place.range.vehicle;
  return x > left && x < right;
}

function causes(): void {
  const pairs = Number(values.pairs);
  const totals = { links: 0, both: 0, causes: 0 };
  const ms = cpuMs(() => {
    for (let scene = 0; scene < Math.min(scenes, 8); scene++) {
      const world = openScene('test', 11, scene);
      const effects = effectsIn(world, pairs);
      const counted = agreement(world.events, effects);
      totals.links += counted.links;
      totals.both += counted.both;
      totals.causes += effects.filter(isCause).length;
    }
  });
  print(
    `causes by intervention, ${pairs} pairs: ${totals.both} of ${totals.links} links of the rules (${((100 * totals.both) / totals.links).toFixed(0)} %) are causes; ${totals.causes} causes in all; ${(ms / 1000).toFixed(0)} s of CPU`,
  );
}

function effectsIn(world: World, pairs: number): Effect[] {
  const moments: { event: YardEvent; before: World; after: World }[] = [];
  const end = world.tick + ticks(40);
  while (world.tick < end + ticks(10)) {
    const known = world.events.length;
    const before = world.clone(world.seed);
    world.step();
    const begun = world.events.slice(known);
    if (begun.length === 0 || world.tick > end) continue;
    const after = world.clone(world.seed);
    for (const event of begun) moments.push({ event, before, after });
  }
  return moments.flatMap(({ event, before, after }) =>
    effectsOf(before, after, event, world.events, { pairs, seed: 1 }),
  );
}

/** Ten scenes of all templates, weathers and splits, two in a row. */
function drawScenes(folder: string): void {
  const scale = 2;
  const canvas = createCanvas(2 * widthPx * scale, 5 * heightPx * scale);
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingEnabled = false;
  const shown = [
    ...[0, 1, 2, 3, 4, 5, 6].map((scene) => ({ split: 'train' as const, scene })),
    { split: 'template' as const, scene: 3 },
    { split: 'appearance' as const, scene: 2 },
    { split: 'text-only' as const, scene: 1 },
  ];
  shown.forEach(({ split, scene }, index) => {
    const { world, painter } = busiest(split, scene);
    const picture = createCanvas(widthPx, heightPx);
    const pixels = new Uint8ClampedArray(painter.frame(world));
    picture.getContext('2d').putImageData(new ImageData(pixels, widthPx, heightPx), 0, 0);
    const x = (index % 2) * widthPx * scale;
    const y = Math.floor(index / 2) * heightPx * scale;
    ctx.drawImage(picture, x, y, widthPx * scale, heightPx * scale);
  });
  writeFileSync(join(folder, 'yard-scenes.jpg'), canvas.toBuffer('image/jpeg', 88));
}

/** The moment of a scene's first 40 seconds at which most can be seen. */
function busiest(
  split: 'train' | 'template' | 'appearance' | 'text-only',
  scene: number,
): { world: World; painter: Painter } {
  let best = openScene(split, 3, scene);
  let most = -1;
  const world = openScene(split, 3, scene);
  for (let i = 0; i < ticks(40); i++) {
    world.step();
    if (i % 4 > 0) continue;
    const seen = look(world).length;
    if (seen <= most) continue;
    most = seen;
    best = world.clone(world.seed);
  }
  return { world: best, painter: new Painter(best.place) };
}

const rows = 9;
const rowPx = 46;
const leftPx = 170;
const secondPx = 22;

/** One scene through time: for each label that matters, its chance to come next, and where it did come. */
function drawTimeline(folder: string): void {
  const seconds = 40;
  const world = openScene('test', 1, 1);
  const start = world.tick;
  const chances: { atS: number; shares: number[] }[] = [];
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    for (let i = 0; i < ticksPerSecond / 4; i++) world.step();
    const { next } = simulateFutures(world, {
      count: 400,
      seed: quarter,
      knows: 'seen',
      target: 'next',
    });
    chances.push({
      atS: (world.tick - start) / ticksPerSecond,
      shares: Array.from(next, (n) => n / 400),
    });
  }
  const happened = world.events.map((it) => ({ ...it, atS: (it.tick - start) / ticksPerSecond }));
  const shown = yardLabels
    .map((label, index) => ({
      index,
      text: label.text,
      weight: sum(chances.map((it) => it.shares[index] ?? 0)),
    }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, rows);
  const width = leftPx + seconds * secondPx + 20;
  const height = rows * rowPx + 60;
  const xOf = (s: number): number => leftPx + s * secondPx;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="10" y="20" fill="#333">Chance of each label to come next within 4 s (pBayes), and what did happen (red), in ${world.place.template.name}</text>`,
  ];
  shown.forEach(({ index, text }, row) => {
    const base = 40 + (row + 1) * rowPx;
    const points = chances.map(
      ({ atS, shares }) =>
        `${xOf(atS).toFixed(1)},${(base - 38 * (shares[index] ?? 0)).toFixed(1)}`,
    );
    lines.push(
      `<text x="${leftPx - 8}" y="${base - 12}" text-anchor="end" fill="#333">${text}</text>`,
      `<line x1="${leftPx}" x2="${xOf(seconds)}" y1="${base}" y2="${base}" stroke="#ccc"/>`,
      `<polygon points="${xOf(chances[0]?.atS ?? 0)},${base} ${points.join(' ')} ${xOf(seconds)},${base}" fill="#7aa6d8" stroke="#2f6db5"/>`,
    );
    for (const event of happened)
      if (event.label === index)
        lines.push(
          `<line x1="${xOf(event.atS).toFixed(1)}" x2="${xOf(event.atS).toFixed(1)}" y1="${base}" y2="${base - 40}" stroke="#c0392b" stroke-width="2"/>`,
        );
  });
  for (let s = 0; s <= seconds; s += 5)
    lines.push(
      `<text x="${xOf(s)}" y="${height - 6}" text-anchor="middle" fill="#666">${s} s</text>`,
    );
  writeFileSync(join(folder, 'yard-timeline.svg'), `${[...lines, '</svg>'].join('\n')}\n`);
}

if (values.pictures !== undefined) {
  mkdirSync(values.pictures, { recursive: true });
  drawScenes(values.pictures);
  drawTimeline(values.pictures);
  print(`wrote ${values.pictures}/yard-scenes.jpg and yard-timeline.svg`);
} else {
  drawingSpeed();
  truthBySplit();
  hiddenThings();
  causes();
}
