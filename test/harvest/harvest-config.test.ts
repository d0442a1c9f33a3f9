import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Config } from '../../src/config.js';
import { harvestDirOf, limitsOf } from '../../src/harvest/open-harvester.js';
import { loadConfig } from '../../src/load-config.js';
import { defaultHarvestDir } from '../../src/places.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-harvest-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, cameras: readonly string[] = []): Config {
  writeFileSync(join(folder, 'c.yaml'), yaml);
  return loadConfig({ file: 'c.yaml', cameras, flags: {}, env: {}, cwd: folder });
}

it('nothing is kept unless it is asked for, and then of every camera', () => {
  const config = load('cameras: { gate: { url: "rtsp://h/s" } }\n');
  expect(config.harvest.enabled).toBe(false);
  expect(config.cameras['gate']!.harvest).toBe(true);
  expect(harvestDirOf(config)).toBe(defaultHarvestDir);
  expect(limitsOf(config.harvest)).toEqual({ bytesMax: 2 ** 30, ageMaxMs: 7 * 86_400_000 });
});

it('a camera that is left out stays so when the command line gives it another address', () => {
  const yaml = 'cameras: { gate: { url: "rtsp://h/s", harvest: false } }\n';
  expect(load(yaml, ['gate=rtsp://h/other']).cameras['gate']).toMatchObject({
    url: 'rtsp://h/other',
    harvest: false,
  });
});

it('the folder counts from the file that names it', () => {
  expect(harvestDirOf(load('harvest: { enabled: true, dir: kept }\n'))).toBe(join(folder, 'kept'));
});

it.each([
  ['enabled: 1', /harvest\.enabled/],
  ['enabeld: true', /unknown key "enabeld"; did you mean "enabled"/],
  ['maxMib: 0', /harvest\.maxMib/],
  ['maxAgeH: 0', /harvest\.maxAgeH/],
  ['doubtMin: 2', /harvest\.doubtMin/],
  ['everyMinS: -1', /harvest\.everyMinS/],
])('%s is refused', (line, message) => {
  expect(() => load(`harvest: { ${line} }\n`)).toThrow(message);
});
