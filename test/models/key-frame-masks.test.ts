import { describe, expect, test } from 'vitest';
import type { Mask } from '../../src/models/automatic-masks.js';
import {
  KeyFrameMasks,
  planKeyFrame,
  rememberKeyFrame,
  reusedMaxClips,
  type KeyFrame,
  type KeyFrameMemory,
  type Plan,
} from '../../src/models/key-frame-masks.js';
import type { Manifest } from '../../src/models/manifest.js';
import {
  gridParts,
  gridPoints,
  otherPartPoints,
  type Point,
} from '../../src/models/prompt-points.js';
import { layoutOf } from '../../src/models/segmenter-layouts.js';
import type { ImageEmbeddings } from '../../src/models/segmenter.js';
import type { Session } from '../../src/models/session.js';
import { stopwatch } from '../../src/models/stopwatch.js';
import { float32, floats, type Tensors } from '../../src/models/tensor.js';
import { areAtRest, expectedPoints } from '../../src/models/track-prompts.js';
import type { Track } from '../../src/models/tracks.js';
import { yardManifest } from './yard-bundle.js';

const manifest = yardManifest();
const { widthPx, heightPx } = manifest.preprocessing;
const { maskRows, maskColumns } = manifest.geometry;
const picture = { x: 0, y: 3, width: 160, height: 90 };
const whole = gridPoints(picture, manifest.segmenter);

/** A grey picture with bright squares of 12 pixels, and noise that differs from seed to seed. */
function drawn(squares: readonly Point[], seed = 0): Uint8Array {
  const pixels = new Uint8Array(widthPx * heightPx * 3);
  for (let at = 0; at < pixels.length; at++) pixels[at] = 90 + ((at * 31 + seed * 17) % 13);
  for (const [left, top] of squares) {
    for (let y = top; y < top + 12; y++) {
      pixels.fill(220, (y * widthPx + left) * 3, (y * widthPx + left + 12) * 3);
    }
  }
  return pixels;
}

function keyFrame(frame: Uint8Array, rest: Partial<KeyFrame> = {}): KeyFrame {
  return { frame, before: frame, picture, expected: [], tracksAtRest: true, ...rest };
}

/** An encoder's output that says nothing. */
const embeddings: ImageEmbeddings = {
  layout: layoutOf(manifest.files),
  tensors: {
    image_embeddings: float32([0], new Float32Array()),
    high_res: float32([0], new Float32Array()),
  },
  placement: null,
};

/** A decoder that sees a square of 6 x 6 cells around every point, and counts its points. */
function fakeDecoder() {
  const asked: Point[][] = [];
  const run = (feeds: Tensors): Promise<Tensors> => {
    const coordinates = floats(feeds, 'point_coords');
    const count = coordinates.length / 2;
    const points = Array.from({ length: count }, (_, index): Point => [
      coordinates[2 * index]!,
      coordinates[2 * index + 1]!,
    ]);
    asked.push(points);
    const logits = new Float32Array(count * 3 * maskRows * maskColumns).fill(-9);
    const ious = new Float32Array(count * 3);
    points.forEach(([x, y], index) => {
      ious[3 * index] = 0.9;
      for (let row = Math.floor(y / 2) - 3; row < y / 2 + 3; row++) {
        for (let column = Math.floor(x / 2) - 3; column < x / 2 + 3; column++) {
          if (row < 0 || column < 0 || row >= maskRows || column >= maskColumns) continue;
          logits[(3 * index * maskRows + row) * maskColumns + column] = 9;
        }
      }
    });
    return Promise.resolve({
      masks: float32([count, 3, maskRows, maskColumns], logits),
      iou_predictions: float32([count, 3], ious),
    });
  };
  const session: Session = { run, dispose: () => Promise.resolve() };
  return { session, asked };
}

/** Clip after clip through plan, pictures and masks, as the perceiver does it. */
function camera(own: Manifest = manifest) {
  const { session, asked } = fakeDecoder();
  const masks = new KeyFrameMasks(session, own);
  let memory: KeyFrameMemory | undefined;
  return {
    asked,
    look: async (frame: Uint8Array, rest: Partial<KeyFrame> = {}) => {
      const seen = keyFrame(frame, rest);
      const plan = planKeyFrame(seen, memory, own);
      const pictures = masks.pictures(seen, plan);
      const watch = stopwatch();
      const found = await masks.find(
        seen,
        plan,
        pictures.map(() => embeddings),
        memory,
        watch,
      );
      ({ memory } = found);
      return { plan, pictures, masks: found.masks, stages: Object.keys(watch.laps) };
    },
  };
}

const partOf = (plan: ReturnType<typeof planKeyFrame>): number | null | 'reuse' =>
  plan.how === 'reuse' ? 'reuse' : plan.part;

