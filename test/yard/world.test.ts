import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { firstEvent, futures } from '../../src/yard/futures.js';
import { labelOf, yardLabels } from '../../src/yard/labels.js';
import type { LabelText } from '../../src/yard/labels.js';
import { makePlace, widthPx } from '../../src/yard/place.js';
import type { VanColour } from '../../src/yard/place.js';
import { sizes, ticksPerSecond } from '../../src/yard/things.js';
import { World } from '../../src/yard/world.js';
import type { Person, Van, YardEvent } from '../../src/yard/things.js';

/** A place where nothing arrives, so that a test sees only what it put there. */
function emptyWorld(seed = 1): World {
  return new World(seed, { ...makePlace(1), rates: { van: 0, person: 0, dog: 0, ball: 0 } });
}

function van(world: World, colour: VanColour, more: Partial<Van> = {}): Van {
  const { gateX, roadTop } = world.place;
  const cruise = 76;
  return {
    ...{ id: 50, x: gateX, y: roadTop + 28, direction: 1, entered: true, colour, cruise, speed: 0 },
    ...{ braking: false, state: 'stopped', plan: 'stop', age: 0, ...more },
  };
}

function person(world: World, more: Partial<Person> = {}): Person {
  const { doorX, roadBottom } = world.place;
  return {
    ...{ id: 60, x: doorX + 8, y: roadBottom + 9, direction: 1, entered: true, speed: 34, spot: 8 },
    ...{ state: 'walking', decided: false, waited: false, age: 0, ...more },
  };
}

function run(world: World, seconds: number): readonly YardEvent[] {
  for (let i = 0; i < seconds * ticksPerSecond; i++) world.step();
  return world.events;
}

/** The share of `count` clones in which the label begins within `seconds`. */
function chanceOf(world: World, text: LabelText, seconds: number, count = 3000): number {
  let hits = 0;
  const label = labelOf(text);
  for (let seed = 0; seed < count; seed++) {
    const clone = world.clone(seed);
    const isThere = (): boolean => clone.events.some((event) => event.label === label);
    for (let i = 0; i < seconds * ticksPerSecond && !isThere(); i++) clone.step();
    if (isThere()) hits++;
  }
  return hits / count;
}

