import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
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
      remedy:
        'Write ./lookahead yard COMMAND, one of: watch, record, perceive, forecast, robot, score.',
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
    ['ffmpeg'],
    [],
    [],
    [],
  ]);
  expect(toolsOf(['yard'])).toEqual([]);
});

it('scores what it has forecast itself, also on its first windows alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-score-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const exam = ['--split', 'test', '--seed', '4', '--futures', '8', '--workers', '1'];
  const said = async (...args: string[]): Promise<string> => {
    let text = '';
    const writable = (note: (chunk: string) => void): Writable =>
      new Writable({
        write: (chunk, _encoding, done) => {
          note(String(chunk));
          done();
        },
      });
    const out = writable((chunk) => (text += chunk));
    const { signal } = new AbortController();
    const own = { ...context, out, err: writable(() => undefined), signal };
    expect(await yardCommand(args, own)).toBe(0);
    return text;
  };
  const path = join(folder, 'bayes.jsonl');
  writeFileSync(path, await said('forecast', '--by', 'bayes', ...exam, '--windows', '16'));
  const report: unknown = JSON.parse(
    await said('score', path, ...exam, '--windows', '8', '--json'),
  );
  expect(report).toMatchObject({
    ...{ scenes: 1, windows: 8, linesLeftOut: 8, within: null },
    next: { scores: { full: { forecast: { drawn: { skill: { value: 1 } } } } } },
  });
});
