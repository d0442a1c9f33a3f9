import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openScene, sceneSeed, splits } from '../../src/yard/data/splits.js';
import { agreement, effectsOf, isCause } from '../../src/yard/truth/causes.js';
import type { Effect } from '../../src/yard/truth/causes.js';
import { chancesAt, forgetBefore, windowBayes } from '../../src/yard/truth/chances.js';
import { examWindows } from '../../src/yard/truth/exam-windows.js';
import { examClips, examScene, scenesFor } from '../../src/yard/truth/exam.js';
import { firstEvent, horizonTicks, simulateFutures } from '../../src/yard/truth/futures.js';
import { look, visibleLeast } from '../../src/yard/truth/look.js';
import { priorOf } from '../../src/yard/truth/prior.js';
import { labelOf, yardLabels } from '../../src/yard/world/labels.js';
import type { EventText } from '../../src/yard/world/labels.js';
import { makePlace } from '../../src/yard/world/place.js';
import { rules } from '../../src/yard/world/rules.js';
import {
  heldOutTemplates,
  joinedTemplates,
  trainTemplates,
} from '../../src/yard/world/templates.js';
import { ticks, ticksPerSecond } from '../../src/yard/world/things.js';
import type { YardEvent } from '../../src/yard/world/things.js';
import { World } from '../../src/yard/world/world.js';

// Thousands of simulated minutes: how long they take says nothing, least of all on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const event = (tick: number, text: EventText): YardEvent => ({
  id: tick,
  tick,
  label: labelOf(text),
  actor: 1,
  target: null,
  because: [],
});
const logOf = (share: number): number => Math.log(Math.max(share, 1e-4));
const sum = (shares: readonly number[]): number => shares.reduce((a, b) => a + b, 0);

describe('the first event', () => {
  const events = [event(10, 'gate opens'), event(11, 'van enters'), event(13, 'car enters')];

  it('begins after the moment and within the horizon', () => {
    expect(firstEvent(events, 9, 0)?.tick).toBe(10);
    expect(firstEvent(events, 11, 0)?.tick).toBe(13);
    expect(firstEvent(events, 13, 0)).toBeNull();
    expect(firstEvent([event(10 + horizonTicks, 'gate opens')], 10, 0)?.tick).toBe(74);
    expect(firstEvent([event(11 + horizonTicks, 'gate opens')], 10, 0)).toBeNull();
  });

  it('is drawn among those that begin within 100 ms of it', () => {
    expect(firstEvent(events, 9, 0.49)?.tick).toBe(10);
    expect(firstEvent(events, 9, 0.51)?.tick).toBe(11);
    expect(firstEvent(events, 9, 0.99)?.tick).toBe(11);
  });
});

/** Steps until it holds. */
function stepUntil(world: World, holds: (world: World) => boolean, secondsMax = 2000): World {
  for (let i = 0; i < secondsMax * ticksPerSecond; i++) {
    world.step();
    if (holds(world)) return world;
  }
  throw new Error('It never came to that.');
}

const worldOf = (template: (typeof trainTemplates)[number], seed: number): World =>
  new World(seed, makePlace(seed, { template }));

