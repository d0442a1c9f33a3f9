/** The examples' promise: what is stale, silent or uncalibrated is unknown, in all languages, by the README's commands. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { of } from 'rxjs';
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
import type { EventMessage, Forecast, Message, Notice, SceneMessage } from '../src/messages.js';
import { type Bus, connectBus } from '../src/sinks/bus.js';
import { signature } from '../src/sinks/post.js';
import type { AskRequest } from '../src/sinks/services.js';
import { openWebhook } from '../src/sinks/webhook.js';
import { optionalTool } from './shell/optional-tool.js';
import { forecast, heartbeat, outcome, state } from './support/messages.js';
import { type NatsServerOptions, natsServerForTest } from './support/nats-server.js';

const readme = readFileSync('examples/README.md', 'utf8');
const pythonFolder = '.cache/examples/python';

function run(file: string, ...args: string[]): { ok: boolean; text: string } {
  return runWith(process.env, file, ...args);
}

function runWith(
  env: NodeJS.ProcessEnv,
  file: string,
  ...args: string[]
): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', env });
  return { ok: status === 0, text: `${stdout}${stderr}` };
}

interface Subscriber {
  readonly actions: () => string[];
  /** The line of the last action; what a client complains of while the broker is away is none. */
  readonly last: () => string | undefined;
  readonly text: () => string;
}

