import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { openScene } from '../../src/yard/data/splits.js';
import { groundRange, project } from '../../src/yard/world/camera.js';
import { labelOf, yardLabels } from '../../src/yard/world/labels.js';
import type { EventText } from '../../src/yard/world/labels.js';
import { makePlace, pavementZ, zones } from '../../src/yard/world/place.js';
import { randomBits, stream, threefry, uniform } from '../../src/yard/world/random.js';
import { rules } from '../../src/yard/world/rules.js';
import { specialRules } from '../../src/yard/world/special-rules.js';
import { heldOutTemplates, trainTemplates } from '../../src/yard/world/templates.js';
import type { Module, Template } from '../../src/yard/world/templates.js';
import { ticks, ticksPerSecond } from '../../src/yard/world/things.js';
import type { YardEvent } from '../../src/yard/world/things.js';
import { worldVersion } from '../../src/yard/world/version.js';
import { World } from '../../src/yard/world/world.js';

// Thousands of simulated minutes: how long they take says nothing, least of all on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const templateWith = (...modules: Module[]): Template =>
  [...trainTemplates, ...heldOutTemplates].find((it) =>
    modules.every((module) => it.modules.includes(module)),
  )!;

interface Watched {
  readonly world: World;
  /** Called after every tick. */
  readonly onTick?: (world: World) => void;
}

function run(seed: number, seconds: number, template: Template, onTick?: Watched['onTick']): World {
  const world = new World(seed, makePlace(seed, { template }));
  for (let i = 0; i < seconds * ticksPerSecond; i++) {
    world.step();
    onTick?.(world);
  }
  return world;
}

const named = (events: readonly YardEvent[], text: EventText): YardEvent[] =>
  events.filter((event) => event.label === labelOf(text));

const atS = (event: YardEvent): number => event.tick / ticksPerSecond;

describe('the generator', () => {
  it('is Threefry-2x32-20: known answers of Random123', () => {
    const hex = (words: [number, number]): string =>
      words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
    expect(hex(threefry(0, 0, 0, 0))).toBe('6b200159 99ba4efe');
    expect(hex(threefry(-1, -1, -1, -1))).toBe('1cb996fc bb002be7');
    expect(hex(threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3))).toBe('c4923a9c 483df7a0');
  });

  it('tells seeds, streams, counters and indices apart', () => {
    const one = stream('one');
    const bits = [
      randomBits(1, one, 1, 1),
      randomBits(2, one, 1, 1),
      randomBits(1 + 2 ** 40, one, 1, 1),
      randomBits(1, stream('two'), 1, 1),
      randomBits(1, one, 2, 1),
      randomBits(1, one, 1, 2),
    ];
    expect(new Set(bits).size).toBe(bits.length);
    expect(randomBits(1, one, 1, 1)).toBe(bits[0]);
  });

  it('draws shares that are spread evenly', () => {
    const of = stream('even');
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) bins[Math.floor(uniform(7, of, i) * 10)]!++;
    for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000));
  });
});

describe('the camera', () => {
  it('finds the ground points at the edges of the picture', () => {
    for (const seed of [1, 2, 3]) {
      const { camera } = makePlace(seed);
      const [left, right] = groundRange(camera, zones.vehicleLane);
      expect(project(camera, left, 0, zones.vehicleLane).u).toBeCloseTo(0, 6);
      expect(project(camera, right, 0, zones.vehicleLane).u).toBeCloseTo(320, 6);
    }
  });

  it('makes what is farther smaller', () => {
    const { camera } = makePlace(1);
    const heightAt = (z: number): number =>
      project(camera, 0, 0, z).v - project(camera, 0, 1.9, z).v;
    expect(heightAt(zones.front)).toBeLessThan(0.75 * heightAt(pavementZ));
  });

  it('has gate, door and dock in the picture at every place', () => {
    for (let seed = 0; seed < 200; seed++) {
      const place = makePlace(seed, { newAppearance: seed % 2 === 0 });
      const spans = [
        [place.gateX, place.gateWidth / 2],
        [place.doorX, 0.6],
        [place.dockX, place.dockWidth / 2],
      ] as const;
      for (const [x, half] of spans)
        for (const corner of [x - half, x + half])
          for (const y of [0, 2.4]) {
            const { u, v } = project(place.camera, corner, y, zones.front);
            expect(u).toBeGreaterThan(-6);
            expect(u).toBeLessThan(326);
            expect(v).toBeGreaterThan(0);
            expect(v).toBeLessThan(180);
          }
    }
  });
});

