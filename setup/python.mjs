/** Python with the training packages: only `npm test` and `./lookahead bundle build` need it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError, step, tail } from './step.mjs';

const uvVersion = '0.13.9';

/** uv in the cache, then training/.venv as training/uv.lock says. Resolves with the path of its python. */
export async function trainingEnvironment(root) {
  const folder = join(root, '.cache', `uv-${uvVersion}`);
  const uv = join(folder, 'bin/uv');
  const python = join(root, 'training/.venv/bin/python');
  const sync = ['sync', '--project', 'training', '--frozen'];
  const env = { UV_PYTHON_DOWNLOADS: 'never', VIRTUAL_ENV: undefined };
  if ((await run(uv, ['--version'])).status !== 0) {
    await step('uv', 'fetching the installer of the training packages', async () => {
      rmSync(folder, { recursive: true, force: true });
      const { status, output } = await run('python3', [
        ...['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet'],
        ...['--target', folder, `uv==${uvVersion}`],
      ]);
      if (status === 0) return `${uvVersion} in the project’s cache`;
      throw new SetupError(
        `uv could not be fetched. pip said:\n${tail(output, 4)}\n` +
          'Install pip for python3 (for example: apt-get install python3-pip), then try again.',
      );
    });
  }
  if ((await run(uv, [...sync, '--check'], { cwd: root, env })).status === 0) return python;
  await step('training', 'installing PyTorch and the rest from the lock file', async () => {
    const { status, output } = await run(uv, sync, { cwd: root, env });
    if (status === 0) return 'python packages installed';
    throw new SetupError(`The training packages could not be installed. uv said:\n${tail(output)}`);
  });
  return python;
}
