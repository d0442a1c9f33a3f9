import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { HistoryShape } from '../../src/models/track-history.js';
import type { Scene, SceneObject } from '../../src/types.js';
import { PerceivedTracks } from '../../src/yard/data/perceived-tracks.js';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset } from '../../src/yard/data/schema.js';

const shape: HistoryShape = {
  ...{ classes: ['background', 'van', 'dog'], clipsPerWindow: 2, lookFrames: [1, 3, 5, 7] },
  ...{ objectAttributes: ['known', 'facing'], place: ['gate', 'rain'] },
};
const dataset = {
  ...{ split: 'train', seed: 3, secondsPerScene: 3, horizonMs: 4000, classes: shape.classes },
  ...{ attributes: ['known', 'facing'], labels: [{ text: 'nothing' }, { text: 'van enters' }] },
  templates: [{ name: 'gate+lawn' }, { name: 'gate+dock' }],
} as unknown as Dataset;
const truth = {
  scene: { template: 'gate+dock', rain: true },
  windows: [
    { futures: [6, 2] },
    { futures: [5, 3], bayes: [0.75, 0.25], state: [0.5, 0.5] },
    { futures: [8, 0] },
  ],
} as unknown as RecordedTruth;

function van(change: Partial<SceneObject> = {}): SceneObject {
  return {
    ...{ track: 9, class: 'van', classProbability: 1, ageClips: 0, velocity: { x: 0, y: 0 } },
    ...{ box: { x: 0.75, y: 0.5, width: 0.25, height: 0.25 }, predictedIou: 1 },
    ...{ mask: { size: [1, 1], counts: [1] }, attributes: { known: 1, facing: -1 } },
    looks: [0.5, 0.625, 0.875, 0.875].map((x) => ({ x, y: 0.625 })),
    ...change,
  };
}
function scene(clip: number, objects: SceneObject[], gate: number): Scene {
  const tokens = {
    global: new Float32Array(2).fill(clip + 1),
    objects: Float32Array.from(objects.flatMap(({ track }) => [track, -track])),
  };
  return { clip, objects, place: { gate, rain: 0 }, tokens } as unknown as Scene;
}

it('are written in the form of true tracks, with what perception says of the place', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lookahead-perceived-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const tracks = new PerceivedTracks(dataset, shape, 2);
  // The clip between was not perceived.
  tracks.add(truth, [scene(0, [van()], 0.5), scene(2, [van({ looks: [] }), van({ track: 4 })], 1)]);
  tracks.add(truth, []);
  await tracks.write(dir);

  const about = JSON.parse(readFileSync(join(dir, 'tracks.json'), 'utf8')) as Record<string, never>;
  expect(about).toMatchObject({
    ...{ schema: 'lookahead.yard.tracks.v1', split: 'train', seed: 3, scenes: 2, clips: 6 },
    ...{ objects: 3, looksPerClip: 4, bayesFutures: 1, files: { place: 'place.f32' } },
    visionDim: 2,
  });
  const bytes = (name: string): Buffer => readFileSync(join(dir, name));
  const floats = (name: string): number[] =>
    [...Array(bytes(name).length / 4).keys()].map((i) => bytes(name).readFloatLE(4 * i));
  const ints = (name: string): number[] =>
    [...Array(bytes(name).length / 4).keys()].map((i) => bytes(name).readInt32LE(4 * i));
  expect(ints('scene.i32')).toEqual([0, 0, 0, 1, 1, 1]);
  expect(ints('objects-end.i32')).toEqual([1, 1, 3, 3, 3, 3]);
  expect(ints('id.i32')).toEqual([9, 9, 4]);
  expect([...bytes('template.u8')]).toEqual(Array(6).fill(1));
  expect([...bytes('futures.u8').subarray(0, 6)]).toEqual([6, 2, 5, 3, 8, 0]);
  expect(floats('bayes.f32').slice(0, 6)).toEqual([NaN, NaN, 0.75, 0.25, NaN, NaN]);
  // Without looks only the key frame shows it.
  expect([...bytes('seen.u8')]).toEqual([0b1111, 0b1000, 0b1111]);
  const box = Array.from({ length: 16 }, (_, i) => bytes('box.u16').readUInt16LE(2 * i) / 65535);
  expect(box.map((share) => Number(share.toFixed(3)))).toEqual([
    ...[0.375, 0.5, 0.25, 0.25],
    ...[0.5, 0.5, 0.25, 0.25],
    // Where it stood out of the picture it is cut.
    ...[0.75, 0.5, 0.25, 0.25],
    ...[0.75, 0.5, 0.25, 0.25],
  ]);
  expect([...new Int8Array(bytes('attributes.i8')).slice(0, 4)]).toEqual([100, -100, 100, -100]);
  // A mean over the window's clips that there are; zeros where there is none.
  expect(floats('place.f32')).toEqual([0.5, 0, 0.5, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  // Tokens as perception gave them; zeros where a clip was not perceived.
  expect(floats('global.f32')).toEqual([1, 1, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0]);
  expect(floats('pooled.f32')).toEqual([9, -9, 9, -9, 4, -4]);
});
