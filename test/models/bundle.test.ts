import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBundle } from '../../src/models/bundle.js';
import type { Manifest } from '../../src/models/manifest.js';
import { openSession } from '../../src/models/session.js';
import { float32 } from '../../src/models/tensor.js';
import { yardDir, yardManifest } from './yard-bundle.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bundle-test-'));
  cpSync(yardDir, dir, { recursive: true, filter: (path) => !path.includes('golden') });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Changes the manifest in the copy; hashes of files that changed are made right with `rehash`. */
function edit(change: (manifest: Manifest) => unknown): void {
  const manifest = yardManifest();
  change(manifest);
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
}
function rehash(key: 'calibration' | 'tokenizer' | 'embeddings' | 'fusion', content: string): void {
  const { path } = yardManifest().files[key];
  writeFileSync(join(dir, path), content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  edit((manifest) => Object.assign(manifest.files[key], { sha256 }));
}
const calibration = () =>
  JSON.parse(readFileSync(join(dir, yardManifest().files.calibration.path), 'utf8')) as {
    familiarity: { mean: number[]; quantiles: number[] };
  };

test('a whole bundle opens, named by the hash of its manifest', async () => {
  const bundle = await openBundle(dir);
  const manifest = readFileSync(join(dir, 'manifest.json'));
  expect(bundle.sha256).toBe(createHash('sha256').update(manifest).digest('hex'));
  const { vocabulary } = bundle.manifest.language;
  expect((await bundle.embeddings()).length).toBe(
    vocabulary * bundle.manifest.geometry.languageDim,
  );
});

describe('refused, with the file and the value', () => {
  const cases: [string, () => void, RegExp][] = [
    ['no folder', () => rmSync(dir, { recursive: true }), /manifest\.json: cannot be read/],
    ['a manifest that is no JSON', () => writeFileSync(join(dir, 'manifest.json'), '{'), /no JSON/],
    [
      'a manifest of another schema',
      () => edit((m) => Object.assign(m, { schema: 'v9' })),
      /schema/,
    ],
    ['a missing file', () => rmSync(join(dir, 'fusion.onnx')), /fusion\.onnx: cannot be read/],
    [
      'half a file',
      () => truncateSync(join(dir, 'backbone.onnx'), 1000),
      /backbone\.onnx: 1000 bytes with SHA-256/,
    ],
    [
      'an empty file',
      () => truncateSync(join(dir, 'backbone.onnx'), 0),
      /backbone\.onnx: has 0 bytes/,
    ],
    [
      'another file of the same name',
      () => writeFileSync(join(dir, 'fusion.onnx'), 'text'),
      /fusion\.onnx: 4 bytes with SHA-256/,
    ],
    [
      'a link to a file',
      () => {
        renameSync(join(dir, 'fusion.onnx'), join(dir, 'real.onnx'));
        symlinkSync('real.onnx', join(dir, 'fusion.onnx'));
      },
      /fusion\.onnx: is a symbolic link/,
    ],
    [
      'a path out of the folder',
      () => edit((m) => Object.assign(m.files.fusion, { path: '../fusion.onnx' })),
      /"?\.\.\/fusion\.onnx: the path leaves/,
    ],
    [
      'an absolute path',
      () => edit((m) => Object.assign(m.files.fusion, { path: '/etc/passwd' })),
      /\/etc\/passwd: the path leaves/,
    ],
    [
      'a folder as a file',
      () => edit((m) => Object.assign(m.files.fusion, { path: 'fusion.onnx/x' })),
      /not a plain file/,
    ],
    [
      'a label too few',
      () => edit((m) => m.labels.pop()),
      /eventThresholds has \d+ entries for \d+ labels/,
    ],
    [
      'labels that the event head does not know',
      () =>
        edit((m) => {
          m.labels.pop();
          m.eventThresholds.pop();
        }),
      /"event_logits" has \d+ columns for \d+ labels/,
    ],
    [
      'classes that the object head does not know',
      () => edit((m) => m.classes.pop()),
      /"class_logits" has \d+ columns for \d+ classes/,
    ],
    ['nothing that is not first', () => edit((m) => m.labels.reverse()), /labels\[0\]\.type/],
    [
      'look frames that do not end at the key frame',
      () => edit((m) => Object.assign(m.geometry, { lookFrames: [1, 3, 5] })),
      /geometry\.lookFrames is \[1, 3, 5\]; it must ascend to keyFrame, 7/,
    ],
    [
      'track attributes that nobody computes',
      () => edit((m) => Object.assign(m.geometry, { trackAttributes: ['x', 'y'] })),
      /geometry\.trackAttributes is \[x, y\]/,
    ],
    [
      'object attributes that the graph does not give',
      () => edit((m) => Object.assign(m.geometry, { objectAttributes: ['open'] })),
      /output "attributes" has 13 columns for 1 objectAttributes/,
    ],
    [
      'attributes in another order',
      () => edit((m) => m.geometry.attributes.reverse()),
      /geometry\.attributes/,
    ],
    [
      'a key frame after the clip',
      () => edit((m) => Object.assign(m.geometry, { keyFrame: 99 })),
      /keyFrame is 99/,
    ],
    [
      'a mask grid that does not fit',
      () => edit((m) => Object.assign(m.geometry, { maskRows: 47 })),
      /mask grid/,
    ],
    [
      'another vocabulary',
      () => edit((m) => Object.assign(m.language, { vocabulary: 7 })),
      /bytes, \[vocabulary, languageDim\] needs|endOfText|knows/,
    ],
    [
      'a calibration of another width',
      () => {
        const c = calibration();
        c.familiarity.mean.pop();
        rehash('calibration', JSON.stringify(c));
      },
      /familiarity\.mean has \d+ numbers/,
    ],
    [
      'quantiles that do not ascend',
      () => {
        const c = calibration();
        c.familiarity.quantiles = [3, 2];
        rehash('calibration', JSON.stringify(c));
      },
      /quantiles must ascend/,
    ],
    [
      'a table of what follows whose labels are of another bundle',
      () => {
        const follow = { brings: { 'van enters': { 'cow enters': 0.1 } }, left: {} };
        rehash('calibration', JSON.stringify({ ...calibration(), follow }));
      },
      /follow names "cow enters"/,
    ],
    [
      'a table in which something follows nothing',
      () => {
        const follow = { brings: { nothing: { 'van enters': 0.1 } }, left: {} };
        rehash('calibration', JSON.stringify({ ...calibration(), follow }));
      },
      /follow names "nothing"/,
    ],
    [
      'a tokenizer that is none',
      () => rehash('tokenizer', '{}'),
      /tokenizer\.json: is no tokenizer/,
    ],
  ];
  test.each(cases)('%s', async (_, damage, message) => {
    damage();
    const error: unknown = await openBundle(dir).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringMatching(message) as string,
    });
    expect((error as { remedy: string }).remedy).not.toBe('');
  });
});

