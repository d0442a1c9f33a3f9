import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/models/manifest.js';
import { trackHistory } from '../../src/models/track-history.js';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset } from '../../src/yard/data/schema.js';
import { openScene } from '../../src/yard/data/splits.js';
import { lookAtClip } from '../../src/yard/data/tracks.js';
import { trueScenes } from '../../src/yard/data/true-scenes.js';
import { idsHeight, idsWidth } from '../../src/yard/drawing/painter.js';
import { givenMasks } from '../../src/yard/scoring/given-masks.js';
import { attributes } from '../../src/yard/truth/look.js';
import { labelOf, yardClasses, yardLabels } from '../../src/yard/world/labels.js';

const world = openScene('test', 3, 1);
const clipsCount = 10;
const dataset = {
  ...{ split: 'test', seed: 3, framesPerSecond: 8, framesPerClip: 8, labels: yardLabels },
} as unknown as Dataset;
const truth = {
  scene: { scene: 1, seed: world.seed, template: world.place.template.name, rain: true },
  clips: Array.from({ length: clipsCount }, (_, clip) => ({ clip, endS: clip + 1 })),
  events: [
    { id: 1, onsetS: 3, label: labelOf('gate opens'), actor: 5, target: null, because: [] },
    { id: 2, onsetS: 3.125, label: labelOf('van enters'), actor: 6, target: null, because: [] },
  ],
} as unknown as RecordedTruth;
const manifest = {
  // Another order than the data set's: labels are known by their words.
  labels: [...yardLabels].reverse(),
  geometry: {
    ...{ visionDim: 4, attributes: ['x', 'y'], place: ['gate', 'rain'] },
    ...{ objectAttributes: attributes, lookFrames: [1, 3, 5, 7], framesPerSecond: 8 },
  },
} as unknown as Manifest;

describe('trueScenes', () => {
  const scenes = trueScenes(truth, dataset, manifest);

  it('tells of each clip what a perfect tracker sees at its key frame, under true ids', () => {
    expect(scenes.map(({ clip }) => clip)).toEqual(truth.clips.map(({ clip }) => clip));
    const again = openScene('test', 3, 1);
    for (const { objects } of scenes) {
      const seen = lookAtClip(again).flatMap(({ looks }) => looks.at(-1) ?? []);
      expect(seen.length).toBeGreaterThan(0);
      expect(objects.map(({ track }) => track)).toEqual(seen.map(({ id }) => id));
      expect(objects.map((it) => it.class)).toEqual(seen.map((it) => it.class));
      const boxes = objects.map(({ box: { x, y, width, height } }) => [x, y, width, height]);
      expect(boxes).toEqual(seen.map(({ box }) => [...box]));
      for (const { looks, box } of objects)
        expect(looks.at(-1)?.x).toBeCloseTo(box.x + box.width / 2, 9);
    }
  });

  it('has the times of a replay, the true events in their clips, and the true place', () => {
    expect([scenes[3]?.fromMs, scenes[3]?.toMs]).toEqual([3000, 3875]);
    const words = scenes.map(({ events }) =>
      events.map(({ label }) => manifest.labels[label]?.text),
    );
    expect(words[2]).toEqual(['gate opens']);
    expect(words[3]).toEqual(['van enters']);
    expect(scenes[3]?.events[0]).toMatchObject({ onsetMs: 3000, actors: [6], probability: 1 });
    const gate = Number(truth.scene.template.split('+').includes('gate'));
    expect(scenes[0]?.place).toEqual({ gate, rain: 1 });
  });

  it('makes a history of which nothing is missing', () => {
    const shape = { ...manifest.geometry, classes: yardClasses, clipsPerWindow: 8 };
    const { seen, kind } = trackHistory(scenes.slice(2), shape);
    const told = (seen?.data as Float32Array).reduce((sum, value) => sum + value, 0);
    // A fixed thing is seen at all 32 looks.
    expect(told).toBeGreaterThan(32);
    expect(kind?.dims[0]).toBe(
      new Set(scenes.slice(2).flatMap(({ objects }) => objects.map(({ track }) => track))).size,
    );
  });

  it('refuses a recording of another world', () => {
    const other = { ...truth, scene: { ...truth.scene, seed: 1 } };
    expect(() => trueScenes(other, dataset, manifest)).toThrow('another world');
  });
});

describe('givenMasks', () => {
  it('gives each thing that covers a cell its true mask, best possible', () => {
    const ids = new Uint8Array(2 * idsHeight * idsWidth);
    const second = ids.subarray(idsHeight * idsWidth);
    for (let y = 10; y < 14; y++) for (let x = 20; x < 30; x++) second[y * idsWidth + x] = 2;
    // A thing of one pixel covers no cell of 2 x 2 by half.
    second[60 * idsWidth + 61] = 1;
    const clips = [{ objects: [] }, { objects: [{}, {}] }];
    const masks = givenMasks({ clips, ids } as unknown as RecordedTruth, 1, [48, 80]);
    expect(masks).toHaveLength(1);
    // Three rows of the frame are letterbox; cells have two pixels a side.
    expect(masks[0]).toMatchObject({
      ...{ predictedIou: 1, stability: 1 },
      box: { left: 10, top: 6, right: 15, bottom: 9 },
    });
    expect(givenMasks({ clips, ids } as unknown as RecordedTruth, 0, [48, 80])).toEqual([]);
  });
});
