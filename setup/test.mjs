/** `npm test`: the whole set-up, then every check. A failed part does not keep the others from running. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { findOptionalTools } from './optional-tools.mjs';
import { build } from './packages.mjs';
import { trainingEnvironment } from './python.mjs';
import { run, SetupError } from './step.mjs';
import { findTools, toolEnv } from './tools.mjs';

/** Resolves with the exit status. */
export async function test(root, args) {
  if (args.length > 0) {
    throw new SetupError('test takes no arguments; for a part run: npx vitest run test/FOLDER');
  }
  const results = join(root, '.cache/test');
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const found = {
    ...(await findTools(root, ['ffmpeg', 'nats-server'], { quiet: false })),
    ...(await findOptionalTools(root)),
  };
  const env = {
    // The examples and the cross-checks start these programs by name.
    PATH: [...new Set(Object.values(found).map(dirname)), process.env.PATH].join(delimiter),
    ...Object.fromEntries(Object.entries(found).map(([name, path]) => [toolEnv[name], path])),
  };
  const training = await trainingEnvironment(root);
  const node = process.execPath;
  const bin = (name) => join(root, 'node_modules', name);
  const python = ['-m'];
  const parts = [
    ['types', node, [bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
    ['types: page', node, [bin('typescript/bin/tsc'), '-p', 'src/sinks/dashboard/tsconfig.json']],
    [
      'lint',
      node,
      [bin('eslint/bin/eslint.js'), '.', '--cache', '--cache-location', '.cache/eslint'],
    ],
    ['format', node, [bin('prettier/bin/prettier.cjs'), '--check', '.', '--log-level', 'warn']],
    [
      'vitest',
      node,
      [
        ...[bin('vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json'],
        `--outputFile.json=${join(results, 'vitest.json')}`,
      ],
    ],
    ['ruff', training, [...python, 'ruff', 'check', 'training']],
    [
      'pytest',
      training,
      [...python, 'pytest', '-q', `--junitxml=${join(results, 'pytest.xml')}`],
      'training',
    ],
  ];

  const rows = [];
  try {
    await build(root);
    rows.push(['build', 'ok', '']);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stdout.write(`${error.message}\n`);
    rows.push(['build', 'FAILED', '']);
  }
  for (const [name, file, parameters, folder = '.'] of parts) {
    process.stdout.write(`\n── ${name} ──\n`);
    const startedAt = performance.now();
    const { status } = await run(file, parameters, { cwd: join(root, folder), env, show: true });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    rows.push([name, status === 0 ? 'ok' : 'FAILED', `${seconds} s`]);
  }

  process.stdout.write('\n');
  for (const [name, result, time] of rows) {
    process.stdout.write(`${name.padEnd(11)} ${result.padEnd(8)} ${time}\n`);
  }
  const { passed, failed, skipped } = count(results);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return rows.every(([, result]) => result === 'ok') ? 0 : 1;
}

/** Over vitest and pytest together. A part that wrote no result counts as one failure. */
function count(results) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    const vitest = JSON.parse(readFileSync(join(results, 'vitest.json'), 'utf8'));
    total.passed += vitest.numPassedTests;
    total.failed += vitest.numFailedTests;
    total.skipped += vitest.numPendingTests + vitest.numTodoTests;
  } catch {
    total.failed += 1;
  }
  try {
    const xml = readFileSync(join(results, 'pytest.xml'), 'utf8');
    const number = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(xml)[1]);
    const failed = number('failures') + number('errors');
    total.failed += failed;
    total.skipped += number('skipped');
    total.passed += number('tests') - failed - number('skipped');
  } catch {
    total.failed += 1;
  }
  return total;
}