describe('a graph', () => {
  const objectHead = () => yardManifest().files.objectHead;
  const path = () => join(dir, objectHead().path);
  const options = { threads: 1 };

  test('that is text is refused', async () => {
    writeFileSync(path(), 'not a graph');
    await expect(openSession(path(), objectHead(), options)).rejects.toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringMatching(/object-head\.onnx is no ONNX graph/) as string,
    });
  });

  const renamed = (graph: Manifest['files']['objectHead'], name: string) => ({
    ...graph,
    inputs: graph.inputs.map((one, index) => (index === 0 ? { ...one, name } : one)),
  });
  test.each([
    [
      'names',
      (graph: Manifest['files']['objectHead']) => renamed(graph, 'things'),
      /no input "things"/,
    ],
    [
      'shapes',
      (graph: Manifest['files']['objectHead']) => ({
        ...graph,
        inputs: graph.inputs.map((one) => ({ ...one, shape: ['n', 5] })),
      }),
      /the manifest says float32 \[n, 5\]/,
    ],
    [
      'types',
      (graph: Manifest['files']['objectHead']) => ({
        ...graph,
        outputs: graph.outputs.map((one) => ({ ...one, type: 'int64' as const })),
      }),
      /the manifest says int64/,
    ],
    [
      'inputs',
      (graph: Manifest['files']['objectHead']) => ({ ...graph, inputs: graph.inputs.slice(1) }),
      /asks for an input/,
    ],
  ])('whose %s are not the manifest’s is refused', async (_, change, message) => {
    await expect(openSession(path(), change(objectHead()), options)).rejects.toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringMatching(message) as string,
    });
  });

  test('that is fed another shape says which, and works on', async () => {
    const session = await openSession(path(), objectHead(), options);
    const { visionDim } = yardManifest().geometry;
    const objects = float32([1, visionDim], new Float32Array(visionDim));
    await expect(
      session.run({ objects, boxes: float32([1, 3], new Float32Array(3)) }),
    ).rejects.toMatchObject({
      code: 'model_failed',
      message: expect.stringMatching(
        /"boxes" is float32 \[1, 3\] and should be float32 \[n, 4\]/,
      ) as string,
    });
    const good = await session.run({ objects, boxes: float32([1, 4], new Float32Array(4)) });
    expect(good['class_logits']?.dims[0]).toBe(1);
    await session.dispose();
  });
});
