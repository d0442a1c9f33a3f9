import { expect, it } from 'vitest';
import { yardCommand, yardCommands } from '../../src/commands/yard.js';
import { toolsOf } from '../../src/main.js';
import type { Context } from '../../src/commands/options.js';

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
