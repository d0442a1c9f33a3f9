import { expect, it } from 'vitest';
import { yardCommand, yardCommands } from '../../src/commands/yard.js';
import { toolsOf } from '../../src/main.js';
import type { Context } from '../../src/commands/options.js';
import { demoScene } from '../../src/yard/demo-scenes.js';
import { openScene } from '../../src/yard/data/splits.js';
import { ticks } from '../../src/yard/world/things.js';

const context = {} as Context;

it('names the commands of the yard where one is missing or unknown', async () => {
  for (const [args, message] of [
    [[], 'The command of the yard is missing.'],
    [['recrod', '--split', 'train'], 'There is no command "yard recrod".'],
    [['toString'], 'There is no command "yard toString".'],
  ] as const)
    await expect(yardCommand(args, context)).rejects.toMatchObject({
      ...{ code: 'usage', message },
      remedy: 'Write ./lookahead yard COMMAND, one of: watch, record, forecast, score.',
    });
});

it.each(yardCommands)('hands «yard %s» what follows it', async (name) => {
  await expect(yardCommand([name, '--nonsense'], context)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining("'--nonsense'") as string,
    remedy: expect.stringMatching(`^./lookahead yard ${name} `) as string,
  });
});

it('needs ffmpeg for pictures alone', () => {
  expect(yardCommands.map((name) => toolsOf(['yard', name]))).toEqual([
    ['ffmpeg'],
    ['ffmpeg'],
    [],
    [],
  ]);
  expect(toolsOf(['yard'])).toEqual([]);
});

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
  const all = Array.from({ length: 16 }, (_, camera) => demoScene(camera).scene);
  expect(new Set(all).size).toBe(16);
});
