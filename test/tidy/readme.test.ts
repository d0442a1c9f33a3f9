import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/commands/index.js';
import { yardCommands } from '../../src/commands/yard.js';
import { ForecastSchema } from '../../src/messages.js';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');
/** What the launcher does without `src/commands`. */
const launcherCommands = ['test', 'bench', 'docs', 'run'];

describe('the README', () => {
  it('quotes the pipeline as it is', () => {
    const source = read('src/pipeline.ts');
    const quote = /```ts\n(export function watchCamera[\s\S]*?)```/.exec(readme)?.[1];
    expect(source.slice(source.indexOf('export function watchCamera'))).toBe(quote);
  });

  it('names only commands that exist', () => {
    const named = [...readme.matchAll(/\.\/lookahead ([a-z]+)/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(4);
    for (const name of named)
      expect([...Object.keys(commands), ...launcherCommands]).toContain(name);
    const ofYard = [...readme.matchAll(/\.\/lookahead yard ([a-z]+)/g)].map((match) => match[1]);
    expect([...new Set(ofYard)].sort()).toEqual([...yardCommands].sort());
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script] of readme.matchAll(/npm (?:run )?(start|test|bench|format)\b/g))
      expect(Object.keys(scripts)).toContain(script);
  });

  it('shows a forecast with the fields of the schema', () => {
    const shown = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const forecast = JSON.parse(shown) as Record<string, unknown>;
    for (const key of Object.keys(forecast))
      expect(Object.keys(ForecastSchema.shape)).toContain(key);
    for (const key of ['id', 'validUntil', 'events', 'nothing', 'calibrated'])
      expect(forecast).toHaveProperty(key);
  });
});

it('documents link only to files that exist', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'training/README.md',
    'examples/README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ];
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !existsSync(join(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});
