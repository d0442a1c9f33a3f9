import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HarvestFolder, type HarvestFolderOptions } from '../../src/harvest/harvest-folder.js';
import type { ItemFolder } from '../../src/harvest/item-files.js';
import { itemName, timeOfItem } from '../../src/harvest/item-schema.js';
import '../fuzz-seed.js';

const root = mkdtempSync(join(tmpdir(), 'lookahead-harvest-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
const newDir = (): string => join(root, String(count++));
const startMs = Date.UTC(2026, 10, 22, 9);

function open(change: Partial<HarvestFolderOptions> = {}): HarvestFolder {
  return HarvestFolder.open({
    ...{ dir: newDir(), bytesMax: 1000, ageMaxMs: 3_600_000, now: () => startMs },
    ...change,
  });
}

const item = (atMs: number, bytes: number): ItemFolder => ({
  name: itemName(atMs, `home-gate-1-${String(atMs - startMs)}`),
  files: new Map([
    ['video.h264', new Uint8Array(Math.floor(bytes / 2))],
    ['item.json', new Uint8Array(Math.ceil(bytes / 2))],
  ]),
});

/** All bytes that lie there, whatever they are of. */
function bytesIn(dir: string): number {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(dir, name), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}

describe('names of items', () => {
  it('tell the time of their window, and sort by it', () => {
    const name = itemName(startMs + 7, 'home-gate-1-2');
    expect(name).toBe('20261122T090000007Z_home-gate-1-2');
    expect(timeOfItem(name)).toBe(startMs + 7);
    expect(itemName(startMs + 8, 'home-gate-1-2') > name).toBe(true);
  });

  it.each(['', 'photos', '20261122', '20261399T990000007Z_x', '../20261122T090000007Z_x'])(
    'what is called %j is none of ours',
    (name) => {
      expect(timeOfItem(name)).toBeNull();
    },
  );
});

describe('the folder of kept windows', () => {
  it('keeps to its size over restarts, the oldest gone first, at every moment', async () => {
    const step = fc.record({
      bytes: fc.integer({ min: 2, max: 700 }),
      waitMs: fc.integer({ min: 1, max: 900_000 }),
      isRestarted: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const dir = newDir();
        let nowMs = startMs;
        let folder = open({ dir, now: () => nowMs });
        let lastGone = '';
        for (const { bytes, waitMs, isRestarted } of steps) {
          nowMs += waitMs;
          if (isRestarted) folder = open({ dir, now: () => nowMs });
          const before = readdirSync(dir);
          await folder.keep(item(nowMs, bytes));
          const after = readdirSync(dir).sort();
          for (const name of before.filter((it) => !after.includes(it)))
            if (name > lastGone) lastGone = name;
          expect((after[0] ?? '~') > lastGone).toBe(true);
          expect(bytesIn(dir)).toBeLessThanOrEqual(1000);
          expect(bytesIn(dir)).toBe(folder.bytes);
          for (const name of after)
            expect(nowMs - timeOfItem(name)!).toBeLessThanOrEqual(3_600_000);
          expect(after).toContain(item(nowMs, bytes).name);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has room for what is written beside it before it is written', async () => {
    const dir = newDir();
    const folder = open({ dir });
    await folder.keep(item(startMs, 600));
    // As a slow disk would show it: the most that ever lay there.
    let mostBytes = 0;
    const watching = setInterval(() => {
      try {
        mostBytes = Math.max(mostBytes, bytesIn(dir));
      } catch {
        // A folder went while it was being listed: the next look will tell.
      }
    }, 0);
    const kept = Array.from({ length: 20 }, (_, at) => folder.keep(item(startMs + at + 1, 600)));
    await Promise.all(kept);
    clearInterval(watching);
    expect(mostBytes).toBeLessThanOrEqual(1000);
    expect(readdirSync(dir)).toEqual([item(startMs + 20, 600).name]);
  });

  it('leaves out what is larger than itself, and keeps what it has', async () => {
    const dir = newDir();
    const folder = open({ dir });
    await folder.keep(item(startMs, 900));
    expect(await folder.keep(item(startMs + 1, 1001))).toBe('large');
    expect(readdirSync(dir)).toEqual([item(startMs, 900).name]);
  });

  it('deletes what is too old without anything new, and tells why', async () => {
    const dir = newDir();
    let nowMs = startMs;
    const gone: string[] = [];
    const folder = open({ dir, now: () => nowMs, onDeleted: (reason) => gone.push(reason) });
    await folder.keep(item(startMs, 10));
    nowMs += 3_600_001;
    await folder.sweep();
    expect(readdirSync(dir)).toEqual([]);
    expect(gone).toEqual(['age']);
    expect(folder.bytes).toBe(0);
  });

  it('what a crash has left half is no item, counts, and goes', async () => {
    const dir = newDir();
    const nowMs = Date.now();
    const folder = open({ dir, now: () => nowMs });
    const half = join(dir, `${item(nowMs, 1).name}.partial-99999`);
    mkdirSync(half);
    writeFileSync(join(half, 'video.h264'), new Uint8Array(500));
    await folder.keep(item(nowMs - 2, 400));
    await folder.keep(item(nowMs - 1, 400));
    expect(bytesIn(dir), 'it takes its part of the room').toBe(900);
    utimesSync(half, nowMs / 1000 - 120, nowMs / 1000 - 120);
    await folder.sweep();
    expect(existsSync(half)).toBe(false);
  });

  it('touches nothing that is not its own', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'holiday'), { recursive: true });
    writeFileSync(join(dir, 'holiday', 'a.jpg'), new Uint8Array(5000));
    const folder = open({ dir, ageMaxMs: 0 });
    expect(await folder.keep(item(startMs, 10))).toBe('kept');
    await folder.sweep();
    expect(existsSync(join(dir, 'holiday', 'a.jpg'))).toBe(true);
  });

  it('can be read by its owner alone', async () => {
    const dir = newDir();
    await open({ dir }).keep(item(startMs, 10));
    const name = item(startMs, 10).name;
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, name)).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, name, 'video.h264')).mode & 0o777).toBe(0o600);
  });

  it('comes back where somebody has deleted it', async () => {
    const dir = newDir();
    const folder = open({ dir });
    rmSync(dir, { recursive: true });
    expect(await folder.keep(item(startMs, 10))).toBe('kept');
  });

  it('a failure to write leaves nothing, and the next one is kept', async () => {
    const dir = newDir();
    const folder = open({ dir });
    const bad = { ...item(startMs, 10), files: new Map([['no/such/folder', new Uint8Array(3)]]) };
    await expect(folder.keep(bad)).rejects.toThrow(/ENOENT/);
    expect(readdirSync(dir)).toEqual([]);
    expect(await folder.keep(item(startMs, 10))).toBe('kept');
  });

  it('says which folder cannot be written to, and what to do', () => {
    const file = newDir();
    writeFileSync(file, '');
    expect(() => open({ dir: join(file, 'below') })).toThrow(
      expect.objectContaining({
        code: 'harvest_unusable',
        message: expect.stringContaining(join(file, 'below')) as string,
        remedy: expect.stringContaining('harvest.enabled') as string,
      }),
    );
  });
});
