/** Node packages from the lock file, and `dist/` from `src/`: each only when something changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run, SetupError, step, tail } from './step.mjs';

export async function installPackages(root) {
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  if (isInstalled(root, wanted)) return;
  await step('node packages', 'installing from the lock file', async () => {
    // npm start sets npm_execpath; ./lookahead finds npm on PATH.
    const npm = process.env.npm_execpath;
    const [file, first] = npm?.endsWith('.js') === true ? [process.execPath, [npm]] : ['npm', []];
    const { status, output } = await run(
      file,
      [...first, 'ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'],
      { cwd: root },
    );
    if (status === 0) return `${Object.keys(wanted).length} in the lock file, installed`;
    throw new SetupError(
      `The node packages could not be installed. npm said:\n${tail(output)}\n` +
        'Check that the npm registry can be reached, then try again.',
    );
  });
}

function lockedPackages(path) {
  const { packages = {} } = JSON.parse(readFileSync(path, 'utf8'));
  delete packages[''];
  return packages;
}

/** npm writes what it installed into a lock file of its own: the last thing it does, so it is also proof of an end. */
function isInstalled(root, wanted) {
  const path = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(path)) return false;
  const actual = lockedPackages(path);
  return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
    const found = actual[name];
    // An optional package may be for another kind of machine.
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/** The engine by tsc, the dashboard by Vite. */
export async function build(root) {
  const stamp = join(root, 'dist/.lookahead');
  const sources = sourceFiles(root);
  const hash = createHash('sha256').update(process.version);
  for (const path of sources) hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step('build', 'compiling src', async () => {
    await compile(root, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
    await compile(root, ['node_modules/vite/bin/vite.js', 'build', '-c', dashboardConfig]);
    mkdirSync(join(root, 'dist'), { recursive: true });
    writeFileSync(stamp, wanted);
    return `compiled ${sources.length} files`;
  });
}

const dashboardConfig = 'src/sinks/dashboard/vite.config.ts';

async function compile(root, args) {
  const { status, output } = await run(process.execPath, args, {
    cwd: root,
    env: { NO_COLOR: '1' },
  });
  if (status !== 0) throw new SetupError(`src does not compile:\n${tail(output, 30)}`);
}

function sourceFiles(root) {
  const inSource = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)));
  return [...inSource.sort(), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
}
