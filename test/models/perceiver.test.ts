import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/models/bundle.js';
import { Perceiver, type PerceiverInput } from '../../src/models/perceiver.js';
import { messageOf } from '../../src/errors.js';
import type { Scene } from '../../src/types.js';
import { YardScene } from '../../src/yard/watch/yard-scene.js';
import { yardDir } from './yard-bundle.js';

const cameras = ['gate', 'dock', 'yard'];
const clips = 3;
let bundle: Bundle;
const open: Perceiver[] = [];
beforeAll(async () => {
  bundle = await openBundle(yardDir);
});
afterAll(() => Promise.all(open.map((perceiver) => perceiver.dispose())));

async function perceiverOf(): Promise<Perceiver> {
  const perceiver = await Perceiver.open(bundle, { threads: 1 });
  open.push(perceiver);
  return perceiver;
}

/** Every second pixel of every second picture of a drawn yard, letterboxed: [clip] of one camera. */
function drawnClips(camera: string, scene: number): PerceiverInput[] {
  const film = YardScene.open('test', 1, scene);
  return Array.from({ length: clips }, (_, clip) => {
    const pixels = new Uint8Array(8 * 96 * 160 * 3);
    for (let frame = 0; frame < 8; frame++) {
      film.next();
      const rgba = film.next();
      for (let y = 0; y < 90; y++) {
        for (let x = 0; x < 160; x++) {
          const from = (2 * y * film.widthPx + 2 * x) * 4;
          pixels.set(rgba.subarray(from, from + 3), ((frame * 96 + y + 3) * 160 + x) * 3);
        }
      }
    }
    return {
      camera,
      epoch: 0,
      clip,
      fromMs: clip * 1000,
      toMs: clip * 1000 + 875,
      picture: { x: 0, y: 3, width: 160, height: 90 },
      trackFloor: 1,
      pixels,
    };
  });
}

async function perceive(perceiver: Perceiver, inputs: readonly PerceiverInput[]) {
  const found: (Omit<Scene, 'stagesMs'> | string)[] = [];
  for await (const result of perceiver.perceive(inputs)) {
    if (result.status === 'rejected') {
      found.push(messageOf(result.reason));
      continue;
    }
    const { stagesMs, ...scene } = result.value;
    expect(Object.values(stagesMs).every((ms) => ms >= 0)).toBe(true);
    found.push(scene);
  }
  return found;
}

/** Where two values differ, other than by the rounding of a number. */
function differences(found: unknown, expected: unknown, where = ''): string[] {
  if (typeof found === 'number' && typeof expected === 'number') {
    // Written so that NaN is a difference too.
    const isSame = Math.abs(found - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
    return isSame ? [] : [`${where}: ${found}, not ${expected}`];
  }
  if (typeof found !== 'object' || typeof expected !== 'object' || !found || !expected) {
    return found === expected ? [] : [`${where}: ${String(found)}, not ${String(expected)}`];
  }
  const [own, others] = [found, expected] as Record<string, unknown>[];
  const keys = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return [...keys].flatMap((key) => differences(own?.[key], others?.[key], `${where}.${key}`));
}

describe('a batch of clips of several cameras', () => {
  const films = cameras.map((camera, index) => drawnClips(camera, index));
  const clipsAt = (clip: number) => films.flatMap((film) => film.slice(clip, clip + 1));

  test('gives each camera what its clips give alone, clip after clip', async () => {
    const [together, alone] = [await perceiverOf(), await perceiverOf()];
    let objects = 0;
    for (let clip = 0; clip < clips; clip++) {
      const inputs = clipsAt(clip);
      const found = await perceive(together, inputs);
      const expected = [];
      for (const input of inputs) expected.push(...(await perceive(alone, [input])));
      expect(found.map((scene) => typeof scene === 'object' && scene.camera)).toEqual(cameras);
      expect(differences(found, expected)).toEqual([]);
      for (const scene of found) if (typeof scene === 'object') objects += scene.objects.length;
    }
    expect(objects).toBeGreaterThan(cameras.length * clips);
  });

  test('fails only where a clip is bad, and that camera goes on as if it had not been', async () => {
    const [together, alone] = [await perceiverOf(), await perceiverOf()];
    await perceive(together, clipsAt(0));
    const bad = clipsAt(1).map((input) =>
      input.camera === 'dock' ? { ...input, pixels: input.pixels.slice(1) } : input,
    );
    const [first, failed, last] = await perceive(together, bad);
    expect(failed).toMatch(/A clip has 368639 bytes/);
    const next = await perceive(together, clipsAt(2));

    const seen = cameras.map((camera) => (camera === 'dock' ? [0, 2] : [0, 1, 2]));
    const expected = [];
    for (const [camera, indices] of seen.entries()) {
      const scenes = [];
      for (const clip of indices)
        scenes.push(...(await perceive(alone, clipsAt(clip).slice(camera, camera + 1))));
      expected.push(scenes);
    }
    expect(differences([first, last], [expected[0]?.[1], expected[2]?.[1]])).toEqual([]);
    const newest = expected.map((scenes) => scenes.at(-1));
    expect(differences(next, newest)).toEqual([]);
  });
});
