import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { commands, type Context } from '../../src/commands/index.js';
import { needsTraining } from '../../src/main.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-bundle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Stands for Python: says what it was asked, and ends as told. */
function fakePython(status: number): string {
  const path = join(folder, `python-${String(status)}`);
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@"\necho done >&2\nexit ${String(status)}\n`);
  chmodSync(path, 0o755);
  return path;
}

for (const name of ['vit.pth', 'sam.pth', 'fusion.pt']) writeFileSync(join(folder, name), 'x');
mkdirSync(join(folder, 'llm'));
for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
  writeFileSync(join(folder, 'llm', name), 'x');
const whole = {
  vision: 'vit.pth',
  sam: 'sam.pth',
  llm: 'llm',
  out: 'bundle',
} as const;

async function build(
  flags: Readonly<Record<string, string>>,
  python: string,
): Promise<{ status: number | undefined; out: string; err: string }> {
  const [out, err] = [new Text(), new Text()];
  const env = { LOOKAHEAD_PYTHON: python };
  const { signal } = new AbortController();
  const context = { out, err, env, cwd: folder, signal } as unknown as Context;
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const status = await commands['bundle']?.(['build', 'paper', ...args], context);
  return { status, out: out.text, err: err.text };
}

describe('bundle build paper', () => {
  test('gives the script whole paths and its own exit status', async () => {
    const { status, out, err } = await build({ ...whole, fusion: 'fusion.pt' }, fakePython(3));
    expect(status).toBe(3);
    expect(err).toBe('done\n');
    const [script, ...rest] = out.trim().split('\n');
    expect(script).toMatch(/training\/build_bundle\.py$/);
    expect(rest).toEqual([
      ...['paper', '--vision', join(folder, 'vit.pth'), '--sam', join(folder, 'sam.pth')],
      ...['--llm', join(folder, 'llm'), '--fusion', join(folder, 'fusion.pt')],
      ...['--out', join(folder, 'bundle')],
    ]);
  });

  test.each([
    [{ vision: 'none.pth' }, /--vision is .*none\.pth, where no file is/],
    [{ sam: 'llm' }, /--sam is .*llm, where no file is/],
    [{ llm: 'vit.pth' }, /--llm is .*vit\.pth, where there is no config\.json/],
    [{ fusion: 'none.pt' }, /--fusion is .*none\.pt, where no file is/],
    [{ out: 'llm' }, /--out is .*llm, which is not empty: config\.json/],
    [{ out: 'vit.pth' }, /--out is .*vit\.pth, which is not empty: no folder/],
  ])('refuses %o before Python starts', async (change, what) => {
    await expect(build({ ...whole, ...change }, '/nowhere/python')).rejects.toThrow(what);
  });

  test('names the flag that is missing, and a Python that is not there', async () => {
    const { llm: _, ...rest } = whole;
    await expect(build(rest, fakePython(0))).rejects.toThrow('--llm is missing');
    await expect(build(whole, '/nowhere/python')).rejects.toThrow('/nowhere/python cannot be run');
  });

  test('Python is set up for a command line that can be carried out, and for no other', () => {
    const args = Object.entries(whole).flatMap(([name, path]) => [`--${name}`, join(folder, path)]);
    expect(needsTraining(['bundle', 'build', 'paper', ...args])).toBe(true);
    expect(needsTraining(['bundle', 'build', 'paper', ...args.slice(2)])).toBe(false);
    expect(needsTraining(['bundle', 'build', 'yard', ...args])).toBe(false);
    expect(needsTraining(['check'])).toBe(false);
  });
});