describe('pBayes and pState', () => {
  it('sum to 1, do not touch the world, and are the same at every call', () => {
    const world = openScene('test', 1, 2);
    const before = JSON.stringify(world);
    const first = chancesAt(world, { count: 64, seed: 3 });
    expect(JSON.stringify(world)).toBe(before);
    expect(chancesAt(world, { count: 64, seed: 3 })).toEqual(first);
    expect(sum(first.bayes)).toBeCloseTo(1, 9);
    expect(sum(first.state)).toBeCloseTo(1, 9);
    for (const share of [...first.bayesWithin, ...first.stateWithin])
      expect(share).toBeLessThanOrEqual(1);
  });

  it('differ where it is hidden whether a van is expected, and only there', () => {
    const [template] = trainTemplates;
    const world = stepUntil(worldOf(template, 5), ({ vehicles, tick }) =>
      vehicles.some(
        (van) =>
          van.state === 'at gate' && van.belief > 0.3 && van.belief < 0.7 && van.since < tick,
      ),
    );
    const opens = labelOf('gate opens');
    const chances = (expected: boolean): ReturnType<typeof chancesAt> => {
      const clone = world.clone(world.seed);
      for (const van of clone.vehicles) van.expected = expected;
      return chancesAt(clone, { count: 400, seed: 1 });
    };
    expect(chances(true).bayes).toEqual(chances(false).bayes);
    expect(chances(true).state[opens]! - chances(false).state[opens]!).toBeGreaterThan(0.3);
    const between = chances(true).bayes[opens]!;
    expect(between).toBeGreaterThan(chances(false).state[opens]!);
    expect(between).toBeLessThan(chances(true).state[opens]!);
  });

  it('are what happens: no forecaster does better on the outcomes than Bayes, and pState no worse', () => {
    let bayes = 0;
    let state = 0;
    let prior = 0;
    let mixed = 0;
    const windows = Array.from({ length: 20 }, (_, scene) =>
      examScene({ split: 'validation', seed: 4, count: 100 }, scene),
    ).flat();
    for (const window of windows) {
      bayes -= logOf(window.bayes[window.next]!);
      state -= logOf(window.state[window.next]!);
      prior -= logOf(window.prior[window.next]!);
      mixed -= logOf(0.7 * window.bayes[window.next]! + 0.3 * window.prior[window.next]!);
    }
    expect(bayes).toBeLessThan(mixed);
    expect((state - bayes) / windows.length).toBeLessThan(0.02);
    expect(mixed).toBeLessThan(prior);
    // Its own entropy is what it should lose.
    const entropy = sum(windows.map(({ bayes: p }) => -sum(p.map((q) => q * Math.log(q || 1)))));
    expect(Math.abs(bayes - entropy) / windows.length).toBeLessThan(0.3);
  });

  it('can be had from the last eight clips: what is older is worth less than 0.02 nats', () => {
    let gap = 0;
    let windows = 0;
    for (let scene = 0; scene < 24; scene++)
      for (const { bayes, bayesOfWindow } of examScene(
        { split: 'test', seed: 8, count: 64 },
        scene,
      )) {
        gap += sum(
          bayes.map((share, label) => share * (logOf(share) - logOf(bayesOfWindow[label]!))),
        );
        windows++;
      }
    expect(gap / windows).toBeLessThan(0.02);
  });

  it('need the seconds before: with two clips alone, the flash of a van is forgotten', () => {
    const [template] = trainTemplates;
    const world = stepUntil(worldOf(template, 9), ({ vehicles, tick }) =>
      vehicles.some((van) => van.flashed && van.state === 'at gate' && tick - van.flashUntil > 40),
    );
    const opens = labelOf('gate opens');
    const of = (clips: number): number =>
      windowBayes(world, clips, { count: 300, seed: 1 })[opens] ?? 0;
    expect(of(8)).toBeGreaterThan(of(2) + 0.1);
    const beliefs = ({ vehicles }: World): number[] => vehicles.map((van) => van.belief);
    const all = beliefs(forgetBefore(world, 0));
    beliefs(world).forEach((belief, index) => expect(all[index]).toBeCloseTo(belief, 9));
  });

  it('forget nothing that eight clips hold, also of a van that came while the gate still closed', () => {
    const template = trainTemplates.find((it) => it.name === 'gate+light')!;
    const world = stepUntil(worldOf(template, 6), ({ vehicles, gate, tick }) =>
      vehicles.some(
        (van) =>
          van.state === 'at gate' &&
          gate.state === 'closed' &&
          van.since - gate.since < ticks(rules.gate.openingS) &&
          tick - van.since > ticks(1.5),
      ),
    );
    const van = world.vehicles.findIndex((it) => it.state === 'at gate');
    const { belief = NaN } = forgetBefore(world, world.tick - ticks(8)).vehicles[van] ?? {};
    expect(belief).toBeCloseTo(world.vehicles[van]!.belief, 9);
  });
});

