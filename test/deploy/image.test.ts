/**
 * The image without Docker: exactly what the Dockerfile copies, in a folder of its own, with the packages that `npm prune`
 * would leave. What the engine reads and the Dockerfile forgets is missing here too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openNotifySocket } from '../support/notify-socket.js';
import { copiesOf, environmentOf, readDockerfile, wordsOf, type Stage } from './dockerfile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lookahead-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const home = '/opt/lookahead';
const files = ['deploy/Dockerfile', 'deploy/Dockerfile.cuda'];
const stageOf = (stages: readonly Stage[], name: string): Stage => {
  const stage = stages.find((one) => one.name === name);
  if (stage === undefined) throw new Error(`There is no stage ${name}.`);
  return stage;
};

/** Whether `.dockerignore` keeps a path of the repository from the builder. Knows the patterns that stand there. */
function isIgnored(path: string): boolean {
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return patterns.some((pattern) => {
    const deep = pattern.startsWith('**/');
    const body = pattern.replace('**/', '').replaceAll('.', '\\.').replaceAll('*', '[^/]*');
    return new RegExp(`^${deep ? '(.*/)?' : ''}${body}(/|$)`).test(path);
  });
}

describe.each(files)('%s', (file) => {
  const stages = readDockerfile(join(root, file));
  const build = stageOf(stages, 'build');
  const image = stages.at(-1)!;

  it('copies what is there and is sent to the builder', () => {
    for (const stage of [build, image]) {
      for (const { from, sources } of copiesOf(stage)) {
        if (from !== undefined || sources[0] === '.') continue;
        for (const source of sources) {
          expect(existsSync(join(root, source)), source).toBe(true);
          expect(isIgnored(source), source).toBe(false);
        }
      }
    }
    expect(copiesOf(build).at(-1)).toEqual({ from: undefined, sources: ['.'], target: '.' });
    const needed = [
      'src/main.ts',
      'src/yard/data/splits.ts',
      'setup/packages.mjs',
      'tsconfig.build.json',
    ];
    for (const path of needed) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(isIgnored(path), path).toBe(false);
    }
    const secret = [
      'deploy/.env',
      'deploy/secrets/lookahead-token',
      '.git/config',
      'node_modules/x',
    ];
    for (const path of secret) expect(isIgnored(path), path).toBe(true);
  });

  it('runs as a user without rights, and writes in one place', () => {
    const [user] = image.instructions.filter(({ name }) => name === 'USER');
    expect(user?.text).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    const volume = image.instructions.find(({ name }) => name === 'VOLUME')?.text;
    const env = environmentOf(image);
    expect([env['LOOKAHEAD_STATE_DIR'], env['HOME']]).toEqual([volume, volume]);
    // After USER nothing is made any more that would belong to it.
    const names = image.instructions.map(({ name }) => name);
    expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'));
    expect(names.lastIndexOf('COPY')).toBeLessThan(names.indexOf('USER'));
  });

  it('starts and asks after its health by programs that it copies', () => {
    const copied = copiesOf(image).flatMap(({ sources }) => sources);
    for (const name of ['ENTRYPOINT', 'HEALTHCHECK']) {
      const path = wordsOf(image, name).find((word) => word.startsWith(home));
      expect(copied).toContain(relative(home, path ?? ''));
    }
    const tools = environmentOf(image);
    const installed = image.instructions.map(({ text }) => text).join('\n');
    expect(tools['LOOKAHEAD_FFMPEG']).toBe('/usr/bin/ffmpeg');
    expect(installed).toMatch(/apt-get install .*\bffmpeg\b.*\btini\b/);
    expect(copiesOf(image).map(({ target }) => target)).toContain(tools['LOOKAHEAD_NATS_SERVER']);
  });

  it('is built by the step that npm start takes', () => {
    const run = build.instructions.filter(({ name }) => name === 'RUN').at(-1)?.text;
    expect(run).toContain("import('./setup/packages.mjs')");
    expect(readFileSync(join(root, 'setup/packages.mjs'), 'utf8')).toContain(
      'export async function build(root)',
    );
  });
});

it('both images are made alike, but for the card', () => {
  const [cpu, cuda] = files.map((file) => readDockerfile(join(root, file)));
  expect(stageOf(cuda!, 'build')).toEqual(stageOf(cpu!, 'build'));
  expect(stageOf(cuda!, 'nats')).toEqual(stageOf(cpu!, 'nats'));
  const env = environmentOf(cuda!.at(-1)!);
  expect(env).toMatchObject({ ...environmentOf(cpu!.at(-1)!), LOOKAHEAD_DEVICE: 'cuda' });
});

/** Makes the folder `/opt/lookahead` of the image. */
function makeImage(): string {
  const stages = readDockerfile(join(root, 'deploy/Dockerfile'));
  const target = join(folder, 'opt/lookahead');
  mkdirSync(target, { recursive: true });
  for (const copy of copiesOf(stages.at(-1)!)) {
    if (copy.from === 'nats') continue;
    for (const source of copy.sources) {
      const path = copy.from === undefined ? source : relative(home, source);
      if (path === 'node_modules') copyPackages(target);
      else {
        // A folder's content is copied, a file by its name.
        const isFolder = statSync(join(root, path)).isDirectory();
        const to = isFolder ? copy.target : join(copy.target, basename(path));
        cpSync(join(root, path), join(target, to), { recursive: true });
      }
    }
  }
  prune(target, stageOf(stages, 'build'));
  return target;
}

