import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crosses, decide, type Within } from '../../examples/robot/decide.js';
import {
  chanceOfAny,
  cruiseMPerS,
  drive,
  type Lane,
  type Robot,
} from '../../src/yard/robot/drive.js';
import {
  crossingLabels,
  crossingsOf,
  footprints,
  laneZ,
  robotSize,
  touches,
  type Footprint,
} from '../../src/yard/robot/lane.js';
import { robotTrial } from '../../src/yard/robot/trial.js';
import { openScene } from '../../src/yard/data/splits.js';
import { yardLabels } from '../../src/yard/world/labels.js';
import { yardManifest } from '../models/yard-bundle.js';

const lane: Lane = {
  ...{ fromX: -10, toX: 10 },
  crossings: [{ name: 'door', fromX: 2, toX: 4, labels: ['person comes out'] }],
};
const person = (x: number, z: number = laneZ): Footprint => ({
  id: 9,
  x,
  z,
  halfX: 0.3,
  halfZ: 0.35,
});
const still: Robot = { x: -5, speedMPerS: 0, direction: 1 };

/** Drives for some seconds. */
function drivenFor(seconds: number, senses: Parameters<typeof drive>[2], from = still): Robot {
  let robot = from;
  for (let step = 0; step < seconds * 16; step++) robot = drive(robot, lane, senses, 0.2, 1 / 16);
  return robot;
}
const blind = { things: null, chances: null };

describe('the robot', () => {
  test('drives at full speed where nothing is in its way, and turns at the ends', () => {
    expect(drivenFor(4, blind).speedMPerS).toBe(cruiseMPerS);
    expect(drivenFor(8.5, blind).direction).toBe(-1);
  });

  test('comes to a stand before what is in its lane, and drives on past what is beside or behind it', () => {
    const stopped = drivenFor(20, { ...blind, things: [person(0)] });
    expect(stopped.speedMPerS).toBeLessThan(0.01);
    expect(stopped.x + robotSize.lengthM / 2).toBeLessThan(-0.3);
    expect(drivenFor(4, { ...blind, things: [person(0, laneZ + 2)] }).speedMPerS).toBe(cruiseMPerS);
    expect(drivenFor(4, { ...blind, things: [person(-9)] }).speedMPerS).toBe(cruiseMPerS);
  });

  test('stops before a crossing that something may cross, and not before one that nothing will', () => {
    const likely = drivenFor(20, { ...blind, chances: new Map([['door', 0.3]]) });
    expect(likely.speedMPerS).toBeLessThan(0.01);
    expect(likely.x + robotSize.lengthM / 2).toBeLessThanOrEqual(2);
    const unlikely = drivenFor(5, { ...blind, chances: new Map([['door', 0.1]]) });
    expect(unlikely.x).toBeGreaterThan(2);
  });

  test('leaves a crossing that it is in, and creeps where it knows nothing', () => {
    const inside: Robot = { x: 3, speedMPerS: 1, direction: 1 };
    expect(drivenFor(2, { ...blind, chances: new Map([['door', 0.9]]) }, inside).x).toBeGreaterThan(
      5,
    );
    expect(drivenFor(4, { ...blind, chances: 'unknown' }).speedMPerS).toBe(0.5);
  });

  test('never drives faster than it may, nor out of its lane', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { maxLength: 3 }),
        (xs) => {
          const robot = drivenFor(12, { ...blind, things: xs.map((x) => person(x)) });
          expect(robot.speedMPerS).toBeLessThanOrEqual(cruiseMPerS);
          expect(Math.abs(robot.x)).toBeLessThanOrEqual(10);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a collision', () => {
  test('is two on the same ground', () => {
    expect(touches(person(0), 0)).toBe(true);
    expect(touches(person(0), robotSize.lengthM / 2 + 0.31)).toBe(false);
    expect(touches(person(0, laneZ + robotSize.widthM / 2 + 0.36), 0)).toBe(false);
  });

  test('is judged by where the world itself has its things', () => {
    const world = openScene('test', 1, 0);
    for (let tick = 0; tick < 160; tick++) world.step();
    const found = footprints(world);
    const { people, vehicles } = world;
    expect(found.length).toBeGreaterThanOrEqual(people.length + vehicles.length);
    for (const { id, x, z } of people)
      expect(found.find((it) => it.id === id)).toMatchObject({ x, z });
  });
});

test('crossings are where door, gate and dock are, by labels that there are', () => {
  const crossings = crossingsOf(openScene('test', 1, 0).place);
  for (const { fromX, toX, labels } of crossings) {
    expect(toX).toBeGreaterThan(fromX);
    for (const label of labels) expect(yardLabels.map(({ text }) => text)).toContain(label);
  }
  expect(crosses.toSorted()).toEqual(Object.values(crossingLabels).flat().toSorted());
  expect(chanceOfAny({ a: 0.5, b: 0.5 }, ['a', 'b', 'c'])).toBeCloseTo(0.75, 12);
});

test(
  'of robots over the same minutes, one that reacts hits less than one that does not, and one that sees ahead less still',
  { timeout: 60_000 },
  async () => {
    const certain = Object.fromEntries(yardLabels.map(({ text }) => [text, 1]));
    const options = {
      ...{ seed: 3, scene: 1, seconds: 300, thresholds: [0.2, 0.99], futures: 8 },
      ...{ manifest: yardManifest(), within: () => Promise.resolve(certain) },
    };
    const [low, high] = await robotTrial(options);
    expect(low).toMatchObject({ blind: { seconds: 300, stops: 0 } });
    expect(low!.reacts.collisions).toBeLessThan(low!.blind.collisions);
    // Whoever is told that all may come never enters a crossing.
    expect(low!.lookahead.collisions).toBeLessThan(low!.reacts.collisions);
    expect(low!.lookahead.lostS).toBeGreaterThan(low!.reacts.lostS);
    expect(high!.blind).toEqual(low!.blind);
    expect(await robotTrial(options), 'the same each time').toEqual([low, high]);
  },
);

describe('decide', () => {
  const nowMs = Date.UTC(2026, 10, 25, 9);
  const fresh: Within = {
    ...{ validUntil: new Date(nowMs + 1000).toISOString(), calibrated: true, quality: 'good' },
    chances: { 'person comes out': 0.1, 'van drives in': 0.05, 'ball rolls onto road': 0.9 },
  };
  const heard = { state: 'online', heardMsAgo: 900 };

  test('drives or stops by the chance of what crosses', () => {
    expect(decide(fresh, heard, nowMs, 0.2)[0]).toBe('drive');
    expect(decide(fresh, heard, nowMs, 0.1)[0]).toBe('stop');
  });

  test.each([
    ['no forecast yet', undefined, heard],
    ['no forecast yet', { ...fresh, chances: undefined }, heard],
    ['stale', { ...fresh, validUntil: new Date(nowMs - 1).toISOString() }, heard],
    ['stale', { ...fresh, validUntil: 'nonsense' }, heard],
    ['not calibrated', { ...fresh, calibrated: false }, heard],
    ['corrupt', { ...fresh, quality: 'corrupt' }, heard],
    ['no heartbeat', fresh, { ...heard, heardMsAgo: 3000 }],
    ['no heartbeat', fresh, { ...heard, heardMsAgo: NaN }],
    ['the camera is offline', fresh, { ...heard, state: 'offline' }],
  ])('slows down where nothing is known: %s', (why, within, camera) => {
    const [action, said] = decide(within as Within, camera, nowMs, 0.2);
    expect(action).toBe('slow');
    expect(said).toContain(why);
  });
});