describe('every template', () => {
  it('can be foreseen: pBayes beats pPrior by more than 0.2 nats', () => {
    for (const template of [...trainTemplates, ...heldOutTemplates]) {
      const prior = priorOf(template).next;
      let gain = 0;
      let windows = 0;
      for (let seed = 0; seed < 5; seed++) {
        const world = new World(seed, makePlace(seed, { template }));
        for (let i = 0; i < ticks(30); i++) world.step();
        for (let k = 0; k < 6; k++) {
          for (let i = 0; i < ticks(6); i++) world.step();
          const { next } = simulateFutures(world, {
            count: 60,
            seed: k,
            knows: 'seen',
            target: 'next',
          });
          gain += sum(
            Array.from(next, (count, label) =>
              count === 0 ? 0 : (count / 60) * (Math.log(count / 60) - Math.log(prior[label]!)),
            ),
          );
          windows++;
        }
      }
      expect([template.name, gain / windows > 0.4]).toEqual([template.name, true]);
    }
  });

  it('leaves room for doubt: 10 to 20 % of windows are followed by nothing', () => {
    const nothing = trainTemplates.map((template) => priorOf(template).next[0] ?? 0);
    const mean = sum(nothing) / nothing.length;
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.2);
  });

  it('has a prior that sums to 1 and knows only its own labels', () => {
    const { next, within } = priorOf(heldOutTemplates[0]);
    expect(sum(next)).toBeCloseTo(1, 9);
    expect(next[labelOf('gate opens')]).toBeGreaterThan(0.01);
    expect(next[labelOf('stack falls')]).toBeLessThan(1e-4);
    expect(within[labelOf('gate opens')]).toBeGreaterThanOrEqual(next[labelOf('gate opens')]!);
  });
});

describe('causes by intervention', () => {
  /** Every event of a scene with what it changed. */
  function effectsIn(world: World, seconds: number, pairs: number): Effect[] {
    const moments: { event: YardEvent; before: World; after: World }[] = [];
    const end = world.tick + ticks(seconds);
    while (world.tick < end + ticks(10)) {
      const known = world.events.length;
      const before = world.clone(world.seed);
      world.step();
      const begun = world.events.slice(known);
      if (begun.length > 0 && world.tick <= end) {
        const after = world.clone(world.seed);
        for (const it of begun) moments.push({ event: it, before, after });
      }
    }
    return moments.flatMap(({ event: it, before, after }) =>
      effectsOf(before, after, it, world.events, { pairs, seed: 1 }),
    );
  }

  it('find what the rules say, and agree with their links', () => {
    let links = 0;
    let both = 0;
    const found = new Set<string>();
    for (let scene = 0; scene < 8; scene++) {
      const world = openScene('test', 3, scene);
      const effects = effectsIn(world, 30, 40);
      const counted = agreement(world.events, effects);
      links += counted.links;
      both += counted.both;
      const textOf = (id: number): string => {
        const label = world.events.find((it) => it.id === id)?.label ?? 0;
        return yardLabels[label]?.text ?? '';
      };
      for (const effect of effects)
        if (isCause(effect)) found.add(`${textOf(effect.cause)} > ${textOf(effect.effect)}`);
    }
    expect(links).toBeGreaterThan(40);
    expect(both / links).toBeGreaterThan(0.85);
    expect(found).toContain('van stops at gate > gate opens');
  });

  it('see that what has nothing to do with another does not cause it', () => {
    const template = trainTemplates.find((it) => it.name === 'gate+dock')!;
    const world = worldOf(template, 21);
    for (let i = 0; i < ticks(30); i++) world.step();
    world.events = [];
    const effects = effectsIn(world, 120, 60);
    const byId = new Map(world.events.map((it) => [it.id, it.label]));
    const strange = effects.filter(
      (it) =>
        byId.get(it.cause) === labelOf('forklift puts down pallet') &&
        byId.get(it.effect) === labelOf('gate opens'),
    );
    expect(strange.length).toBeGreaterThan(0);
    for (const effect of strange) expect(Math.abs(effect.difference)).toBeLessThan(0.1);
    for (const { difference, stderr } of effects) {
      expect(Math.abs(difference)).toBeLessThanOrEqual(1);
      expect(stderr).toBeLessThanOrEqual(1 / Math.sqrt(60));
    }
  });

  it('count what would have come anyway as no effect', () => {
    // A van that may not stop drives past: then the gate does not open for it, and it leaves.
    const world = stepUntil(worldOf(trainTemplates[0], 31), (it) => {
      const last = it.events.at(-1);
      return last?.tick === it.tick && last.label === labelOf('van stops at gate');
    });
    const stop = world.events.at(-1)!;
    const again = worldOf(trainTemplates[0], 31);
    while (again.tick < stop.tick - 1) again.step();
    again.ban = { label: stop.label, actor: stop.actor, untilTick: stop.tick + 200 };
    for (let i = 0; i < 120; i++) again.step();
    expect(again.vehicles.find((it) => it.id === stop.actor)?.state).not.toBe('at gate');
  });
});

