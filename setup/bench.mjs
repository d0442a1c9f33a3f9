/** `npm run bench -- NAME`: compiles `bench/` and runs one of its programs with the tools' paths in the environment. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { run, SetupError } from './step.mjs';
import { findTools, toolEnv } from './tools.mjs';

/** What benches have in common is no bench. */
const shared = ['shared', 'made-up'];

/** Resolves with the exit status of the bench. */
export async function bench(root, [name, ...args]) {
  const folder = join(root, 'bench');
  const sources = existsSync(folder)
    ? readdirSync(folder).filter((file) => file.endsWith('.ts'))
    : [];
  const names = sources
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((file) => !shared.includes(file));
  if (name === undefined || !names.includes(name)) {
    throw new SetupError(
      `Write: npm run bench -- NAME, where NAME is one of: ${names.join(', ')}.`,
    );
  }
  compile(root, folder, sources);
  const found = await findTools(root, ['ffmpeg', 'nats-server'], { quiet: false });
  const env = Object.fromEntries(
    Object.entries(found).map(([tool, path]) => [toolEnv[tool], path]),
  );
  const script = join(root, '.cache', `${name}.js`);
  const { status } = await run(process.execPath, [script, ...args], { env, show: true });
  return status;
}

/** A bench measures the compiled engine, so its imports of `src/` become imports of `dist/`. Types are checked by the tests. */
function compile(root, folder, sources) {
  const typescript = createRequire(import.meta.url)('typescript');
  // One level below the root, as bench/ itself: what a bench finds by a relative path stays where it is.
  mkdirSync(join(root, '.cache'), { recursive: true });
  for (const file of sources) {
    const { outputText } = typescript.transpileModule(readFileSync(join(folder, file), 'utf8'), {
      compilerOptions: { module: 'esnext', target: 'es2023', verbatimModuleSyntax: true },
    });
    const target = join(root, '.cache', file.replace(/\.ts$/, '.js'));
    writeFileSync(target, outputText.replaceAll("'../src/", "'../dist/"));
  }
}