/** What `npm prune --omit=dev` leaves, by the lock file. Real copies: a link would lead back to all packages. */
function copyPackages(target: string): void {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    if (path === '' || dev === true || devOptional === true) continue;
    const from = join(root, path);
    if (!existsSync(from)) continue;
    cpSync(from, join(target, path), {
      recursive: true,
      dereference: true,
      filter: (source) => !/^(node_modules|napi-v6\/(win32|darwin))/.test(ofPackage(from, source)),
    });
  }
  for (const other of ['win32/x64', 'darwin/arm64']) {
    const dir = join(target, 'node_modules/onnxruntime-node/bin/napi-v6', other);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'library'), '');
  }
}

function ofPackage(from: string, source: string): string {
  return relative(from, source).replace(/^bin\//, '');
}

/** By the very command of the Dockerfile. */
function prune(target: string, build: Stage): void {
  const run = build.instructions.filter(({ name }) => name === 'RUN').at(-1)?.text ?? '';
  const command = run.slice(run.indexOf('find node_modules'));
  const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: target, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}

const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();

const hasNotify = spawnSync('systemd-notify', ['--version']).status === 0;

it('what the image holds is enough to forecast, and nothing but its volume is written', async () => {
  const target = makeImage();
  const libraries = readdirSync(join(target, 'node_modules/onnxruntime-node/bin/napi-v6'), {
    recursive: true,
    withFileTypes: true,
  });
  expect(libraries.filter((one) => one.isFile()).map(({ parentPath }) => parentPath)).not.toContain(
    expect.stringMatching(/win32|darwin/),
  );
  const before = filesIn(target);
  const state = join(folder, 'state');
  const temporary = join(folder, 'tmp');
  mkdirSync(state);
  mkdirSync(temporary);
  const socket = await openNotifySocket();
  onTestFinished(() => socket.close());

  const image = readDockerfile(join(root, 'deploy/Dockerfile')).at(-1)!;
  const [, , entry = ''] = wordsOf(image, 'ENTRYPOINT');
  const env = {
    ...environmentOf(image),
    // This machine's programs and folders in the place of the image's.
    PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: state,
    TMPDIR: temporary,
    LOOKAHEAD_STATE_DIR: state,
    LOOKAHEAD_FFMPEG: process.env['LOOKAHEAD_FFMPEG'] ?? onPath('ffmpeg'),
    LOOKAHEAD_NATS_SERVER: process.env['LOOKAHEAD_NATS_SERVER'] ?? onPath('nats-server'),
    LOOKAHEAD_NATS_PORT: '0',
    LOOKAHEAD_HTTP_PORT: '0',
    LOOKAHEAD_YARD_CAMERAS: '1',
    NOTIFY_SOCKET: socket.path,
    WATCHDOG_USEC: '2000000',
  };
  const engine = spawn(join(target, relative(home, entry)), wordsOf(image, 'CMD'), {
    cwd: target,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void engine.kill('SIGKILL'));
  let [out, err] = ['', ''];
  engine.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  engine.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(engine, 'close');

  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await isSo())) {
      if (engine.exitCode !== null) throw new Error(`The engine ended: ${err}`);
      await delay(100);
    }
  };
  const page = (): string => /page\s+(http:\S+)/.exec(err)?.[1] ?? '';
  await until(() => page() !== '');
  const ready = (): Promise<number> =>
    fetch(`${page()}readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  await until(async () => (await ready()) === 200);
  await until(() => /^yard-1 .*\d %/m.test(out));
  expect(err).toMatch(/bundle\s+\S+ \S+ on cpu/);
  const metrics = await (await fetch(`${page()}metrics`)).text();
  for (const role of ['perceiver', 'reasoner'])
    expect(metrics).toContain(`lookahead_model_device_info{role="${role}",device="cpu"} 1`);

  const health = (port: string): number | null => {
    const [, path = ''] = wordsOf(image, 'HEALTHCHECK');
    const script = join(target, relative(home, path));
    return spawnSync(process.execPath, [script], { env: { LOOKAHEAD_HTTP_PORT: port } }).status;
  };
  expect(health(new URL(page()).port)).toBe(0);
  if (hasNotify) {
    const told = (fact: string): boolean => socket.messages.some(([first]) => first === fact);
    expect(socket.messages[0]?.[0]).toBe('READY=1');
    await until(() => told('WATCHDOG=1'));
  }

  const { port } = new URL(page());
  engine.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(health(port)).toBe(1);
  if (hasNotify) expect(socket.messages.map(([first]) => first)).toContain('STOPPING=1');
  expect(filesIn(target)).toEqual(before);
  // HOME is there too. An id of this machine or a database of what was done would be telemetry of the model runtime.
  expect(readdirSync(state)).toEqual(['nats']);
  expect(readdirSync(temporary)).toEqual([]);
}, 170_000);

function onPath(program: string): string {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
  return stdout.trim();
}
