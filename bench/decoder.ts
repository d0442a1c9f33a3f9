/**
 * Whether prose can always be read back: `npm run bench -- decoder [--runs 1000000] [--bundle-runs 2000] [--bundle DIR]`. So many
 * decoder runs on logits that mean nothing, then so many with the bundle's own language model behind a prefix that means nothing.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBundle } from '../src/models/bundle.js';
import { LanguageModel } from '../src/models/language-model.js';
import { seededRandom } from '../src/models/seeded-random.js';
import { openSession } from '../src/models/session.js';
import { proseRuns } from './made-up.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    'bundle-runs': { type: 'string', default: '2000' },
    bundle: {
      type: 'string',
      default: fileURLToPath(new URL('../bundles/yard', import.meta.url)),
    },
  },
});

const bundle = await openBundle(values.bundle);
const { files, geometry } = bundle.manifest;
const session = await openSession(bundle.path('reasoner'), files.reasoner, { threads: 1 });
const model = new LanguageModel(session, await bundle.embeddings(), bundle.manifest);
const tree = model.plant();
const random = seededRandom(7);

const report = ({ runs, broken }: Awaited<ReturnType<typeof proseRuns>>, how: string): void => {
  const what = broken.length === 0 ? 'all parse' : `broken: ${JSON.stringify(broken)}`;
  process.stdout.write(`${runs.toLocaleString('en')} runs ${how}: ${what}\n`);
  if (broken.length > 0) process.exitCode = 1;
};
report(await proseRuns(Number(values.runs), bundle), 'on random logits');
const withModel = await proseRuns(Number(values['bundle-runs']), bundle, async () => {
  tree.cut(0);
  const prefix = Float32Array.from(
    { length: geometry.queries * geometry.languageDim },
    () => random() * 2 - 1,
  );
  return { tree, stem: await tree.readEmbedded(prefix) };
});
report(withModel, `with the language model of ${bundle.manifest.name}`);
await session.dispose();