describe('the rolling grid', () => {
  test('asks all of it first, then a part at a time, until every point was asked again', async () => {
    const { look, asked } = camera();
    const moving = (clip: number) => drawn([[10 + 9 * clip, 40]], clip);
    const parts = [];
    for (let clip = 0; clip <= gridParts; clip++)
      parts.push(partOf((await look(moving(clip))).plan));
    expect(parts).toEqual([null, 0, 1, 2, 3]);
    expect(asked[0]).toEqual(whole);
    const later = new Set(asked.slice(1).flat().map(String));
    // float32 on the way to the decoder.
    for (const [x, y] of whole) expect(later).toContain(String([Math.fround(x), Math.fround(y)]));
    for (const points of asked.slice(1)) expect(points.length).toBeLessThan(whole.length / 2);
  });

  test('a cut asks all of it again', async () => {
    const { look } = camera();
    await look(drawn([]));
    expect(partOf((await look(drawn([[20, 20]]))).plan)).toBe(0);
    const after = drawn([]).map((value) => 255 - value);
    expect(partOf((await look(after)).plan)).toBeNull();
    expect(partOf((await look(drawn([[20, 20]]).map((value) => 255 - value))).plan)).toBe(0);
  });

  test('asks where tracks should be and where the picture differs, each thing once', () => {
    const memory = { frame: drawn([]), masks: [], carriedClips: new Map(), nextPart: 2, reused: 0 };
    // A thing of 4 x 4 pixels in the middle between four points of the grid.
    const frame = drawn([]);
    for (let y = 16; y < 20; y++) frame.fill(220, (y * widthPx + 96) * 3, (y * widthPx + 100) * 3);
    const seen = keyFrame(frame, { expected: [[30, 30]], tracksAtRest: false });
    const plan = planKeyFrame(seen, memory, manifest);
    expect(plan).toMatchObject({ how: 'ask', part: 2 });
    if (plan.how !== 'ask') return;
    expect(plan.extra[0]).toEqual([30, 30]);
    const isOfGrid = (point: Point): boolean => whole.map(String).includes(String(point));
    const between = (points: readonly Point[]) => points.slice(1).filter((one) => !isOfGrid(one));
    expect(between(plan.extra)).toEqual([[expect.closeTo(98, 1), expect.closeTo(18, 1)]]);
    // A track that is expected at the very place makes the question one.
    const known = planKeyFrame({ ...seen, expected: between(plan.extra) }, memory, manifest);
    expect(known.how === 'ask' ? between(known.extra) : null).toEqual([]);
  });

  test('asks the whole grid where the picture changed, and only there', () => {
    const memory = { frame: drawn([]), masks: [], carriedClips: new Map(), nextPart: 0, reused: 0 };
    const plan = planKeyFrame(keyFrame(drawn([[100, 50]])), memory, manifest);
    const extra = plan.how === 'ask' ? plan.extra.map(String) : [];
    const isNear = ([x, y]: Point): boolean => Math.abs(x - 106) < 10 && Math.abs(y - 56) < 10;
    const isFar = ([x, y]: Point): boolean => Math.abs(x - 106) > 30 || Math.abs(y - 56) > 30;
    const others = otherPartPoints(picture, manifest.segmenter, 0);
    expect(others.filter(isNear).length).toBeGreaterThan(0);
    for (const point of others.filter(isNear)) expect(extra).toContain(String(point));
    for (const point of others.filter(isFar)) expect(extra).not.toContain(String(point));
  });

  test('extra points are at most one more batch', () => {
    const memory = { frame: drawn([]), masks: [], carriedClips: new Map(), nextPart: 0, reused: 0 };
    const expected = Array.from({ length: 200 }, (_, at): Point => [at % 160, 40]);
    const plan = planKeyFrame(
      keyFrame(drawn([]), { expected, tracksAtRest: false }),
      memory,
      manifest,
    );
    expect(plan.how === 'ask' ? plan.extra.length : NaN).toBe(manifest.segmenter.pointsPerBatch);
  });
});

