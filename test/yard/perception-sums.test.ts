import { describe, expect, it } from 'vitest';
import { encodeRle } from '../../src/models/rle.js';
import type { RecognisedEvent, Scene, SceneObject } from '../../src/types.js';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset } from '../../src/yard/data/schema.js';
import { averagePrecision } from '../../src/yard/scoring/average-precision.js';
import { verdictOf } from '../../src/yard/scoring/perception-goals.js';
import { PerceptionSums } from '../../src/yard/scoring/perception-sums.js';
import { SceneSums } from '../../src/yard/scoring/scene-sums.js';
import { labelOf, yardClasses, yardLabels } from '../../src/yard/world/labels.js';

/** On the grid of 48 x 80 cells; a cell is 2 x 2 pixels of the map of ids, whose first row lies 3 pixels below the grid's. */
interface Cells {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}
interface Thing extends Cells {
  readonly id: number;
  readonly class: string;
  readonly visible?: number;
  readonly attributes?: Readonly<Record<string, number>>;
}
const [rows, columns] = [48, 80];
const van: Thing = { id: 1, class: 'van', row: 10, column: 10, rows: 6, columns: 10 };
const dog: Thing = { id: 2, class: 'dog', row: 30, column: 40, rows: 2, columns: 4 };
const hidden: Thing = { ...dog, id: 3, class: 'ball', column: 60, visible: 0.4 };
const clips = 4;

const dataset = {
  ...{ classes: yardClasses, labels: yardLabels, framesPerSecond: 8, framesPerClip: 8 },
} as unknown as Dataset;
const labels = yardLabels.map(({ text }) => text);

/** Its cells, in a picture of `width` pixels to a row and `scale` to a cell. */
function fill(
  picture: Uint8Array,
  width: number,
  scale: number,
  above: number,
  it: Cells,
  value: number,
): void {
  for (let y = it.row * scale - above; y < (it.row + it.rows) * scale - above; y++) {
    const from = y * width + it.column * scale;
    picture.fill(value, from, from + it.columns * scale);
  }
}
const boxOf = (it: Cells): [number, number, number, number] => [
  (2 * it.column) / 160,
  (2 * it.row - 3) / 90,
  (2 * it.columns) / 160,
  (2 * it.rows) / 90,
];

function truthOf(things: readonly Thing[], scene = 0): RecordedTruth {
  const objects = things.map((it) => ({
    ...{ id: it.id, class: it.class, visible: it.visible ?? 1, attributes: it.attributes ?? {} },
    box: boxOf(it),
  }));
  const ids = new Uint8Array(clips * 90 * 160);
  things.forEach((it, index) => {
    for (let clip = 0; clip < clips; clip++)
      fill(ids.subarray(clip * 90 * 160), 160, 2, 3, it, index + 1);
  });
  return {
    scene: { scene, template: 'gate+dock', rain: true },
    clips: Array.from({ length: clips }, (_, clip) => ({ clip, objects })),
    // 1.5 s of the truth is 1.375 s of a replay.
    events: [{ label: labelOf('van enters'), onsetS: 1.5 }],
    windows: [],
    ids,
  } as unknown as RecordedTruth;
}

function objectOf(thing: Thing, change: Partial<SceneObject> & Partial<Cells> = {}): SceneObject {
  const cells = { ...thing, ...change };
  const mask = new Uint8Array(rows * columns);
  fill(mask, columns, 1, 0, cells, 1);
  const [x, y, width, height] = boxOf(cells);
  return {
    ...{ track: 10 + thing.id, class: thing.class, classProbability: 0.9, ageClips: 0 },
    ...{ velocity: { x: 0, y: 0 }, box: { x, y, width, height } },
    mask: encodeRle(mask, rows, columns),
    ...{ predictedIou: 1, attributes: {}, looks: [] },
    ...change,
  };
}
const entered = (onsetMs: number): RecognisedEvent => ({
  ...{ label: labelOf('van enters'), onsetMs, probability: 1, actors: [], target: null },
});