describe('what can be seen', () => {
  it('has boxes in the picture, and leaves out what is hidden', () => {
    let hidden = 0;
    for (let scene = 0; scene < 8; scene++) {
      const world = openScene('train', 2, scene);
      for (let i = 0; i < ticks(30); i++) {
        world.step();
        if (i % 8 > 0) continue;
        const seen = look(world);
        for (const { box, visible } of seen) {
          const [x, y, width, height] = box;
          expect(Math.min(x, y, width, height)).toBeGreaterThanOrEqual(0);
          expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1 + 1e-9);
          expect(visible).toBeGreaterThanOrEqual(visibleLeast);
        }
        hidden += world.people.filter((person) => !seen.some((it) => it.id === person.id)).length;
      }
    }
    expect(hidden).toBeGreaterThan(0);
  });

  it('tells drawn attributes and nothing hidden', () => {
    const world = stepUntil(worldOf(trainTemplates[0], 13), ({ vehicles, tick }) =>
      vehicles.some((van) => van.livery === 'plain' && tick < van.flashUntil),
    );
    const show = (): string => JSON.stringify(look(world));
    const before = show();
    expect(look(world).some((it) => it.attributes.flashing === 1)).toBe(true);
    for (const van of world.vehicles) van.expected = !van.expected;
    expect(show()).toBe(before);
  });
});

describe('splits and the exam', () => {
  it('never share a seed', () => {
    const seeds = splits.flatMap((split) =>
      [0, 1, 2 ** 24 - 1].flatMap((seed) =>
        [0, 2 ** 24 - 1].map((index) => sceneSeed(split, seed, index)),
      ),
    );
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(Math.max(...seeds)).toBeLessThan(Number.MAX_SAFE_INTEGER);
    expect(() => sceneSeed('test', 2 ** 24, 0)).toThrow(/16777216/);
  });

  it('hold out what they say', () => {
    const heldOut = heldOutTemplates.map((it) => it.name);
    const trained: string[] = trainTemplates.map((it) => it.name);
    expect(heldOut.filter((name) => trained.includes(name))).toEqual([]);
    for (const { modules } of heldOutTemplates)
      for (const joined of joinedTemplates)
        expect(modules.every((it) => (joined.modules as readonly string[]).includes(it))).toBe(
          false,
        );
    expect(openScene('joined', 1, 6).place.template.name).toBe('gate+bicycle');
    expect(openScene('template', 1, 0).place.template.name).toBe(heldOut[0]);
    const appearance = (split: 'train' | 'appearance'): number[] =>
      [0, 1, 2, 3, 4].map((scene) => openScene(split, 1, scene).place.appearance.wallTexture);
    expect(appearance('appearance')).toEqual([3, 3, 3, 3, 3]);
    expect(appearance('train')).not.toContain(3);
    expect(openScene('text-only', 1, 0).place.special).toBe(true);
  });

  it('ask everybody for the same windows', () => {
    const ask = (): ReturnType<typeof examScene> =>
      examScene({ split: 'test', seed: 5, count: 16 }, 3);
    const windows = ask();
    expect(ask()).toEqual(windows);
    expect(windows.map((it) => it.clip)).toEqual([...examClips]);
    expect(scenesFor(17)).toBe(3);
    for (const { next, within } of windows) expect(within[next]).toBe(true);
  });
});

describe('the exam', () => {
  it('is the same from one worker and from two, whole and in order, cut to the windows asked for', async () => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'lookahead-exam-'));
    const progress: number[] = [];
    const ask = (workers: number): Promise<unknown[]> => {
      progress.length = 0;
      return examWindows({
        ...{ split: 'test', seed: 6, count: 8, windows: 19, workers, cacheDir },
        onProgress: (done) => progress.push(done),
      });
    };
    const windows = (await ask(1)) as { scene: number; clip: number }[];
    expect(windows.map((it) => [it.scene, it.clip]).slice(6, 10)).toEqual([
      [0, 35],
      [0, 39],
      [1, 11],
      [1, 15],
    ]);
    expect(windows).toHaveLength(19);
    expect(progress).toEqual([0, 8, 16, 19]);
    const [exam = ''] = readdirSync(cacheDir);
    writeFileSync(join(cacheDir, exam, 'scene-0.json'), '[{"scene":');
    rmSync(join(cacheDir, exam, 'scene-2.json'));
    expect(await ask(2)).toEqual(windows);
    expect(progress).toEqual([8, 16, 19]); // One scene was still there.
    rmSync(join(cacheDir, exam), { recursive: true });
    expect(await ask(2)).toEqual(windows);
    rmSync(cacheDir, { recursive: true });
  });
});