describe('reuse', () => {
  test('a still picture gets exactly the masks it had, without encoder and decoder', async () => {
    const { look, asked } = camera();
    const first = await look(drawn([[40, 40]], 1));
    const second = await look(drawn([[40, 40]], 2));
    expect(first.masks.length).toBeGreaterThan(0);
    expect(second.masks).toBe(first.masks);
    expect(second.pictures).toEqual([]);
    expect(second.stages).toEqual(['segmenterReused']);
    expect(first.stages).toEqual(['segmenterDecoder', 'segmenterSelection']);
    expect(asked).toHaveLength(1);
  });

  test('something small that moved is looked at', async () => {
    const { look } = camera();
    await look(drawn([[40, 40]]));
    const moved = drawn([[40, 40]]);
    for (let y = 71; y < 74; y++) moved.fill(150, (y * widthPx + 71) * 3, (y * widthPx + 74) * 3);
    expect(partOf((await look(moved)).plan)).toBe(0);
  });

  test('what creeps is compared with the picture that was segmented, not with the last one', async () => {
    const { look } = camera();
    await look(drawn([[40, 40]]));
    const brighter = (by: number) => drawn([[40, 40]]).map((value) => Math.min(255, value + by));
    const plans = [];
    for (const by of [6, 12, 18]) plans.push(partOf((await look(brighter(by))).plan));
    expect(plans.slice(0, 2)).toEqual(['reuse', 'reuse']);
    expect(plans[2]).not.toBe('reuse');
  });

  test('moving tracks are looked at even where the pixels look the same', async () => {
    const { look } = camera();
    await look(drawn([]));
    expect(partOf((await look(drawn([]), { tracksAtRest: false })).plan)).toBe(0);
  });

  test('is over after so many clips: then all of the grid is asked, and it begins anew', async () => {
    const { look, asked } = camera();
    const parts = [];
    for (let clip = 0; clip < reusedMaxClips + 3; clip++) {
      parts.push(partOf((await look(drawn([[40, 40]], clip))).plan));
    }
    const still = Array.from({ length: reusedMaxClips }, () => 'reuse');
    expect(parts).toEqual([null, ...still, null, 'reuse']);
    expect(asked).toEqual([whole, whole]);
  });

  test('keeps its own copy of the frame, whose bytes are the caller’s', () => {
    const frame = drawn([]);
    const plan: Plan = { how: 'ask', part: 3, extra: [], carried: [] };
    const masks: Mask[] = [];
    const memory = rememberKeyFrame(plan, frame, masks, undefined, () => false);
    const before = frame[5];
    frame.fill(0);
    expect(memory.frame[5]).toBe(before);
    expect(memory.nextPart).toBe(0);
  });
});

describe('carrying on', () => {
  const left = (masks: readonly Mask[]) => masks.filter(({ box }) => box.right <= maskColumns / 2);

  test('what did not change beside something that moves keeps its very masks', async () => {
    const { look } = camera();
    const first = await look(drawn([[120, 40]]));
    const second = await look(drawn([[130, 40]]));
    expect(partOf(second.plan)).toBe(0);
    const before = left(first.masks).filter(({ box }) => box.right < 55);
    expect(before.length).toBeGreaterThan(5);
    // The part that is asked again gives equals, of which the new one counts; all others are the same objects.
    const boxes = second.masks.map(({ box }) => JSON.stringify(box));
    for (const { box } of before) expect(boxes).toContain(JSON.stringify(box));
    expect(before.filter((mask) => second.masks.includes(mask)).length).toBeGreaterThan(
      before.length / 2,
    );
  });

  test('ends where something changed', () => {
    const mask = (from: number): Mask => ({
      cells: new Uint8Array(maskRows * maskColumns),
      box: { left: from, top: 20, right: from + 6, bottom: 26 },
      predictedIou: 0.9,
      stability: 1,
    });
    const [still, changed] = [mask(10), mask(50)];
    const memory = {
      frame: drawn([]),
      masks: [still, changed],
      carriedClips: new Map(),
      nextPart: 0,
      reused: 0,
    };
    const carriedOf = (own: KeyFrameMemory): readonly Mask[] => {
      const plan = planKeyFrame(keyFrame(drawn([[100, 40]])), own, manifest);
      return plan.how === 'ask' ? plan.carried : [];
    };
    expect(carriedOf(memory)).toEqual([still]);
    expect(carriedOf(memory)[0]).toBe(still);
    const old = { ...memory, carriedClips: new Map([[still, reusedMaxClips]]) };
    expect(carriedOf(old)).toEqual([]);
  });

  test('counts the clips since a mask was found', () => {
    const one: Mask = {
      cells: new Uint8Array(0),
      box: { left: 0, top: 0, right: 1, bottom: 1 },
      predictedIou: 0.5,
      stability: 1,
    };
    const plan: Plan = { how: 'ask', part: 0, extra: [], carried: [one] };
    const first = rememberKeyFrame(plan, drawn([]), [one], undefined, () => false);
    const second = rememberKeyFrame(plan, drawn([]), [one], first, () => false);
    expect(second.carriedClips.get(one)).toBe(2);
    const again = rememberKeyFrame(plan, drawn([]), [one], second, () => true);
    expect(again.carriedClips.has(one)).toBe(false);
  });
});

