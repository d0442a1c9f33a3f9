import { expect, it } from 'vitest';
import { openScene } from '../../src/yard/data/splits.js';
import { demoScene } from '../../src/yard/demo-scenes.js';
import { ticks } from '../../src/yard/world/things.js';

it('shows two yards by default that are alive and have no rule in common', () => {
  const [one, other] = [0, 1].map((camera) => {
    const { split, seed, scene } = demoScene(camera);
    const world = openScene(split, seed, scene);
    const end = world.tick + ticks(60);
    while (world.tick < end) world.step();
    expect(world.events.length).toBeGreaterThan(20);
    return world.place.template.modules;
  });
  expect(one?.filter((module) => other?.includes(module))).toEqual([]);
});

it('shows another yard on each of the sixteen cameras that there may be', () => {
  const all = Array.from({ length: 16 }, (_, camera) => demoScene(camera).scene);
  expect(new Set(all).size).toBe(16);
});