describe('a world', () => {
  it('is the same for the same seed, for as long as worldVersion stands', () => {
    const hash = createHash('sha256');
    for (let scene = 0; scene < 8; scene++) {
      const world = openScene('train', 1, scene);
      for (let i = 0; i < 40 * ticksPerSecond; i++) world.step();
      hash.update(
        JSON.stringify(world.events.map((it) => [it.tick, it.label, it.actor, it.target])),
      );
    }
    // When this fails on purpose, raise worldVersion and take over the new hash.
    expect([worldVersion, hash.digest('hex').slice(0, 16)]).toEqual([1, '12379a9722c551df']);
  });

  it('goes on the same after cloning with its own seed, and leaves the original alone', () => {
    const template = templateWith('gate', 'light');
    const world = run(11, 30, template);
    const before = JSON.stringify(world);
    const clone = world.clone(world.seed);
    for (let i = 0; i < 400; i++) clone.step();
    expect(JSON.stringify(world)).toBe(before);
    const known = world.events.length;
    for (let i = 0; i < 400; i++) world.step();
    expect(clone.events).toEqual(world.events.slice(known));
  });

  it('has at most 40 labels of at least 14 types, and each comes about somewhere', () => {
    expect(yardLabels.length).toBeLessThanOrEqual(40);
    expect(new Set(yardLabels.map((label) => label.type)).size - 1).toBeGreaterThanOrEqual(14);
    const seen = new Set<number>([0]);
    for (const template of [...trainTemplates, ...heldOutTemplates])
      for (let seed = 0; seed < 12; seed++)
        for (const { label } of run(seed, 200, template).events) seen.add(label);
    expect(yardLabels.filter((_, label) => !seen.has(label)).map((it) => it.text)).toEqual([]);
  });

  it('never comes to a standstill: nothing but fixed things stays for two minutes', () => {
    for (const template of [...trainTemplates, ...heldOutTemplates])
      for (let seed = 0; seed < 6; seed++) {
        const since = new Map<number, number>();
        run(seed, 240, template, (world) => {
          const { vehicles, people, bicycle, forklift, dog } = world;
          for (const thing of [...vehicles, ...people, bicycle, forklift, dog]) {
            if (!thing) continue;
            const first = since.get(thing.id) ?? world.tick;
            since.set(thing.id, first);
            if (world.tick - first > ticks(120))
              throw new Error(
                `${template.name} ${String(seed)}: ${JSON.stringify(thing)} has been there for long.`,
              );
          }
        });
      }
  });

  it('never lets two vehicles stand in each other', () => {
    for (const template of [...trainTemplates, ...heldOutTemplates])
      run(3, 240, template, ({ vehicles }) => {
        const driving = vehicles.filter((it) => it.state !== 'driving in');
        const [a, b] = driving;
        if (a && b) expect(Math.abs(a.x - b.x)).toBeGreaterThan(4);
      });
  });
});

/** Shares over many seeds, with the interval in which five standard errors lie. */
function expectShare(hits: number, of: number, share: number): void {
  expect(of).toBeGreaterThan(40);
  expect(Math.abs(hits / of - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / of));
}

function manyEvents(template: Template, seeds: number, onTick?: Watched['onTick']): YardEvent[][] {
  return Array.from({ length: seeds }, (_, seed) => run(500 + seed, 300, template, onTick).events);
}

