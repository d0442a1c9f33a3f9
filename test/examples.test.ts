/** The examples' promise: what is stale, silent or uncalibrated is unknown, in both languages, by the README's commands. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  it,
  onTestFailed,
  onTestFinished,
  vi,
} from 'vitest';
import { cameraNamesOf, ConfigSchema } from '../src/config.js';
import type { EventMessage, Forecast, Message, SceneMessage } from '../src/messages.js';
import { type Bus, connectBus } from '../src/sinks/bus.js';
import { forecast, heartbeat } from './support/messages.js';
import { natsServerForTest } from './support/nats-server.js';

const readme = readFileSync('examples/README.md', 'utf8');
const pythonFolder = '.cache/examples/python';

function run(file: string, ...args: string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  return { ok: status === 0, text: `${stdout}${stderr}` };
}

interface Subscriber {
  readonly actions: () => string[];
  readonly text: () => string;
}

function start(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Subscriber {
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  onTestFinished(() => void child.kill('SIGKILL'));
  onTestFailed(() => void process.stderr.write(`the subscriber printed:\n${text}\n`));
  return {
    text: () => text,
    actions: () =>
      [...text.matchAll(/^\S+ (unknown|clear|caution|drive|stop|slow): .*$/gm)].map(
        (m) => m[1] ?? '',
      ),
  };
}

/** A forecast that is fresh now. */
function fresh(sequence: number, nothing: number, overrides: Partial<Forecast> = {}): Forecast {
  return {
    ...forecast(sequence),
    validUntil: new Date(Date.now() + 60_000).toISOString(),
    nothing,
    ...overrides,
  };
}

async function promise(startIt: (url: string) => Subscriber): Promise<void> {
  const server = await natsServerForTest();
  const bus: Bus = await connectBus({
    servers: [server.url],
    site: 'test',
    limits: { reconnectMs: 100 },
  });
  onTestFinished(() => bus.close(0));
  await bus.ready(20_000);
  let camera: 'online' | 'offline' | undefined;
  const beating = setInterval(() => {
    if (camera !== undefined) bus.heartbeat(heartbeat(1, { cameras: { gate: camera } }));
  }, 300);
  onTestFinished(() => clearInterval(beating));

  const subscriber = startIt(server.url);
  const expected: string[] = [];
  const becomes = async (action: string, why: string): Promise<void> => {
    expected.push(action);
    await vi.waitFor(
      () => {
        expect(subscriber.actions()).toEqual(expected);
        expect(subscriber.text().trimEnd().split('\n').at(-1)).toContain(why);
      },
      { timeout: 30_000, interval: 50 },
    );
  };
  let sequence = 0;
  /** Repeated, since a subscriber that is still connecting hears nothing. */
  const publish = (nothing: number, overrides: Partial<Forecast> = {}): Promise<unknown> =>
    bus.publish(fresh(sequence++, nothing, overrides));

  await becomes('unknown', 'no heartbeat');
  camera = 'online';
  const repeating = setInterval(() => void publish(0.8), 300);
  await becomes('clear', 'van enters 62');
  clearInterval(repeating);
  await publish(0.1);
  await becomes('caution', 'van enters 62');
  await publish(0.1, { calibrated: false });
  await becomes('unknown', 'not calibrated');
  await publish(0.8);
  await becomes('clear', '');
  camera = 'offline';
  await becomes('unknown', 'the camera is offline');
  camera = 'online';
  await becomes('clear', '');
  await publish(0.1, { validUntil: new Date(Date.now() + 1_500).toISOString() });
  await becomes('caution', '');
  await becomes('unknown', 'stale');
  await publish(0.8);
  await becomes('clear', '');
  camera = undefined;
  await becomes('unknown', 'no heartbeat');
  camera = 'online';
  await becomes('clear', '');
  await server.kill();
  await becomes('unknown', 'no heartbeat');
  await server.start();
  await becomes('clear', '');
}

describe('examples/subscriber.ts', () => {
  beforeAll(() => {
    expect(readme).toContain('npx tsc -p examples && node .cache/examples/subscriber.js');
    const built = run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'examples');
    expect(built.text).toBe('');
  });

  it('acts on what is fresh and calibrated, and knows when it does not know', async () => {
    const args = (url: string): string[] => ['.cache/examples/subscriber.js', url, 'test', 'gate'];
    await promise((url) => start(process.execPath, args(url)));
  });
});

describe('examples/robot', () => {
  it('drives, stops for what may cross, and slows down where it knows nothing', async () => {
    const server = await natsServerForTest();
    const bus = await connectBus({
      servers: [server.url],
      site: 'test',
      limits: { reconnectMs: 100 },
    });
    onTestFinished(() => bus.close(0));
    await bus.ready(20_000);
    let camera: 'online' | 'offline' | undefined;
    let said: Partial<Forecast> = {};
    let sequence = 0;
    const beating = setInterval(() => {
      if (camera === undefined) return;
      bus.heartbeat(heartbeat(1, { cameras: { gate: camera } }));
      const next = sequence++;
      const id = `${forecast(next).id}-within`;
      void bus.publish(fresh(next, 0.5, { id, target: 'within', ...said }));
    }, 200);
    onTestFinished(() => clearInterval(beating));
    const robot = start(process.execPath, [
      '.cache/examples/robot/robot.js',
      server.url,
      'test',
      'gate',
      '0.2',
    ]);
    const expected: string[] = [];
    const becomes = async (action: string, why: string): Promise<void> => {
      expected.push(action);
      await vi.waitFor(
        () => {
          expect(robot.actions()).toEqual(expected);
          expect(robot.text().trimEnd().split('\n').at(-1)).toContain(why);
        },
        { timeout: 30_000, interval: 50 },
      );
    };
    await becomes('slow', 'no heartbeat');
    said = { chances: { 'person comes out': 0.05, 'van enters': 0.9 } };
    camera = 'online';
    await becomes('drive', '5 %');
    said = { chances: { 'person comes out': 0.4 } };
    await becomes('stop', '40 %');
    said = { ...said, calibrated: false };
    await becomes('slow', 'not calibrated');
    said = { chances: { 'person comes out': 0.05 } };
    await becomes('drive', '');
    camera = 'offline';
    await becomes('slow', 'the camera is offline');
    camera = 'online';
    await becomes('drive', '');
    said = { ...said, validUntil: new Date(Date.now() - 1).toISOString() };
    await becomes('slow', 'stale');
    said = { chances: { 'person comes out': 0.05 } };
    await becomes('drive', '');
    camera = undefined;
    await becomes('slow', 'no heartbeat');
  });
});

