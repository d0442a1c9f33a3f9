import { describe, expect, it } from 'vitest';
import { TrackForecaster } from '../../src/models/track-forecaster.js';
import { trackHistory, type HistoryShape } from '../../src/models/track-history.js';
import { float32, floats, type Tensors } from '../../src/models/tensor.js';
import type { Scene, SceneObject } from '../../src/types.js';

/** Two clips of two looks: four looks in all. */
const shape: HistoryShape = {
  ...{ classes: ['background', 'van', 'dog'], clipsPerWindow: 2, lookFrames: [3, 7] },
  ...{ objectAttributes: ['open', 'facing'], place: ['gate', 'rain'] },
};

function seen(track: number, name: string, change: Partial<SceneObject> = {}): SceneObject {
  return {
    ...{ track, class: name, classProbability: 1, ageClips: 0, velocity: { x: 0, y: 0 } },
    box: { x: 0.5, y: 0.25, width: 0.25, height: 0.5 },
    mask: { size: [1, 1], counts: [1] },
    ...{ predictedIou: 1, attributes: {}, looks: [] },
    ...change,
  };
}
function scene(clip: number, objects: SceneObject[], place: Record<string, number> = {}): Scene {
  const none = new Float32Array(0);
  return {
    ...{ camera: 'test', clip, fromMs: 0, toMs: 0, objects, events: [], familiarity: 1 },
    ...{ tokens: { global: none, objects: none, attributes: none }, stagesMs: {} },
    place,
  };
}
const list = (tensors: Tensors, name: string): number[] => [...floats(tensors, name)];
const kinds = (tensors: Tensors): number[] => [...tensors['kind']!.data].map(Number);
const at = (...boxes: number[][]): number[] => boxes.flat();
const nowhere = [0, 0, 0, 0];

describe('trackHistory', () => {
  it('tells look by look where each track was, oldest first, tracks by id', () => {
    const looks = [
      { x: 0.375, y: 0.5 },
      { x: 0.625, y: 0.5 },
    ];
    const history = trackHistory(
      [scene(4, [seen(8, 'dog')]), scene(5, [seen(8, 'dog'), seen(3, 'van', { looks })])],
      shape,
    );
    expect(kinds(history)).toEqual([1, 2]);
    const here = [0.5, 0.25, 0.25, 0.5];
    expect(history['box']?.dims).toEqual([2, 4, 4]);
    expect(list(history, 'box')).toEqual([
      // The van was a quarter of the picture further left at the clip's first look.
      ...at(nowhere, nowhere, [0.25, 0.25, 0.25, 0.5], here),
      // Of the dog only the key frames are told.
      ...at(nowhere, here, nowhere, here),
    ]);
    expect(list(history, 'seen')).toEqual([0, 0, 1, 1, 0, 1, 0, 1]);
  });

  it('gives a clip the same attributes at all its looks, and none where a track was not seen', () => {
    const attributes = { facing: -1, open: 0.5, unknown: 1 };
    const looks = [
      { x: 0, y: 0 },
      { x: 0, y: 0 },
    ];
    const history = trackHistory(
      [scene(0, [seen(1, 'van', { attributes, looks })]), scene(1, [])],
      shape,
    );
    expect(history['shown']?.dims).toEqual([1, 4, 2]);
    expect(list(history, 'shown')).toEqual([0.5, -1, 0.5, -1, 0, 0, 0, 0]);
  });

  it('leaves room for what was dropped or was before the first clip, and forgets what is older', () => {
    const van = seen(1, 'van');
    const seenIn = (...clips: number[]): number[] =>
      list(
        trackHistory(
          clips.map((clip) => scene(clip, [van])),
          shape,
        ),
        'seen',
      );
    expect(seenIn(5)).toEqual([0, 0, 0, 1]);
    expect(seenIn(3, 5)).toEqual([0, 0, 0, 1]);
    expect(seenIn(4, 5)).toEqual([0, 1, 0, 1]);
    const lost = trackHistory([scene(3, [seen(7, 'dog')]), scene(5, [van])], shape);
    expect(kinds(lost)).toEqual([1]);
  });

  it('takes the class as which a track was last seen: it is a vote already', () => {
    const of = (...names: string[]): number[] =>
      kinds(
        trackHistory(
          names.map((name, clip) => scene(clip, [seen(1, name)])),
          { ...shape, clipsPerWindow: 8 },
        ),
      );
    expect(of('dog', 'dog', 'van')).toEqual([1]);
    expect(of('van', 'van', 'dog')).toEqual([2]);
  });

  it('has one row of zeros where there is no track, and tells of the place by the mean', () => {
    const place = [
      { gate: 1, rain: 0.5 },
      { gate: 0.5, rain: 0 },
    ];
    const history = trackHistory(
      place.map((it, clip) => scene(clip, [], it)),
      shape,
    );
    expect(kinds(history)).toEqual([0]);
    expect(list(history, 'seen')).toEqual([0, 0, 0, 0]);
    expect(list(history, 'box')).toEqual(new Array(16).fill(0));
    expect(history['place']).toMatchObject({ dims: [1, 2] });
    expect(list(history, 'place')).toEqual([0.75, 0.25]);
  });
});

describe('TrackForecaster', () => {
  const answering = (logChances: number[]) => {
    const asked: Tensors[] = [];
    const session = {
      run: (feeds: Tensors) => {
        asked.push(feeds);
        const data = Float32Array.from(logChances);
        return Promise.resolve({ log_chances: float32([1, data.length], data) });
      },
      dispose: () => Promise.resolve(),
    };
    return { asked, forecaster: new TrackForecaster(session, shape) };
  };

  it('asks with the history, and answers with chances that sum to 1', async () => {
    const { asked, forecaster } = answering([Math.log(0.5), Math.log(0.25), Math.log(0.05)]);
    const window = [scene(0, [seen(1, 'van')])];
    const chances = await forecaster.chances(window);
    expect(asked).toEqual([trackHistory(window, shape)]);
    expect(chances.map((chance) => Number(chance.toFixed(6)))).toEqual([0.625, 0.3125, 0.0625]);
  });

  it('lets no forecast be made of NaN', async () => {
    const { forecaster } = answering([0, NaN]);
    await expect(forecaster.chances([scene(0, [])])).rejects.toMatchObject({
      code: 'model_failed',
    });
  });
});