function scenesOf(
  objectsAt: (clip: number) => readonly SceneObject[],
  change: Partial<Scene> = {},
): Scene[] {
  return Array.from({ length: clips }, (_, clip) => ({
    ...{ camera: 'test', clip, fromMs: clip * 1000, toMs: clip * 1000 + 875, familiarity: 1 },
    objects: objectsAt(clip),
    events: clip === 1 ? [entered(1375)] : [],
    place: {},
    tokens: {
      global: new Float32Array(0),
      objects: new Float32Array(0),
      attributes: new Float32Array(0),
    },
    stagesMs: { backbone: 3, segmenterEncoder: 2, segmenterDecoder: 5, objects: 7 },
    ...change,
  }));
}

/** Two scenes alike, so that intervals have no width. */
function sumsOf(things: readonly Thing[], scenes: readonly Scene[]): PerceptionSums {
  const sums = new PerceptionSums(dataset, { resamples: 50 });
  for (const scene of [0, 1]) sums.add(truthOf(things, scene), scenes, labels);
  return sums;
}
function valuesOf(sums: PerceptionSums): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(sums.measures()).map(([key, it]) => [key, it?.value]));
}
const perfect = { maskIou: 1, ap50: 1, idf1: 1, classAccuracy: 1, eventF1: 1 };
const both = () => [objectOf(van), objectOf(dog)];

