/** Does the whole set-up that a command needs, then runs it in this process. Plain JavaScript without dependencies. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, installPackages } from './packages.mjs';
import { SetupError, stopChildren } from './step.mjs';
import { findTools, toolEnv } from './tools.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(`Lookahead needs Node 20.19 or newer; this is ${process.versions.node}.`);
}

async function launch(args) {
  checkNode();
  await installPackages(root);
  const [command] = args;
  if (command === 'test') {
    const { test } = await import('./test.mjs');
    return await test(root, args.slice(1));
  }
  await build(root);
  if (command === 'bench') {
    const { bench } = await import('./bench.mjs');
    return await bench(root, args.slice(1));
  }
  if (command === 'screenshots') {
    const { screenshots } = await import('./screenshots.mjs');
    await screenshots(root);
    return undefined;
  }
  if (command === 'pack-yard') {
    const { packYard } = await import('./pack-yard.mjs');
    await packYard(root);
    return undefined;
  }
  if (command === 'docs') {
    await import(pathToFileURL(join(root, 'dist/docs.js')).href);
    return undefined;
  }
  const { main, needsTraining, toolsOf } = await import(
    pathToFileURL(join(root, 'dist/main.js')).href
  );
  const needed = toolsOf(args);
  const isTold = command === undefined || /^(start$|run$|setup$|-)/.test(command);
  const found = await findTools(root, needed, { quiet: !isTold });
  for (const [name, path] of Object.entries(found)) process.env[toolEnv[name]] = path;
  if (needsTraining(args) && process.env.LOOKAHEAD_PYTHON === undefined) {
    const { trainingEnvironment } = await import('./python.mjs');
    process.env.LOOKAHEAD_PYTHON = await trainingEnvironment(root);
  }
  setUpDone();
  return await main(args);
}

// While set-up runs, a signal ends it and what it started; afterwards signals belong to the command.
const interrupt = (signal) => {
  stopChildren('SIGTERM');
  process.exit(signal === 'SIGINT' ? 130 : 143);
};
function setUpDone() {
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
}
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

try {
  const status = await launch(process.argv.slice(2));
  if (status !== undefined) process.exitCode = status;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  setUpDone();
}