describe('given masks', () => {
  test('are taken as they are, and the segmenter is not asked', async () => {
    const one: Mask = {
      cells: new Uint8Array(0),
      box: { left: 0, top: 0, right: 1, bottom: 1 },
      predictedIou: 1,
      stability: 1,
    };
    const decoder = {
      run: () => Promise.reject(new Error('The segmenter was asked.')),
    } as unknown as ConstructorParameters<typeof KeyFrameMasks>[0];
    const masks = new KeyFrameMasks(decoder, manifest);
    const plan: Plan = { how: 'given', masks: [one] };
    const seen = {
      ...{ frame: drawn([]), before: drawn([]), expected: [], tracksAtRest: true },
      picture: { x: 0, y: 3, width: 160, height: 90 },
    };
    expect(masks.pictures(seen, plan)).toEqual([]);
    const found = await masks.find(seen, plan, [], undefined, stopwatch());
    expect(found.masks).toEqual([one]);
    expect(found.memory).toMatchObject({ masks: [one], reused: 0, nextPart: 0 });
  });
});

describe('crops', () => {
  const cropped: Manifest = {
    ...manifest,
    segmenter: { ...manifest.segmenter, cropNLayers: 1, cropNPointsDownscaleFactor: 2 },
  };

  test('are pictures of their own, asked with the grid of their layer', async () => {
    const { look, asked } = camera(cropped);
    const { pictures } = await look(drawn([[40, 40]]));
    expect(pictures).toHaveLength(5);
    expect(asked.map(({ length }) => length)).toEqual([60, 15, 15, 15, 15]);
  });

  test('show their part of the picture enlarged', async () => {
    const { look } = camera(cropped);
    const { pictures } = await look(drawn([[4, 7]]));
    const bright = (pixels: ArrayLike<number | bigint>): number => {
      let count = 0;
      for (let at = 0; at < pixels.length; at += 3) if (Number(pixels[at]) > 200) count++;
      return count;
    };
    const counts = pictures.map(({ image }) => bright(image.data));
    expect(counts[0]).toBe(144);
    // The first crop is the picture's upper left: it is enlarged 1.5-fold or more, so its square is twice as large.
    expect(counts[1]).toBeGreaterThan(2 * 144);
    expect(counts[4]).toBe(0);
  });

  test('find what they show at its place in the picture', async () => {
    const { look } = camera(cropped);
    const { masks } = await look(drawn([]));
    // The fake's squares are 6 cells wide; those seen in a crop are smaller in the picture.
    const small = masks.filter(({ box }) => box.right - box.left <= 5);
    expect(small.length).toBeGreaterThan(5);
    for (const { box } of small) {
      expect(box.left >= 0 && box.right <= maskColumns && box.top >= 1 && box.bottom <= 47).toBe(
        true,
      );
    }
  });
});

describe('tracks', () => {
  const track = (rest: Partial<Track>): Track => ({
    id: 1,
    bornClip: 0,
    lastSeenMs: 1000,
    detection: {
      box: { x: 0.4, y: 0.4, width: 0.2, height: 0.2 },
      classes: Float32Array.of(0, 1),
      feature: new Float32Array(1),
      looks: [],
    },
    velocity: { x: 0, y: 0 },
    sightings: 2,
    classes: Float32Array.of(0, 1),
    feature: new Float32Array(1),
    rest: { box: { x: 0.4, y: 0.4, width: 0.2, height: 0.2 }, sinceMs: 0 },
    ...rest,
  });

  test('say where to ask: where they should be, if that is inside the frame', () => {
    const moving = track({ velocity: { x: 0.1, y: 0 } });
    const leaving = track({ velocity: { x: 0.9, y: 0 } });
    expect(expectedPoints([moving, leaving], 2000, picture, manifest.preprocessing)).toEqual([
      [expect.closeTo(96, 6), expect.closeTo(48, 6)],
    ]);
  });

  test('are at rest if none moves and none is missing', () => {
    const rest = (sinceMs: number) => ({ rest: { ...track({}).rest, sinceMs } });
    expect(areAtRest([], 1000)).toBe(true);
    expect(areAtRest([track({}), track(rest(0))], 1000)).toBe(true);
    // Seen once, or moved since it was seen before.
    expect(areAtRest([track({}), track(rest(1000))], 1000)).toBe(false);
    expect(areAtRest([track({}), track({ lastSeenMs: 0 })], 1000)).toBe(false);
    expect(areAtRest([track({ lastSeenMs: 0 })], 1000)).toBe(false);
    // Behind something that stands, for longer than a moment.
    expect(areAtRest([track({ lastSeenMs: 10_000 }), track({})], 10_000)).toBe(true);
  });
});