describe('the rules', () => {
  it('open the gate for expected vans only, and close it a fixed time after they drove in', () => {
    const expected = new Map<number, boolean>();
    const all = manyEvents(templateWith('gate', 'lawn'), 12, (world) => {
      for (const van of world.vehicles)
        if (van.state === 'at gate') expected.set(world.seed * 10_000 + van.id, van.expected);
    });
    let opened = 0;
    all.forEach((events, seed) => {
      for (const event of named(events, 'gate opens')) {
        const stop = events.find((it) => it.id === event.because[0]);
        expect(stop?.label).toBe(labelOf('van stops at gate'));
        expect(expected.get((500 + seed) * 10_000 + (stop?.actor ?? 0))).toBe(true);
        opened++;
      }
      for (const event of named(events, 'gate closes')) {
        const before = named(events, 'van drives in').filter((it) => it.tick <= event.tick);
        const since = atS(event) - atS(before.at(-1)!);
        expect(since).toBeGreaterThanOrEqual(rules.gate.closesAfterS);
      }
    });
    expect(opened).toBeGreaterThan(40);
  });

  it('hold exactly the belief that a van is expected', () => {
    // Of all vans at a moment of waiting whose belief is b, a share b is expected.
    const bins = new Map<number, { hits: number; of: number; sum: number }>();
    manyEvents(templateWith('gate', 'dock'), 40, (world) => {
      for (const van of world.vehicles) {
        if (van.state !== 'at gate' || world.gate.state !== 'closed') continue;
        const waited = world.tick - van.since;
        if (waited !== ticks(0.8) && waited !== ticks(1.6) && waited !== ticks(2.4)) continue;
        const key = Math.round(van.belief * 1000);
        const bin = bins.get(key) ?? { hits: 0, of: 0, sum: 0 };
        bin.of++;
        bin.sum += van.belief;
        if (van.expected) bin.hits++;
        bins.set(key, bin);
      }
    });
    expect(bins.size).toBeGreaterThan(5);
    for (const { hits, of, sum } of bins.values()) {
      const share = sum / of;
      const slack = 4.5 * Math.sqrt((share * (1 - share)) / of) + 0.5 / of;
      expect(Math.abs(hits / of - share)).toBeLessThan(slack);
    }
  });

  it('let people in by who was last at the door', () => {
    const counts = { in: [0, 0], out: [0, 0], none: [0, 0] };
    let last: 'in' | 'out' | 'none' = 'none';
    manyEvents(templateWith('light', 'dock'), 60, (world) => {
      for (const event of world.events.slice(-4)) {
        const goesIn = event.label === labelOf('person goes in');
        const decides = goesIn || event.label === labelOf('person turns back');
        if (decides && event.tick === world.tick) counts[last][goesIn ? 0 : 1]!++;
      }
      last = world.door.last;
    });
    for (const key of ['in', 'out', 'none'] as const) {
      const [goesIn = 0, turnsBack = 0] = counts[key];
      expectShare(goesIn, goesIn + turnsBack, rules.people.goesIn[key]);
    }
  });

  it('turn the light red some time after somebody began to wait, for a fixed time', () => {
    let reds = 0;
    for (const events of manyEvents(templateWith('light', 'lawn'), 8))
      for (const red of named(events, 'light turns red')) {
        const green = named(events, 'light turns green').find((it) => it.tick > red.tick);
        if (!green) continue;
        reds++;
        const lasted = atS(green) - atS(red);
        expect(lasted).toBeGreaterThanOrEqual(rules.light.redS);
        expect(lasted).toBeLessThan(rules.light.redS + 3);
      }
    expect(reds).toBeGreaterThan(40);
  });

  it('make the stack fall by how it leans', () => {
    const lean = new Map<number, [number, number]>([
      [0, [0, 0]],
      [0.5, [0, 0]],
      [1, [0, 0]],
    ]);
    manyEvents(templateWith('gate', 'dock'), 30, (world) => {
      const counts = lean.get(world.stack.lean)!;
      if (world.stack.loadedAt === world.tick) counts[1]++;
      if (world.events.at(-1)?.tick === world.tick && world.stack.fallen)
        if (world.events.at(-1)?.label === labelOf('stack falls')) counts[0]++;
    });
    const share = (of: number): number => lean.get(of)![0] / lean.get(of)![1];
    expect(share(0)).toBe(0);
    expect(share(1)).toBeGreaterThan(share(0.5) + 0.2);
    expect(share(1)).toBeGreaterThan(0.85);
  });

  it('make the later one yield where people and forklift cross', () => {
    let yields = 0;
    let laterYields = 0;
    manyEvents(templateWith('parcel', 'dock'), 10, ({ events, tick, people, forklift }) => {
      // Who yields when it comes near itself is the later of the two.
      for (const event of events.filter((it) => it.tick === tick)) {
        const nearAt =
          event.label === labelOf('forklift yields to person')
            ? forklift?.nearWayAt
            : event.label === labelOf('person yields to forklift')
              ? people.find((it) => it.id === event.actor)?.nearLaneAt
              : undefined;
        if (nearAt === undefined) continue;
        yields++;
        if (nearAt === tick) laterYields++;
      }
    });
    expect(yields).toBeGreaterThan(100);
    expect(laterYields / yields).toBeGreaterThan(rules.dock.laterYields - 0.05);
    expect(laterYields).toBeLessThan(yields);
  });

  it('chain causes: three and more links reach back from a gate that closes', () => {
    const events = manyEvents(templateWith('gate', 'light'), 2).flat();
    const lengthOf = (event: YardEvent | undefined, depth = 0): number =>
      event === undefined || depth > 20
        ? depth
        : Math.max(
            depth,
            ...event.because.map((id) =>
              lengthOf(
                events.find((it) => it.id === id && it.tick <= event.tick),
                depth + 1,
              ),
            ),
          );
    expect(Math.max(...named(events, 'gate closes').map((it) => lengthOf(it)))).toBeGreaterThan(3);
  });

  it('are joined by ten more that only words tell, which act in the split text-only alone', () => {
    expect(specialRules).toHaveLength(10);
    const isSpecial = (world: World): boolean =>
      world.stack.special ||
      [...world.vehicles, ...world.people, world.dog, world.ball, world.bicycle, world.forklift]
        .filter((it) => it !== null)
        .some((it) => it.special);
    const met = { 'text-only': 0, train: 0 };
    for (const split of ['text-only', 'train'] as const)
      for (let scene = 0; scene < 8; scene++) {
        const world = openScene(split, 1, scene);
        for (let i = 0; i < 30 * ticksPerSecond; i++) {
          world.step();
          if (isSpecial(world)) met[split]++;
        }
      }
    expect(met['text-only']).toBeGreaterThan(500);
    expect(met.train).toBe(0);
  });
});

