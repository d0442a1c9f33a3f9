import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createModelPorts, type ModelPorts } from '../../src/models/model-ports.js';
import { decodeRle } from '../../src/models/rle.js';
import type { Clip, Scene } from '../../src/types.js';
import { yardDir } from './yard-bundle.js';

/** The real models in their real processes. */
let ports: ModelPorts;
const restarts: string[] = [];
beforeAll(async () => {
  const child = {
    backOffMs: [1],
    onRestart: (role: string, why: string) => void restarts.push(`${role}: ${why}`),
  };
  ports = await createModelPorts({
    bundleDir: yardDir,
    epoch: 1_700_000_000_000,
    perceiverBatch: { batchMax: 4 },
    child,
  });
});
afterAll(() => ports.close());

/** A clip in which a square moves to the right over a plain ground. */
function clipOf(camera: string, index: number): Clip {
  const frames = Array.from({ length: 8 }, (_, k) => {
    const pixels = new Uint8Array(160 * 96 * 3).fill(90);
    const left = (index * 8 + k) * 2;
    for (let y = 40; y < 60; y++) {
      pixels.fill(220, (y * 160 + left) * 3, (y * 160 + left + 24) * 3);
    }
    const sequence = index * 8 + k;
    const picture = { x: 0, y: 3, width: 160, height: 90 };
    return { camera, sequence, capturedAtMs: sequence * 125, pixels, picture };
  });
  return { camera, index, fromMs: index * 1000, toMs: index * 1000 + 875, frames };
}

async function perceiveAll(camera: string, count: number): Promise<Scene[]> {
  const scenes: Scene[] = [];
  for (let index = 0; index < count; index++)
    scenes.push(await ports.perceive(clipOf(camera, index)));
  return scenes;
}

