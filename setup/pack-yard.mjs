/**
 * `npm run pack:yard`: the yard's recorder with Node in one file, for a machine that has neither (docs/yard.md).
 * Unpacked there: `./yard record --split train --scenes 5000 --out DIR`; videos need an ffmpeg on its path, `--tracks` does not.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { note, run, SetupError } from './step.mjs';

/** What it may weigh. */
const bytesMax = 50e6;
const packages = ['yaml', 'zod'];

const program = `import { yardRecordCommand } from './dist/commands/yard-record.js';
const [what, ...args] = process.argv.slice(2);
try {
  if (what !== 'record') throw new Error('Write: ./yard record --split SPLIT --out DIR …');
  process.exitCode = await yardRecordCommand(args, {
    ffmpegPath: process.env.LOOKAHEAD_FFMPEG ?? 'ffmpeg',
    err: process.stderr,
  });
} catch (error) {
  process.stderr.write(\`\${error.message}\${error.remedy ? \`\\n\${error.remedy}\` : ''}\\n\`);
  process.exitCode = 1;
}
`;

/** Resolves with the archive's path. */
export async function packYard(root) {
  const folder = join(root, '.cache', 'yard');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map') && !path.endsWith('.d.ts'),
  });
  for (const name of packages)
    cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
    });
  copyFileSync(process.execPath, join(folder, 'node'));
  // Debugging symbols are a sixth of it; without `strip` they stay.
  await run('strip', [join(folder, 'node')]);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(folder, 'yard.js'), program);
  writeFileSync(
    join(folder, 'yard'),
    '#!/bin/sh\nhere=${0%/*}\nexec "$here/node" "$here/yard.js" "$@"\n',
  );
  chmodSync(join(folder, 'yard'), 0o755);
  const archive = join(root, '.cache', `yard-${process.platform}-${process.arch}.tar.gz`);
  const { status, output } = await run('tar', [
    '-czf',
    archive,
    '-C',
    join(root, '.cache'),
    'yard',
  ]);
  if (status !== 0) throw new SetupError(`tar could not pack the yard: ${output}`);
  rmSync(folder, { recursive: true, force: true });
  const { size } = statSync(archive);
  if (size > bytesMax)
    throw new SetupError(
      `${archive} has ${(size / 1e6).toFixed(1)} MB; it may have ${bytesMax / 1e6}.`,
    );
  note('yard', `${archive}, ${(size / 1e6).toFixed(1)} MB`);
  return archive;
}