describe('PerceptionSums', () => {
  it('gives full marks, without doubt, to a perceiver that sees what there is', () => {
    const sums = sumsOf([van, dog], scenesOf(both));
    expect(valuesOf(sums)).toMatchObject(perfect);
    for (const [key, measure] of Object.entries(sums.measures()))
      expect([key, measure?.interval]).toEqual([key, [measure?.value, measure?.value]]);
    expect(sums.detail()).toMatchObject({
      ...{ scenes: 2, pictures: 8, things: 16, recall: { value: 1 }, confusions: [] },
      ...{ spuriousMasks: { value: 0 }, idSwitches: { value: 0 }, tooSmall: { value: 0 } },
      classes: { van: { things: 8, ap50: { value: 1 } }, dog: { recall: { value: 1 } } },
      events: { 'van enters': { truths: 2, found: 2, f1: { value: 1 } } },
    });
  });

  it('counts CPU time a clip: all stages of the segmenter together', () => {
    const values = valuesOf(
      sumsOf(
        [van],
        scenesOf(() => [objectOf(van)]),
      ),
    );
    expect(values).toMatchObject({ backboneCpuMs: 3, segmenterCpuMs: 7 });
  });

  it('halves idf1 where two tracks swap their things half-way, and nothing else', () => {
    const [ofVan, ofDog] = [objectOf(van), objectOf(dog)];
    const swapped = [
      { ...ofVan, track: ofDog.track },
      { ...ofDog, track: ofVan.track },
    ];
    const sums = sumsOf(
      [van, dog],
      scenesOf((clip) => (clip < clips / 2 ? [ofVan, ofDog] : swapped)),
    );
    expect(valuesOf(sums)).toMatchObject({ ...perfect, idf1: 0.5 });
    expect(sums.detail().idSwitches?.value).toBe(2);
  });

  it('takes a thing that goes on under a new track for two: the longer part counts', () => {
    const scenes = scenesOf((clip) => [objectOf(van, { track: clip < 3 ? 1 : 2 })]);
    const sums = sumsOf([van], scenes);
    expect(valuesOf(sums)['idf1']).toBe(3 / 4);
    expect(sums.detail().idSwitches?.value).toBe(1);
  });

  it('lowers ap50 by a spurious mask as far as it is trusted, and never maskIou', () => {
    const withSpurious = (change: Partial<SceneObject>) =>
      sumsOf(
        [van, dog],
        scenesOf(() => [...both(), objectOf({ ...dog, id: 9 }, { row: 2, ...change })]),
      );
    const trusted = withSpurious({ classProbability: 1 });
    expect(valuesOf(trusted)).toMatchObject({ maskIou: 1, classAccuracy: 1, idf1: 4 / 5 });
    // Every right mask comes after as many wrong ones as there are pictures: 16 of 24 are right at the end.
    expect(valuesOf(trusted)['ap50']).toBeCloseTo(16 / 24, 6);
    expect(trusted.detail().spuriousMasks?.value).toBe(1);
    expect(valuesOf(withSpurious({ classProbability: 0.1 }))['ap50']).toBe(1);
    // What the segmenter itself does not trust comes last, however sure its class is.
    const doubted = withSpurious({ classProbability: 1, predictedIou: 0.2 });
    expect(valuesOf(doubted)['ap50']).toBe(1);
  });

  it('takes a second mask of the same thing for spurious', () => {
    const twice = () => [objectOf(van), objectOf(van, { track: 99, classProbability: 0.8 })];
    const sums = sumsOf([van], scenesOf(twice));
    expect(valuesOf(sums)).toMatchObject({ maskIou: 1, ap50: 1, idf1: 2 / 3 });
    expect(sums.detail().spuriousMasks?.value).toBe(1);
  });

  it('neither asks for a thing that is mostly hidden nor minds its mask', () => {
    const things = [van, hidden];
    const without = scenesOf(() => [objectOf(van)]);
    const withIt = scenesOf(() => [objectOf(van), objectOf(hidden, { classProbability: 1 })]);
    for (const scenes of [without, withIt])
      expect(valuesOf(sumsOf(things, scenes))).toMatchObject(perfect);
    const { ignoredMasks, spuriousMasks } = sumsOf(things, withIt).detail();
    expect([ignoredMasks?.value, spuriousMasks?.value]).toEqual([1, 0]);
    // A mask of which less than half lies on it is not about it.
    const beside = scenesOf(() => [objectOf(van), objectOf(hidden, { column: 57 })]);
    expect(sumsOf(things, beside).detail().spuriousMasks?.value).toBe(1);
  });

  it('counts a thing without a mask as an IoU of 0', () => {
    const sums = sumsOf(
      [van, dog],
      scenesOf(() => [objectOf(van)]),
    );
    expect(valuesOf(sums)).toMatchObject({ maskIou: 0.5, classAccuracy: 1, idf1: 2 / 3 });
    // All that is found is right, up to half of what there is.
    expect(valuesOf(sums)['ap50']).toBeCloseTo(51 / 101, 6);
    expect(sums.detail().classes['dog']).toMatchObject({
      recall: { value: 0 },
      classAccuracy: null,
    });
    const blind = valuesOf(
      sumsOf(
        [van],
        scenesOf(() => []),
      ),
    );
    expect(blind).toMatchObject({ maskIou: 0, ap50: 0, idf1: 0 });
    expect(blind['classAccuracy']).toBeUndefined();
  });

  it('measures a mask by its overlap, on its own grid', () => {
    // Shifted by half its width: 5 of 15 columns are shared.
    const scenes = scenesOf(() => [objectOf(van, { column: van.column + 5 })]);
    const values = valuesOf(sumsOf([van], scenes));
    expect(values['maskIou']).toBeCloseTo(1 / 3, 6);
    expect(values).toMatchObject({ ap50: 0, idf1: 0 });
  });

  it('tells wrong classes apart from wrong masks', () => {
    const sums = sumsOf(
      [van, dog],
      scenesOf(() => [objectOf(van), objectOf(dog, { class: 'ball' })]),
    );
    expect(valuesOf(sums)).toMatchObject({ ...perfect, classAccuracy: 0.5 });
    const { classes, confusions } = sums.detail();
    expect([classes['van']?.ap50?.value, classes['dog']?.ap50?.value]).toEqual([1, 0]);
    expect(confusions).toEqual([{ truth: 'dog', said: 'ball', count: 8 }]);
  });

  it('lets a mask of another class take no thing from its own in the AP of a class', () => {
    const asBall = objectOf(dog, { class: 'ball', track: 99, classProbability: 1 });
    const sums = sumsOf(
      [dog],
      scenesOf(() => [asBall, objectOf(dog)]),
    );
    expect(sums.detail().classes['dog']?.ap50?.value).toBe(1);
    expect(sums.detail().spuriousMasks?.value).toBe(1);
  });

  it('counts events that are recognised within a second, each once', () => {
    const at = (...onsets: number[]) => {
      const scenes = scenesOf(both, { events: [] });
      const events = onsets.map(entered);
      return valuesOf(sumsOf([van, dog], [{ ...scenes[0]!, events }, ...scenes.slice(1)]))[
        'eventF1'
      ];
    };
    expect([at(375), at(2375), at(374), at(2376)]).toEqual([1, 1, 0, 0]);
    expect([at(), at(1000, 1500)]).toEqual([0, 2 / 3]);
  });

  it('tells how right attributes are, of all found things and of those that have them', () => {
    const open = { ...van, attributes: { open: 1, known: 1 } };
    const told = { open: 0.8, known: 0.2, red: 0.4, facing: -0.2 };
    const scenes = scenesOf(() => [objectOf(open, { attributes: told })]);
    const { attributes } = sumsOf([open], scenes).detail();
    expect(attributes).toMatchObject({
      open: { shown: 8, accuracy: { value: 1 }, whenShown: { value: 1 } },
      known: { shown: 8, accuracy: { value: 0 }, whenShown: { value: 0 } },
      red: { shown: 0, accuracy: { value: 1 }, whenShown: null },
      facing: { shown: 0, accuracy: { value: 1 } },
    });
  });

  it('tells how right the facts about the place are', () => {
    const place = { gate: 0.9, light: 0.9, dock: 0.1, lawn: 0.1, rain: 0.6 };
    const found = sumsOf(
      [van],
      scenesOf(() => [objectOf(van)], { place }),
    ).detail().place;
    const values = Object.fromEntries(Object.entries(found).map(([key, it]) => [key, it?.value]));
    expect(values).toEqual({ gate: 1, light: 0, dock: 0, lawn: 1, rain: 1 });
  });
});

