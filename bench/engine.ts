/**
 * What the whole of Lookahead costs, process by process: `npm run bench -- engine [--cameras 2] [--seconds 60] [--no-write]`.
 *
 * Starts everything with yard cameras, waits for the first forecast of each, then reads CPU time (user and system) of every process from
 * /proc over a while. The engine's own share is what is spent outside ffmpeg and outside the models.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readProcesses, root, treeOf, writeResult, type ProcessFacts } from './shared.js';

const { values } = parseArgs({
  options: {
    cameras: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '60' },
    'no-write': { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const cameras = Number(values.cameras);

/** The first that fits; the cameras' own processes are the scene, not the watcher. */
const roles: readonly (readonly [
  string,
  (process: ProcessFacts, all: readonly ProcessFacts[]) => boolean,
])[] = [
  [
    'cameras (drawing, encoding, serving)',
    (process, all) => isUnder('yard/serve.js', process, all),
  ],
  ['perceiver', ({ command }) => command.includes('perceiver-process.js')],
  ['reasoner', ({ command }) => command.includes('reasoner-process.js')],
  ['nats-server', ({ command }) => command.includes('nats-server')],
  ['ffmpeg (decoding, scaling)', ({ command }) => /^\S*ffmpeg\S* /.test(command)],
  ['engine', () => true],
];

const engine = spawn(
  process.execPath,
  [
    `${root}/dist/main.js`,
    'start',
    '--http-port',
    '0',
    '--nats-port',
    '0',
    '--yard-cameras',
    String(cameras),
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const seen = new Set<string>();
for await (const line of createInterface(engine.stdout)) {
  if (line.includes(' lag ')) seen.add(line.split(' ')[0] ?? '');
  if (seen.size === cameras) break;
}
engine.stdout.resume();
await sleep(2_000);
const before = measure();
await sleep(seconds * 1_000);
const after = measure();
engine.kill('SIGINT');
await once(engine, 'exit');

const cost = roles.map(([role]) => ({
  role,
  cores: ((after.get(role) ?? 0) - (before.get(role) ?? 0)) / seconds,
}));
const watching = cost.filter(({ role }) => !role.startsWith('cameras'));
const total = watching.reduce((sum, { cores }) => sum + cores, 0);
const own = watching.find(({ role }) => role === 'engine')?.cores ?? 0;
const lines = [
  `${String(cameras)} yard cameras of 320 x 180 at 16 frames a second, ${String(seconds)} s. Cores: CPU seconds a second.`,
  '',
  '| process | cores | for each camera | share of watching |',
  '| --- | --- | --- | --- |',
  ...cost.map(({ role, cores }) => {
    const share = role.startsWith('cameras') ? '' : `${((100 * cores) / total).toFixed(1)} %`;
    return `| ${role} | ${cores.toFixed(3)} | ${(cores / cameras).toFixed(3)} | ${share} |`;
  }),
  '',
  `The engine's own share, outside ffmpeg and the models: ${((100 * own) / total).toFixed(1)} %.`,
];
process.stdout.write(`${lines.join('\n')}\n`);
if (!values['no-write'])
  writeResult(
    'engine',
    `npm run bench -- engine --cameras ${String(cameras)} --seconds ${String(seconds)}`,
    ['## The whole, process by process', '', ...lines],
  );

/** CPU seconds since each process began, summed by role. */
function measure(): Map<string, number> {
  const all = treeOf([engine.pid ?? -1], readProcesses());
  const sums = new Map<string, number>();
  for (const one of all) {
    const role = roles.find(([, fits]) => fits(one, all))?.[0] ?? 'engine';
    sums.set(role, (sums.get(role) ?? 0) + one.cpuSeconds);
  }
  return sums;
}

function isUnder(name: string, one: ProcessFacts, all: readonly ProcessFacts[]): boolean {
  for (let at: ProcessFacts | undefined = one; at; at = parentOf(at, all))
    if (at.command.includes(name)) return true;
  return false;
}

function parentOf(one: ProcessFacts, all: readonly ProcessFacts[]): ProcessFacts | undefined {
  return all.find(({ pid }) => pid === one.parent);
}
