/** vitest's global set-up: writes `dist/` once, because child processes run compiled JavaScript. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function buildDist(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const tsc = `${root}/node_modules/typescript/bin/tsc`;
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  // Types are checked by a step of their own; here only missing output is a failure.
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0 && process.env['CI'] !== undefined) throw new Error(result.stdout);
}