describe('the special rules', () => {
  const specialEvents = (template: Template, onTick: (world: World) => void): void => {
    for (let seed = 0; seed < 12; seed++) {
      const world = new World(900 + seed, makePlace(900 + seed, { template, special: true }));
      for (let i = 0; i < 200 * ticksPerSecond; i++) {
        world.step();
        onTick(world);
      }
    }
  };
  const begun = (world: World, text: EventText): YardEvent[] =>
    world.events.filter((it) => it.tick === world.tick && it.label === labelOf(text));

  it('keep special vans from the gate', () => {
    let ordinary = 0;
    specialEvents(templateWith('gate', 'dock'), (world) => {
      for (const event of begun(world, 'van stops at gate')) {
        const van = world.vehicles.find((it) => it.id === event.actor);
        expect(van?.special).toBe(false);
        ordinary++;
      }
    });
    expect(ordinary).toBeGreaterThan(20);
  });

  it('never let a special forklift yield, nor a special stack fall', () => {
    const ordinary = { yields: 0, falls: 0 };
    specialEvents(templateWith('parcel', 'dock'), (world) => {
      for (const event of begun(world, 'forklift yields to person')) {
        expect([event.tick, world.forklift?.special]).toEqual([event.tick, false]);
        ordinary.yields++;
      }
      for (const event of begun(world, 'stack falls')) {
        expect([event.tick, world.stack.special]).toEqual([event.tick, false]);
        ordinary.falls++;
      }
    });
    expect(Math.min(ordinary.yields, ordinary.falls)).toBeGreaterThan(5);
  });

  it('keep special dogs, and children with special balls, from running, and bicycles from colliding', () => {
    const ordinary = { dogs: 0, children: 0, bicycles: 0 };
    specialEvents(templateWith('lawn', 'bicycle'), (world) => {
      for (const [text, thing, kind] of [
        ['dog runs after ball', world.dog, 'dogs'],
        ['child runs after ball', world.ball, 'children'],
        ['bicycle collides with ball', world.bicycle, 'bicycles'],
      ] as const)
        for (const event of begun(world, text)) {
          expect([event.tick, text, thing?.special]).toEqual([event.tick, text, false]);
          ordinary[kind]++;
        }
    });
    expect(Math.min(...Object.values(ordinary))).toBeGreaterThan(3);
  });

  it('let special people in, cross at green, hand over what is marked; and taxis past the light', () => {
    const ordinary = { turnsBack: 0, putsDown: 0, stops: 0 };
    let crossesAtGreen = 0;
    for (const template of [templateWith('parcel', 'light'), templateWith('light', 'lawn')])
      specialEvents(template, (world) => {
        const isSpecial = ({ actor }: YardEvent): boolean | undefined =>
          [...world.people, ...world.vehicles].find((it) => it.id === actor)?.special;
        for (const [text, kind] of [
          ['person turns back', 'turnsBack'],
          ['person puts down parcel', 'putsDown'],
          ['car stops at light', 'stops'],
        ] as const)
          for (const event of begun(world, text)) {
            expect([event.tick, text, isSpecial(event)]).toEqual([event.tick, text, false]);
            ordinary[kind]++;
          }
        if (world.light.phase === 'green')
          crossesAtGreen += begun(world, 'person crosses road').filter(isSpecial).length;
      });
    expect(Math.min(...Object.values(ordinary))).toBeGreaterThan(1);
    expect(crossesAtGreen).toBeGreaterThan(30);
  });
});
