/**
 * CPU milliseconds of the models by part, on yard pictures: `npm run bench -- models [--clips 40] [--bundle DIR]`.
 * One thread, in this process; user and system time, so that other work on the machine counts for little.
 */
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { cpus } from 'node:os';
import { openBundle } from '../src/models/bundle.js';
import { Perceiver } from '../src/models/perceiver.js';
import { Reasoner } from '../src/models/reasoner.js';
import { cpuClockMs } from '../src/models/stopwatch.js';
import { unhurriedBudget } from '../src/models/text-budget.js';
import type { Scene } from '../src/types.js';
import { ClipFilm } from './shared.js';

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    bundle: {
      type: 'string',
      default: fileURLToPath(new URL('../bundles/yard', import.meta.url)),
    },
  },
});

const bundle = await openBundle(values.bundle);
const { clipsPerWindow, forecastEveryClips } = bundle.manifest.geometry;
const perceiver = await Perceiver.open(bundle, { threads: 1, clock: cpuClockMs });
const reasoner = await Reasoner.open(bundle, { threads: 1, clock: cpuClockMs });
const film = new ClipFilm(bundle.manifest, Number(values.seed), 0);

/** Rounds of which the first few, in which memory is still being had, do not count. */
const warmUps = 3;
const clipRounds: Record<string, number>[] = [];
const forecastRounds: Record<string, number>[] = [];
const explanationRounds: Record<string, number>[] = [];
const scenes: Scene[] = [];
let objects = 0;
const clips = Number(values.clips);
for (let clip = 0; clip < clips; clip++) {
  const [scene] = await perceiver.scenes([film.next('bench', clip)]);
  if (scene === undefined) break;
  scenes.push(scene);
  objects += scene.objects.length;
  if (clip >= warmUps) clipRounds.push(scene.stagesMs);
  if (scenes.length < clipsPerWindow || clip % forecastEveryClips !== 0) continue;
  const window = scenes.slice(-clipsPerWindow);
  const reasoning = await reasoner.score(window);
  forecastRounds.push(reasoning.stagesMs);
  const { stagesMs } = await reasoner.explain(window, reasoning, unhurriedBudget);
  explanationRounds.push(stagesMs);
}

/** Median of each part, and the sum of the medians. */
function report(title: string, rounds: readonly Record<string, number>[]): void {
  let total = 0;
  const lines = Object.keys(rounds[0] ?? {}).map((stage) => {
    const sorted = rounds.map((round) => round[stage] ?? 0).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const p90 = sorted[Math.floor(sorted.length * 0.9)] ?? 0;
    total += median;
    return `  ${stage.padEnd(18)}${median.toFixed(1).padStart(8)}${p90.toFixed(1).padStart(8)}`;
  });
  const head = `${title} (${rounds.length} rounds)`.padEnd(20);
  process.stdout.write(`${head}  median     p90\n${lines.join('\n')}\n`);
  process.stdout.write(`  ${'sum'.padEnd(18)}${total.toFixed(1).padStart(8)}\n`);
}

const model = cpus()[0]?.model ?? 'unknown';
process.stdout.write(`CPU ms, one thread, ${model}, bundle ${bundle.manifest.name}\n`);
report('clip', clipRounds);
process.stdout.write(`  objects a clip: ${(objects / clips).toFixed(1)}\n`);
report('forecast', forecastRounds);
report('explanation', explanationRounds);
await perceiver.dispose();
await reasoner.dispose();
