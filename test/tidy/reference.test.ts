import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { referenceFiles } from '../../src/reference.js';

const folder = 'docs/reference';
const made = referenceFiles();

describe('docs/reference', () => {
  it.each([...made.keys()])('%s is what the code says (else: npm run docs)', (name) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(made.get(name));
  });

  it('holds nothing else', () => {
    const files = readdirSync(folder, { recursive: true }).map(String);
    const found = files.filter((name) => statSync(join(folder, name)).isFile());
    expect(found.sort()).toEqual([...made.keys()].sort());
  });

  it('describes every field, key and metric', () => {
    for (const page of ['messages.md', 'config.md', 'metrics.md', 'errors.md']) {
      const rows = (made.get(page) ?? '').split('\n').filter((line) => line.startsWith('| `'));
      expect(rows.length).toBeGreaterThan(0);
      const bare = rows.filter((row) => /^ *$/.test(row.split('|').at(-2) ?? ''));
      // The name of a schema says itself what it is for.
      expect(bare.filter((row) => !row.startsWith('| `schema`'))).toEqual([]);
    }
  });

  it('has an AsyncAPI document whose references all lead somewhere', () => {
    const document = parse(made.get('asyncapi.yaml') ?? '') as Record<string, unknown>;
    expect(document['asyncapi']).toBe('3.0.0');
    const references = [...(made.get('asyncapi.yaml') ?? '').matchAll(/\$ref: "?#\/([^"\n]+)/g)];
    expect(references.length).toBeGreaterThan(10);
    for (const [, path = ''] of references) {
      const found = path
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect(found, path).toBeDefined();
    }
    const channels = document['channels'] as Record<string, { address: string | null }>;
    for (const { address } of Object.values(channels)) {
      if (address === null) continue; // Where the reply goes, the request says.
      expect(made.get('messages.md')).toContain(`\`${address}\``);
    }
  });
});