function start(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Subscriber {
  // A group of its own: a shell script's children end with it.
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(file, args, { stdio: [...stdio], env, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  onTestFinished(() => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  onTestFailed(() => void process.stderr.write(`the subscriber printed:\n${text}\n`));
  const lines = (): RegExpExecArray[] => [
    ...text.matchAll(/^\S+ (unknown|clear|caution|drive|stop|slow): .*$/gm),
  ];
  return {
    text: () => text,
    actions: () => lines().map(([, action = '']) => action),
    last: () => lines().at(-1)?.[0],
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

interface PromiseOptions {
  readonly server?: NatsServerOptions;
  /** How it names the most likely event. */
  readonly likely?: string;
  /** How long a forecast holds that must be seen before it is stale. */
  readonly briefMs?: number;
}

async function promise(
  startIt: (url: string) => Subscriber,
  options: PromiseOptions = {},
): Promise<void> {
  const { likely = 'van enters 62', briefMs = 1_500 } = options;
  const server = await natsServerForTest(options.server);
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
        expect(subscriber.last()).toContain(why);
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
  await becomes('clear', likely);
  clearInterval(repeating);
  await publish(0.1);
  await becomes('caution', likely);
  await publish(0.1, { calibrated: false });
  await becomes('unknown', 'not calibrated');
  await publish(0.8);
  await becomes('clear', '');
  camera = 'offline';
  await becomes('unknown', 'the camera is offline');
  camera = 'online';
  await becomes('clear', '');
  await publish(0.1, { validUntil: new Date(Date.now() + briefMs).toISOString() });
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
          expect(robot.last()).toContain(why);
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

describe('examples/go', () => {
  const go = optionalTool('go');
  const program = '.cache/examples/subscriber';
  const env = {
    ...process.env,
    GOCACHE: resolve('.cache/go/build'),
    GOMODCACHE: resolve('.cache/go/mod'),
    GOFLAGS: '-mod=readonly',
    GOTOOLCHAIN: 'local',
  };
  let missing = go === undefined ? 'go was not found' : undefined;

  beforeAll(() => {
    const build = ['-C', 'examples/go', 'build', '-o', `../../${program}`];
    expect(readme).toContain(`go ${build.join(' ')} && ${program} `);
    if (go === undefined) return;
    const fetched = runWith(env, go, '-C', 'examples/go', 'mod', 'download');
    if (fetched.ok) expect(runWith(env, go, ...build)).toEqual({ ok: true, text: '' });
    else missing = `modules could not be fetched: ${fetched.text.trim().split('\n').at(-1) ?? ''}`;
  }, 400_000);

  it('acts on what is fresh and calibrated, and knows when it does not know', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const startIt = (url: string): Subscriber => start(program, [url, 'test', 'gate']);
    await promise(startIt, { likely: '{van enters}' });
  });

  it('is formatted, and vet has nothing to say', (context) => {
    if (go === undefined || missing !== undefined) return context.skip(missing);
    expect(runWith(env, go, '-C', 'examples/go', 'vet', './...')).toEqual({ ok: true, text: '' });
    const root = runWith(env, go, 'env', 'GOROOT').text.trim();
    const gofmt = [join(root, 'bin/gofmt'), 'gofmt'].find((one) => run(one, '-h').text !== '');
    if (gofmt !== undefined) expect(run(gofmt, '-l', 'examples/go').text).toBe('');
  });
});

describe('examples/subscriber-mqtt.ts', () => {
  it('acts on what is fresh and calibrated, and knows when it does not know', async () => {
    expect(readme).toContain('node .cache/examples/subscriber-mqtt.js');
    const port = await freePort();
    const config = `server_name: test\nmqtt { host: 127.0.0.1, port: ${port} }`;
    const args = [`mqtt://127.0.0.1:${port}`, 'test', 'gate'];
    await promise(() => start(process.execPath, ['.cache/examples/subscriber-mqtt.js', ...args]), {
      server: { config },
    });
  });
});

describe('examples/nats-cli.sh', () => {
  const nats = optionalTool('nats');
  const needs = nats === undefined || !run('jq', '--version').ok;
  const PATH = [...(nats === undefined ? [] : [dirname(nats)]), process.env['PATH']].join(':');
  const env = { ...process.env, PATH };
  const script = (...args: string[]): Subscriber => start('examples/nats-cli.sh', args, env);

  it.skipIf(needs)(
    'acts on what is fresh and calibrated, and knows when it does not know',
    async () => {
      await promise((url) => script('act', url, 'test', 'gate'), { briefMs: 8_000 });
    },
    // Two programs are started for each look.
    180_000,
  );

  it.skipIf(needs)('shows what is live, last, stored and true now, and asks', async () => {
    const server = await natsServerForTest();
    const bus = await connectBus({ servers: [server.url], site: 'test' });
    onTestFinished(() => bus.close(0));
    await bus.ready(20_000);
    bus.serveStream('ask', 'Answers.', (asked) => {
      const { camera, question = '' } = asked as AskRequest;
      const piece = { schema: 'lookahead.answer.v1', site: 'test', camera, question };
      return of(
        { ...piece, piece: 0, text: `You asked: ${question}`, more: true },
        { ...piece, piece: 1, text: '', more: false },
      );
    });
    await bus.publish(fresh(1, 0.3));
    await bus.publish(outcome(1, { verdict: 'miss', observed: 'dog leaves' }));
    await bus.publish(state({ camera: 'yard', state: 'frozen', why: 'still' }));
    const at = [server.url, 'test', 'gate'];
    const says = (subscriber: Subscriber, text: string): Promise<void> =>
      vi.waitFor(() => expect(subscriber.text()).toContain(text), {
        timeout: 60_000,
        interval: 50,
      });
    await says(script('last', ...at), '"id": "test-gate-1-1"');
    await says(script('since', '1h', ...at), 'miss: dog leaves, most likely was van enters');
    await says(script('states', ...at), ' yard frozen: still');
    await says(script('ask', 'Why?', ...at), 'You asked: Why?');
    const live = script('live', ...at);
    const repeating = setInterval(() => void bus.publish(fresh(2, 0.31)), 300);
    onTestFinished(() => clearInterval(repeating));
    await says(live, '"nothing":0.31,"events":[{"label":"van enters","confidence":0.62}');
  });

  it('says what it takes', () => {
    expect(run('examples/nats-cli.sh').text).toContain('nats-cli.sh act|live');
    expect(run('examples/nats-cli.sh', 'dance').text).toContain('nats-cli.sh act|live');
  });
});

describe('examples/webhook.py', () => {
  it('believes what the engine signs, once, and calls late and uncalibrated forecasts unknown', async () => {
    const secret = 'a secret of some length';
    const port = await freePort();
    const env = { ...process.env, LOOKAHEAD_WEBHOOK_SECRET: secret };
    const receiver = start('python3', ['examples/webhook.py', String(port)], env);
    const results: string[] = [];
    const target = { url: `http://127.0.0.1:${port}/`, headers: {}, secret, timeoutMs: 5_000 };
    const limits = { ...target, retries: 0, maxAgeS: 60, queueMax: 32 };
    const open = (changes: Partial<typeof limits>) =>
      openWebhook({
        limits: { ...limits, ...changes },
        onResult: (result, why) => results.push(`${result} ${why}`.trim()),
        backOffMs: 100,
      });
    const notice = (message: Forecast): Notice => ({
      ...{ schema: 'lookahead.webhook.v1', camera: 'gate', kind: 'forecast' },
      ...{ label: 'van enters', confidence: 0.62, text: `«${message.sequence}»`, message },
    });
    const hook = open({ retries: 10 });
    hook.send(notice(fresh(1, 0.1))); // Tried until the receiver has started.
    await vi.waitFor(() => expect(results).toEqual(['sent']), { timeout: 30_000, interval: 50 });
    const thief = open({ secret: 'another one of some length' });
    thief.send(notice(fresh(2, 0.1)));
    await vi.waitFor(() => expect(results.at(-1)).toBe('failed it answered 401'));
    hook.send(notice(fresh(1, 0.1)));
    hook.send(notice(fresh(3, 0.1, { calibrated: false })));
    hook.send(notice(fresh(4, 0.1, { validUntil: new Date(Date.now() - 1).toISOString() })));
    hook.send(notice(fresh(5, 0.1)));
    await hook.close(20_000);
    const said = (): string[] =>
      receiver
        .text()
        .split('\n')
        .filter((line) => line.includes('«'));
    await vi.waitFor(() =>
      expect(said()).toEqual([
        'forecast: «1»',
        'unknown, not calibrated: «3»',
        'unknown, it came too late: «4»',
        'forecast: «5»',
      ]),
    );
    const old = String(Math.floor(Date.now() / 1_000) - 1_000);
    const body = JSON.stringify(notice(fresh(6, 0.1)));
    const headers = {
      'x-lookahead-timestamp': old,
      'x-lookahead-signature': signature(secret, old, body),
    };
    const { status } = await fetch(target.url, { method: 'POST', body, headers });
    expect(status).toBe(401);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

it('all watch a camera that the engine has without any configuration, as the README says', () => {
  const [camera] = cameraNamesOf(ConfigSchema.parse({}));
  const read = (file: string): string => readFileSync(file, 'utf8');
  for (const file of ['subscriber.ts', 'subscriber-mqtt.ts'])
    expect(/camera = '(.*?)'/.exec(read(`examples/${file}`))?.[1]).toBe(camera);
  expect(/DEFAULTS = .*"(.*?)"\]/.exec(read('examples/subscriber.py'))?.[1]).toBe(camera);
  expect(/"home", "(.*?)"\}/.exec(read('examples/go/main.go'))?.[1]).toBe(camera);
  expect(/camera=\$\{3:-(.*?)\}/.exec(read('examples/nats-cli.sh'))?.[1]).toBe(camera);
  expect(/camera \(`(.*?)`\)/.exec(readme)?.[1]).toBe(camera);
  const commands = [...readme.matchAll(/(?:nats|mqtt):\S+ home (\S+)$/gm)].map((match) => match[1]);
  expect(commands).toEqual(Array(5).fill(camera));
});

it('all fit on one screen', () => {
  const files = [
    'subscriber.ts',
    'subscriber.py',
    'go/main.go',
    'nats-cli.sh',
    'subscriber-mqtt.ts',
  ];
  for (const file of [...files, 'webhook.py']) {
    expect(readFileSync(`examples/${file}`, 'utf8').split('\n').length, file).toBeLessThanOrEqual(
      61,
    );
  }
});
