import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, type Context } from '../../src/commands/index.js';
import { openBundle } from '../../src/models/bundle.js';
import { Perceiver } from '../../src/models/perceiver.js';
import { samFiles } from '../models/sam-fixtures.js';
import { yardDir } from '../models/yard-bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-add-sam-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function models(...args: string[]): Promise<string> {
  const out = new Text();
  const context = { out, err: out, env: {}, cwd: folder } as unknown as Context;
  expect(await commands['models']?.(args, context)).toBe(0);
  return out.text;
}
function add(layout: keyof typeof samFiles, out: string): Promise<string> {
  const { encoder, decoder } = samFiles[layout];
  const files = ['--encoder', encoder, '--decoder', decoder];
  return models('add', 'sam', ...files, '--bundle', yardDir, '--out', out);
}

describe('models add sam', () => {
  const target = join(folder, 'with-sam');
  let said = '';
  beforeAll(async () => {
    said = await add('hf', target);
  });

  test('says what was done and what it costs', () => {
    expect(said).toMatch(/^layout +hf; the encoder takes the picture in 64 x 64 px/m);
    expect(said).toMatch(/^masks +20 x 12 cells over the frame$/m);
    expect(said).toMatch(/predIouThresh 0\.88, stabilityScoreThresh 0\.95/);
    expect(said).toMatch(/^cost +\d+ ms of CPU .* 60 points of the grid in 4 runs: [\d.]+ cores/m);
    expect(said).toContain(target);
  });

  test('writes a whole bundle that states no quality of the old segmenter', async () => {
    const { manifest } = await openBundle(target);
    expect(manifest.segmenter).toMatchObject({
      predIouThresh: 0.88,
      stabilityScoreThresh: 0.95,
      stabilityScoreOffset: 1,
      boxNmsThresh: 0.7,
      pointsPerBatch: 16,
    });
    expect(manifest.geometry).toMatchObject({ maskRows: 12, maskColumns: 20 });
    expect(manifest.files.segmenterDecoder.inputs.map(({ name }) => name)).toContain(
      'input_points',
    );
    expect(manifest.quality).toEqual({});
    expect(manifest.domain.familiarityMin).toBe(1);
  });

  test('and the perceiver runs with it', async () => {
    const bundle = await openBundle(target);
    const perceiver = await Perceiver.open(bundle, { threads: 1 });
    const { geometry, preprocessing } = bundle.manifest;
    const { widthPx, heightPx } = preprocessing;
    const bytes = geometry.framesPerClip * widthPx * heightPx * 3;
    const input = {
      camera: 'gate',
      epoch: 0,
      clip: 0,
      fromMs: 0,
      toMs: 875,
      picture: { x: 0, y: 3, width: 160, height: 90 },
      trackFloor: 0,
      pixels: Uint8Array.from({ length: bytes }, (_, index) => (index * 7 + (index >> 9)) % 251),
    };
    const [scene] = await perceiver.scenes([input]);
    await perceiver.dispose();
    expect(scene).toMatchObject({ camera: 'gate', clip: 0 });
    expect(scene?.stagesMs).toHaveProperty('segmenterDecoder');
  });

  test.each(['official', 'edge'] as const)('takes %s', async (layout) => {
    expect(await add(layout, join(folder, layout))).toMatch(/60 points of the grid in 60 runs/);
  });

  test('writes nothing into a folder that holds something', async () => {
    await expect(add('hf', target)).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(join(target, 'manifest.json'))).toBe(true);
  });

  test('leaves no folder behind where the graphs do not fit', async () => {
    const out = join(folder, 'none');
    const file = join(folder, 'no-graph.onnx');
    writeFileSync(file, 'no graph');
    const files = ['--encoder', samFiles.hf.encoder, '--decoder', file];
    await expect(models('add', 'sam', ...files, '--out', out)).rejects.toMatchObject({
      code: 'bundle_invalid',
    });
    await expect(models('add', 'sam', '--encoder', file, '--out', out)).rejects.toMatchObject({
      message: '--decoder is missing.',
    });
    await expect(models('remove')).rejects.toMatchObject({ code: 'usage' });
    expect(existsSync(out)).toBe(false);
  });
});