describe('the yard', () => {
  it('gives the same events for the same seed, on every machine', () => {
    const log = [1, 2, 3, 4, 5].map((seed) => run(new World(seed), 120));
    expect(log).toEqual([1, 2, 3, 4, 5].map((seed) => run(new World(seed), 120)));
    expect(createHash('sha256').update(JSON.stringify(log)).digest('hex')).toBe(
      '6774f87cbb4cd2938d3035f11f19b3ae2b0349a938c6d1f892e90b92ffdd6406',
    );
  });

  it('goes on as the original when cloned with its seed, and otherwise when cloned with another', () => {
    const original = new World(7);
    run(original, 30);
    const before = original.events.length;
    const [same, other] = [original.clone(7), original.clone(8)];
    run(same, 60);
    run(other, 60);
    run(original, 60);
    expect(same.events).toEqual(original.events.slice(before));
    expect(other.events).not.toEqual(same.events);
  });

  it('opens the gate for blue vans and sends red ones away', () => {
    const world = emptyWorld();
    world.van = van(world, 'blue');
    expect(chanceOf(world, 'gate opens', 4)).toBeCloseTo(0.83, 1.3);
    expect(chanceOf(world, 'van drives in', 60, 300)).toBeGreaterThan(0.9);
    expect(chanceOf(world, 'gate closes', 60, 300)).toBeGreaterThan(0.9);
    world.van = van(world, 'red');
    expect(chanceOf(world, 'van turns away', 4)).toBeCloseTo(0.78, 1.3);
    expect(chanceOf(world, 'van leaves', 60, 300)).toBeGreaterThan(0.85);
  });

  it('lets blue and red vans stop at the gate and most white ones pass', () => {
    const world = emptyWorld();
    for (const [colour, chance] of [
      ['blue', 0.88],
      ['red', 0.88],
      ['white', 0.1],
    ] as const) {
      world.van = van(world, colour, { x: 10, speed: 76, state: 'driving', plan: null });
      expect(chanceOf(world, 'van stops at gate', 8, 2000)).toBeCloseTo(chance, 1.3);
    }
  });

  it('lets people in at the door, but fewer of those who had to wait', () => {
    const world = emptyWorld();
    for (const waited of [false, true]) {
      world.persons = [person(world, { state: 'at door', y: world.place.wallY + 7, waited })];
      const goesIn = waited ? 0.25 : 0.75;
      expect(chanceOf(world, 'person goes in', 10)).toBeCloseTo(goesIn, 1.3);
      expect(chanceOf(world, 'person turns back', 10)).toBeCloseTo(1 - goesIn, 1.3);
    }
  });

  it('makes nine of ten people wait for a van that comes', () => {
    const world = emptyWorld();
    const { doorX } = world.place;
    world.persons = [person(world, { x: doorX + 7.9 })];
    world.van = van(world, 'white', {
      x: doorX - 70,
      speed: 76,
      state: 'driving',
      plan: 'pass',
    });
    let waited = 0;
    for (let seed = 0; seed < 2000; seed++) {
      const clone = world.clone(seed);
      clone.step();
      const state = clone.persons[0]?.state;
      expect(['waiting', 'crossing', 'walking']).toContain(state);
      if (state === 'waiting') waited++;
    }
    // 0.88 of them want to cross at all.
    expect(waited / 2000).toBeCloseTo(0.88 * 0.9, 1.3);
  });

  it('sends the dog after about three of four balls on the road', () => {
    const world = emptyWorld();
    const { dogX, roadBottom } = world.place;
    world.dog = { id: 70, x: dogX, y: 170, direction: 1, entered: true, state: 'sitting', age: 0 };
    world.ball = {
      ...{ id: 71, x: 150, y: roadBottom - 1, direction: 1, entered: true },
      ...{ vx: 0, vy: -32, onRoad: true, carried: false },
    };
    const chance = chanceOf(world, 'dog chases ball', 10);
    expect(chance).toBeGreaterThan(0.65);
    expect(chance).toBeLessThan(0.85);
  });

  it('makes vans brake for people on the road', () => {
    const world = emptyWorld();
    const { doorX, roadBottom } = world.place;
    world.persons = [person(world, { state: 'crossing', y: roadBottom - 2 })];
    world.van = van(world, 'white', {
      x: doorX - 80,
      speed: 76,
      state: 'driving',
      plan: 'pass',
    });
    let slowest = Infinity;
    for (let i = 0; i < 32; i++) {
      world.step();
      slowest = Math.min(slowest, world.van.speed);
      const [walker] = world.persons;
      if (walker?.state === 'crossing')
        expect(world.van.x + sizes.van.width / 2).toBeLessThan(walker.x);
    }
    expect(slowest).toBe(0);
  });

  it('starts each event at the moment that the documentation names', () => {
    const inside = (x: number, width: number): number =>
      (Math.min(widthPx, x + width / 2) - Math.max(0, x - width / 2)) / width;
    const seen = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const world = new World(seed);
      for (let tick = 0; tick < 1600; tick++) {
        const before = world.clone(0);
        const count = world.events.length;
        world.step();
        for (const event of world.events.slice(count)) {
          const text = yardLabels[event.label]?.text;
          seen.add(text ?? '');
          const actor = event.actors[0];
          const now = {
            van: world.van,
            person: world.persons.find(({ id }) => id === actor),
            dog: world.dog,
          };
          const was = {
            van: before.van,
            person: before.persons.find(({ id }) => id === actor),
            dog: before.dog,
          };
          const entersNow = (thing: 'van' | 'person' | 'dog'): void => {
            expect(inside(now[thing]?.x ?? -99, sizes[thing].width)).toBeGreaterThanOrEqual(0.2);
            expect(inside(was[thing]?.x ?? -99, sizes[thing].width)).toBeLessThan(0.2);
          };
          switch (text) {
            case 'van enters':
              entersNow('van');
              break;
            case 'person enters':
              entersNow('person');
              break;
            case 'dog enters':
              entersNow('dog');
              break;
            case 'van stops at gate':
              expect(now.van).toMatchObject({ speed: 0, x: world.place.gateX });
              expect(was.van?.speed).toBeGreaterThan(0);
              break;
            case 'van drives in':
              expect(was.van?.state).toBe('stopped');
              expect(before.gate.state).toBe('open');
              break;
            case 'van turns away':
              expect(was.van?.state).toBe('stopped');
              expect(now.van?.state).toBe('turning');
              break;
            case 'van leaves':
              expect(inside(was.van?.x ?? -99, sizes.van.width)).toBeGreaterThanOrEqual(0.2);
              expect(now.van).toBeNull();
              break;
            case 'gate opens':
              expect([before.gate.share, world.gate.state]).toEqual([0, 'opening']);
              break;
            case 'gate closes':
              expect([before.gate.share, world.gate.state]).toEqual([1, 'closing']);
              break;
            case 'person crosses road':
              expect(was.person?.y).toBeGreaterThanOrEqual(world.place.roadBottom);
              expect(now.person?.y).toBeLessThan(world.place.roadBottom);
              break;
            case 'person goes in':
            case 'person turns back':
              expect(was.person?.state).toBe('at door');
              expect(now.person?.state).toBe(text === 'person goes in' ? 'going in' : 'leaving');
              break;
            case 'ball rolls onto road':
              expect(before.ball?.y).toBeGreaterThanOrEqual(world.place.roadBottom);
              expect(world.ball?.y).toBeLessThan(world.place.roadBottom);
              break;
            case 'dog chases ball':
              expect(was.dog?.state).toBe('sitting');
              expect(event.target).toBe(world.ball?.id);
              break;
            case 'nothing':
            case undefined:
              throw new Error(`No onset is documented for ${String(text)}.`);
          }
        }
      }
    }
    expect(seen.size).toBe(yardLabels.length - 1);
  });
});

