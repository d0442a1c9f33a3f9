/** vitest's global set-up: writes `dist/` once, because child processes run compiled JavaScript. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function buildDist(): void {
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  run('vite/bin/vite.js', 'build', '-c', 'src/sinks/dashboard/vite.config.ts');
}

function run(script: string, ...args: readonly string[]): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const result = spawnSync(process.execPath, [`${root}/node_modules/${script}`, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  // Types are checked by a step of their own; here only missing output is a failure.
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0 && process.env['CI'] !== undefined) throw new Error(result.stdout);
}