describe('examples/draw-scene.ts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-draw-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('draws masks, boxes, tracks, speeds and the latest event of a version 1 scene', async () => {
    expect(readme).toContain('node .cache/examples/draw-scene.js');
    const sample = (name: string): unknown =>
      JSON.parse(readFileSync(`test/samples/v1/${name}.json`, 'utf8'));
    const scene = sample('scene') as SceneMessage;
    const server = await natsServerForTest();
    const bus = await connectBus({ servers: [server.url], site: 'home' });
    onTestFinished(() => bus.close(0));
    await bus.ready(20_000);
    const file = join(folder, 'scene.svg');
    const still = join(folder, 'still.png');
    writeFileSync(still, Buffer.from([0x89, 0x50]));
    start(process.execPath, [
      ...['.cache/examples/draw-scene.js', server.url, 'home', 'gate', file, still],
    ]);
    const svg = async (messages: readonly Message[], part: string): Promise<string> => {
      // Repeated, since a subscriber that is still connecting hears nothing.
      const repeating = setInterval(() => messages.forEach((m) => void bus.publish(m)), 300);
      onTestFinished(() => clearInterval(repeating));
      await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain(part), {
        timeout: 30_000,
        interval: 50,
      });
      clearInterval(repeating);
      return readFileSync(file, 'utf8');
    };
    const drawn = await svg([sample('event') as EventMessage, scene], '09:14:02 van enters');
    // 6 columns of 160 and 4 rows of 135; runs go down the columns.
    expect(drawn).toContain(
      '<path d="M320.0 135.0h160.0v270.0h-160.0zM480.0 135.0h160.0v270.0h-160.0z" ',
    );
    expect(drawn).toContain('<path d="M640.0 135.0h160.0v405.0h-160.0z" ');
    expect([...drawn.matchAll(/<text [^>]*>([^<]*)</g)].map((match) => match[1])).toEqual([
      'van 12',
      'gate 3',
      'gate 09:14:00 · 09:14:02 van enters',
    ]);
    expect(drawn.match(/<rect /g)?.length).toBe(3);
    expect(drawn.match(/marker-end/g)?.length).toBe(1);
    expect(drawn).toContain('href="data:image/png;base64,iVA="');

    const long = { ...scene.objects[0]!, class: '<b>', mask: { size: [4, 6], counts: [3, 2, 19] } };
    const hostile = { ...scene, objects: [long] } as SceneMessage;
    expect(await svg([hostile], '&#60;b&#62; 12')).toContain(
      '<path d="M0.0 405.0h160.0v135.0h-160.0zM160.0 0.0h160.0v135.0h-160.0z" ',
    );
  });

  it('fits into a hundred lines', () => {
    expect(readFileSync('examples/draw-scene.ts', 'utf8').split('\n').length).toBeLessThan(101);
  });
});

describe('examples/subscriber.py', () => {
  let missing: string | undefined;

  beforeAll(() => {
    const install = ['--target', pythonFolder, '-r', 'examples/requirements.txt'];
    expect(readme).toContain(`python3 -m pip install ${install.join(' ')}`);
    const env = { ...process.env, PYTHONPATH: pythonFolder };
    const has = spawnSync('python3', ['-c', 'import nats'], { env }).status === 0;
    if (has) return;
    const installed = run('python3', '-m', 'pip', 'install', '--quiet', ...install);
    if (!installed.ok) missing = installed.text.trim().split('\n').at(-1);
  });

  it('acts on what is fresh and calibrated, and knows when it does not know', async (context) => {
    if (missing !== undefined) {
      process.stderr.write(`skipped: nats-py could not be installed: ${missing}\n`);
      context.skip(`nats-py could not be installed: ${missing}`);
    }
    const env = { ...process.env, PYTHONPATH: pythonFolder };
    const args = (url: string): string[] => ['examples/subscriber.py', url, 'test', 'gate'];
    await promise((url) => start('python3', args(url), env));
  });
});

it('both watch a camera that the engine has without any configuration, as the README says', () => {
  const [camera] = cameraNamesOf(ConfigSchema.parse({}));
  const read = (file: string): string => readFileSync(file, 'utf8');
  expect(/camera = '(.*?)'/.exec(read('examples/subscriber.ts'))?.[1]).toBe(camera);
  expect(/DEFAULTS = .*"(.*?)"\]/.exec(read('examples/subscriber.py'))?.[1]).toBe(camera);
  expect(/camera \(`(.*?)`\)/.exec(readme)?.[1]).toBe(camera);
  const commands = [...readme.matchAll(/nats:\S+ home (\S+)$/gm)].map((match) => match[1]);
  expect(commands).toEqual([camera, camera]);
});

it('both fit on one screen', () => {
  for (const file of ['examples/subscriber.ts', 'examples/subscriber.py']) {
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(61);
  }
});