describe('SceneSums', () => {
  it('draws the same scenes for what is no function of sums', () => {
    const sums = new SceneSums({ resamples: 200 });
    const rights = [1, 5, 2, 9];
    rights.forEach((right, scene) => {
      sums.add(scene, 'right', right);
      sums.add(scene, 'all', 10);
    });
    const drawn = sums.measureDrawn((timesOf) => {
      const times = rights.map((_, scene) => timesOf(scene));
      const all = times.reduce((sum, it) => sum + 10 * it, 0);
      return rights.reduce((sum, right, scene) => sum + right * times[scene]!, 0) / all;
    });
    expect(drawn).toEqual(sums.ratio('right', 'all'));
    expect(drawn?.interval[0]).toBeLessThan(drawn?.interval[1] ?? NaN);
  });
});

describe('averagePrecision', () => {
  const masks = (...rights: boolean[]) =>
    rights.map((isRight, index) => ({ scene: index, score: 1 - index / 10, isRight }));

  it('is the mean over 101 recalls of the best precision from there on', () => {
    const truths = new Map([[0, 2]]);
    // Right, wrong, right of two: precision 1 up to a recall of 0.5, then 2 / 3.
    const value = averagePrecision(masks(true, false, true), truths, () => 1);
    expect(value).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 9);
    expect(averagePrecision([], truths, () => 1)).toBe(0);
    expect(averagePrecision(masks(true), new Map(), () => 1)).toBeNaN();
  });

  it('counts a scene as often as it was drawn', () => {
    const truths = new Map([
      [0, 1],
      [1, 0],
    ]);
    const timesOf = (scene: number): number => (scene === 1 ? 0 : 2);
    expect(averagePrecision(masks(true, false), truths, timesOf)).toBe(1);
    expect(averagePrecision(masks(false, true), new Map([[1, 1]]), () => 1)).toBe(0.5);
  });
});

describe('verdictOf', () => {
  it('holds a figure against its floor and its goal, either way round', () => {
    expect([0.74, 0.75, 0.84, 0.85].map((value) => verdictOf('maskIou', value))).toEqual([
      ...['below the floor', 'short of the goal', 'short of the goal', 'reached'],
    ]);
    expect([61, 60, 41, 40].map((value) => verdictOf('backboneCpuMs', value))).toEqual([
      ...['below the floor', 'short of the goal', 'short of the goal', 'reached'],
    ]);
    expect(verdictOf('symbolicSkill', null)).toBe('not measured');
  });
});