describe('the first event', () => {
  const at = (tick: number, label: number): YardEvent => ({
    tick,
    label,
    actors: [],
    target: null,
  });

  it('begins after the window and not after the horizon', () => {
    expect(firstEvent([at(16, 1)], 16, 1000, 0)).toBeNull();
    expect(firstEvent([at(32, 1)], 16, 1000, 0)?.label).toBe(1);
    expect(firstEvent([at(33, 1)], 16, 1000, 0)).toBeNull();
  });

  it('is drawn among events within 100 ms', () => {
    const events = [at(20, 1), at(21, 2), at(22, 3)];
    expect(firstEvent(events, 16, 4000, 0)?.label).toBe(1);
    expect(firstEvent(events, 16, 4000, 0.99)?.label).toBe(2);
  });
});

describe('re-simulated futures', () => {
  it('come as often as what does happen', () => {
    // Windows 5 s apart share no horizon. Each label's count is compared with the sum of its forecast shares.
    const expected = yardLabels.map(() => 0);
    const variance = yardLabels.map(() => 0);
    const happened = yardLabels.map(() => 0);
    const count = 32;
    for (let seed = 1; seed <= 120; seed++) {
      const world = new World(seed);
      run(world, 20);
      for (let i = 0; i < 12; i++) {
        const shares = futures(world, 4000, count, seed * 100 + i).map((n) => n / count);
        const from = world.tick;
        run(world, 5);
        const label = firstEvent(world.events, from, 4000, (i + 0.5) / 12)?.label ?? 0;
        happened[label] = (happened[label] ?? 0) + 1;
        shares.forEach((share, k) => {
          expected[k] = (expected[k] ?? 0) + share;
          variance[k] = (variance[k] ?? 0) + share * (1 - share) * (1 + 1 / count);
        });
      }
    }
    happened.forEach((n, k) => {
      const sigmas = (n - (expected[k] ?? 0)) / Math.sqrt(1 + (variance[k] ?? 0));
      expect(Math.abs(sigmas), yardLabels[k]?.text).toBeLessThan(4);
    });
  });

  it('leave the world as it was and depend on the seed alone', () => {
    const world = new World(3);
    run(world, 20);
    const before = JSON.stringify(world);
    expect(futures(world, 4000, 50, 9)).toEqual(futures(world, 4000, 50, 9));
    expect(JSON.stringify(world)).toBe(before);
  });

  it('show every label, none too rare and none too frequent', () => {
    const totals = yardLabels.map(() => 0);
    let windows = 0;
    for (let seed = 500; seed < 620; seed++) {
      const world = new World(seed);
      run(world, 20);
      for (let i = 0; i < 10; i++) {
        run(world, 4);
        futures(world, 4000, 16, seed * 10 + i).forEach((n, k) => {
          totals[k] = (totals[k] ?? 0) + n / 16;
        });
        windows++;
      }
    }
    for (const [k, total] of totals.entries()) {
      expect(total / windows, yardLabels[k]?.text).toBeGreaterThan(0.015);
      expect(total / windows, yardLabels[k]?.text).toBeLessThan(0.3);
    }
  });
});
