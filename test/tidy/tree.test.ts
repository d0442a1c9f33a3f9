/** What no compiler checks: the tree itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function filesIn(folder: string, ext: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ext))
    .map((path) => join(folder, path))
    .filter((path) => !/node_modules|\.venv|__pycache__/.test(path));
}

const sources = [...filesIn('src', '.ts'), ...filesIn('src', '.tsx')].filter(
  (path) => !path.endsWith('.d.ts'),
);

/** Programs of their own: a process starts with them. Who starts them is in the second column. */
const entries: Readonly<Record<string, string>> = {
  'src/main.ts': 'setup/launch.mjs',
  'src/docs.ts': 'setup/launch.mjs',
  'src/yard/serve.ts': 'src/yard/serve-client.ts',
  'src/yard/data/record-worker.ts': 'src/yard/data/record-scenes.ts',
  'src/yard/truth/exam-worker.ts': 'src/yard/truth/exam-windows.ts',
  'src/ingest/preview-process.ts': 'src/ingest/preview.ts',
  'src/models/perceiver-process.ts': 'src/models/model-ports.ts',
  'src/models/reasoner-process.ts': 'src/models/model-ports.ts',
  'src/sinks/dashboard/main.tsx': 'src/sinks/dashboard/index.html',
  'src/sinks/dashboard/vite.config.ts': 'setup/packages.mjs',
};

function importsOf(path: string): string[] {
  const specifiers = read(path).matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g);
  return [...specifiers]
    .filter(([, specifier]) => !specifier!.endsWith('.css'))
    .map(([, specifier]) => {
      const target = relative(root, resolve(root, dirname(path), specifier!));
      const typed = target.replace(/\.js$/, '.ts');
      return existsSync(join(root, `${typed}x`)) ? `${typed}x` : typed;
    });
}

describe('src', () => {
  it('has no file that nothing reaches', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      importsOf(path).forEach(visit);
    };
    Object.keys(entries).forEach(visit);
    expect(sources.filter((path) => !reached.has(path))).toEqual([]);
  });

  it.each(Object.entries(entries))('%s is started by %s', (entry, starter) => {
    const name = entry.replace(/.*\//, '').replace(/\.tsx?$/, '');
    // The models' processes share one name pattern: `${role}-process`.
    const pattern = name.endsWith('er-process') ? /-process/ : new RegExp(name);
    expect(read(starter)).toMatch(pattern);
  });

  it('imports every file that it has by its own name', () => {
    const known = new Set([
      ...sources,
      ...filesIn('src', '.d.ts').map((path) => path.replace(/\.d\.ts$/, '.ts')),
    ]);
    const broken = sources.flatMap((path) =>
      importsOf(path).filter((target) => !known.has(target)),
    );
    expect(broken).toEqual([]);
  });

  it('opens the TCP ports of this machine on loopback', () => {
    for (const path of sources) expect(read(path), path).not.toMatch(/'0\.0\.0\.0'|'::'/);
  });
});

describe('names', () => {
  it('of files are kebab-case', () => {
    const all = ['src', 'test', 'bench', 'examples', 'setup'].flatMap((folder) => [
      ...['.ts', '.tsx', '.mjs'].flatMap((ext) => filesIn(folder, ext)),
    ]);
    const odd = all.filter(
      (path) => !/\/[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d|\.config)?\.(tsx?|mjs)$/.test(path),
    );
    expect(odd).toEqual([]);
  });
});

describe('nothing of one machine', () => {
  const texts = [
    ...['src', 'test', 'bench', 'examples', 'docs', 'setup', 'deploy', 'training'].flatMap(
      (folder) =>
        ['.ts', '.tsx', '.css', '.html', '.mjs', '.md', '.py', '.yaml', '.toml', '.lock'].flatMap(
          (ext) => filesIn(folder, ext),
        ),
    ),
    'package.json',
    'package-lock.json',
  ];

  it('stands in the repository', () => {
    const ours = 'test/tidy/tree.test.ts';
    for (const path of texts.filter((file) => file !== ours)) {
      expect(read(path), path).not.toMatch(
        /\/(home|Users)\/[a-z]+\/|\/root\/|\/work\/(main|shared)/,
      );
    }
  });

  it('is in the lock file: packages come from the public registry', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { resolved?: string }>;
    };
    for (const [name, { resolved }] of Object.entries(packages)) {
      if (resolved !== undefined)
        expect(resolved, name).toMatch(/^https:\/\/registry\.npmjs\.org\//);
    }
  });
});