test('clips become scenes and a window becomes a distribution', async () => {
  const { manifest } = ports.bundle;
  const { visionDim, attributes, maskRows, maskColumns, objectsPerClipMax } = manifest.geometry;
  const scenes = await perceiveAll('gate', 3);
  for (const { objects, tokens, familiarity } of scenes) {
    expect(objects.length).toBeLessThanOrEqual(objectsPerClipMax);
    expect(tokens.global).toHaveLength(visionDim);
    expect(tokens.objects).toHaveLength(objects.length * visionDim);
    expect(tokens.attributes).toHaveLength(objects.length * attributes.length);
    expect(familiarity).toBeGreaterThanOrEqual(0);
    for (const { mask, box, class: name } of objects) {
      expect(mask.size).toEqual([maskRows, maskColumns]);
      expect(decodeRle(mask)).toContain(1);
      expect(box.x + box.width).toBeLessThanOrEqual(1 + 1e-9);
      expect(manifest.classes.slice(1)).toContain(name);
    }
  }
  const reasoning = await ports.score(scenes);
  expect(reasoning.probabilities).toHaveLength(manifest.labels.length);
  expect(reasoning.probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
  expect(reasoning.basis).toBe('reasoned');
  expect(Object.keys(reasoning.stagesMs)).toEqual(['fusion', 'prefill', 'score', 'tracks']);

  const explanation = await ports.explain(scenes, reasoning);
  expect(explanation.justifications).toHaveLength(3);
  for (const { label, text, verified } of explanation.justifications) {
    expect(manifest.labels[label]).toBeDefined();
    expect(verified && text === '').toBe(false);
  }
  const carried = await ports.carry(scenes);
  expect(carried.basis).toBe('carried');
  expect(carried.probabilities).toHaveLength(manifest.labels.length);
});

describe('a question', () => {
  test('is answered in pieces, no longer than it may be; forecasts go on meanwhile', async () => {
    const scenes = await perceiveAll('asked', 2);
    const pieces = await lastValueFrom(
      ports.ask(scenes, 'What happens here?', { maxTokens: 20 }).pipe(toArray()),
      { defaultValue: [] },
    );
    const text = pieces.join('');
    expect(text.trim()).not.toBe('');
    expect(ports.bundle.tokenizer.encode(text).length).toBeLessThanOrEqual(20);
    const [again, , reasoning] = await Promise.all([
      lastValueFrom(ports.ask(scenes, 'What happens here?', { maxTokens: 20 }).pipe(toArray()), {
        defaultValue: [],
      }),
      lastValueFrom(ports.ask(scenes, 'Why?', { maxTokens: 20 }).pipe(toArray()), {
        defaultValue: [],
      }),
      ports.score(scenes),
    ]);
    expect(again).toEqual(pieces);
    expect(reasoning.probabilities.length).toBeGreaterThan(0);
  });

  test('that is given up asks for no further piece', async () => {
    const scenes = await perceiveAll('given-up', 2);
    const asked = vi.spyOn(ports.reasoner, 'request');
    await firstValueFrom(ports.ask(scenes, '', { maxTokens: 400 }), { defaultValue: '' });
    await ports.score(scenes);
    const pieces = asked.mock.calls.filter(([kind]) => kind === 'ask').length;
    expect(pieces).toBeLessThanOrEqual(2);
    vi.restoreAllMocks();
  });
});

test('the models are told the epoch that messages carry', async () => {
  const asked = [vi.spyOn(ports.perceiver, 'request'), vi.spyOn(ports.reasoner, 'request')];
  await ports.score(await perceiveAll('epoch', 1));
  const epochs = asked.map((request) => request.mock.lastCall?.[1].epoch);
  expect(epochs).toEqual([1_700_000_000_000, 1_700_000_000_000]);
  vi.restoreAllMocks();
});

test('the same clips give the same scenes, whatever another camera shows meanwhile', async () => {
  const plain = ({ camera, stagesMs, ...scene }: Scene) => {
    expect(camera).not.toBe('');
    expect(stagesMs).not.toEqual({});
    return scene;
  };
  const first = await perceiveAll('one', 3);
  const [second] = await Promise.all([perceiveAll('two', 3), perceiveAll('three', 2)]);
  expect(second.map(plain)).toEqual(first.map(plain));
});

test('a camera that begins again, as in a replay, gives the same track ids again', async () => {
  const tracks = (scenes: readonly Scene[]) =>
    scenes.map(({ objects }) => objects.map(({ track, ageClips }) => [track, ageClips]));
  const first = await perceiveAll('again', 3);
  expect(tracks(await perceiveAll('again', 3))).toEqual(tracks(first));
});

test("the engine's event loop goes on while the models run", async () => {
  const scenes = await perceiveAll('ticks', 2);
  let ticks = 0;
  let runs = 0;
  const timer = setInterval(() => ticks++, 1);
  // Long enough for any machine: until many ticks were seen, with a model always busy.
  while (ticks < 50 && runs < 500) {
    await ports.score(scenes);
    runs++;
  }
  clearInterval(timer);
  // Held loops give at most one tick for each run; ours gives many.
  expect(ticks / runs).toBeGreaterThan(3);
});

test('a killed perceiver is replaced, and gives no track id a second time', async () => {
  const before = await perceiveAll('killed', 2);
  const highest = Math.max(
    0,
    ...before.flatMap(({ objects }) => objects.map(({ track }) => track)),
  );
  process.kill(ports.perceiver.pid ?? 0, 'SIGKILL');
  await vi.waitFor(() => expect(restarts).toHaveLength(1), 30_000);
  const after = await ports.perceive(clipOf('killed', 2));
  for (const { track, ageClips } of after.objects) {
    expect(track).toBeGreaterThan(highest);
    expect(ageClips).toBe(0);
  }
  // The reasoner did not notice.
  expect((await ports.score([...before, after])).probabilities.length).toBeGreaterThan(0);
  expect(restarts).toHaveLength(1);
});

test('a clip of another size fails by itself', async () => {
  const clip = clipOf('size', 0);
  const short = { ...clip, frames: clip.frames.slice(1) };
  await expect(ports.perceive(short)).rejects.toMatchObject({ code: 'model_failed' });
  await ports.perceive(clip);
  // Also in a batch: the first is sent alone, the others wait together.
  const all = [clipOf('first', 0), clipOf('second', 0), short, clipOf('third', 0)];
  const found = await Promise.allSettled(all.map((one) => ports.perceive(one)));
  expect(found.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
});

test('a bundle that is not one is refused before any child is started', async () => {
  await expect(createModelPorts({ bundleDir: '/nowhere' })).rejects.toMatchObject({
    code: 'bundle_invalid',
  });
});

test('the engine loads no model runtime', () => {
  const script = `
    import { createRequire } from 'node:module';
    await import('./dist/models/model-ports.js');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    process.stdout.write(String(loaded.filter((path) => path.includes('onnxruntime')).length));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  expect(stderr).toBe('');
  expect(stdout).toBe('0');
});
