import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/commands/index.js';
import { evaluateCommand } from '../../src/commands/evaluate.js';
import { evaluateForecastsCommand } from '../../src/commands/evaluate-forecasts.js';
import { evaluatePerceptionCommand } from '../../src/commands/evaluate-perception.js';
import type { Context } from '../../src/commands/options.js';
import { ManifestSchema, type Manifest } from '../../src/models/manifest.js';
import {
  perceptionGoals,
  perceptionMeasures,
  verdictOf,
} from '../../src/yard/scoring/perception-goals.js';
import { forecastMeasures } from '../../src/yard/scoring/forecast-goals.js';
import type { ForecastReport } from '../../src/yard/scoring/forecast-report.js';
import type { ForecastedScene } from '../../src/yard/scoring/forecast-results.js';
import type { PerceptionReport } from '../../src/yard/scoring/perception-report.js';
import { yardLabels } from '../../src/yard/world/labels.js';
import { worldVersion } from '../../src/yard/world/version.js';
import { yardDir, yardManifest } from '../models/yard-bundle.js';
import { ffmpegPath } from '../yard/rtsp-helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-evaluate-'));
const bundleDir = join(folder, 'bundle');
const cacheDir = join(folder, 'cache');

function writeManifest(change: (manifest: Manifest) => Partial<Manifest>): void {
  const manifest = yardManifest();
  writeFileSync(
    join(bundleDir, 'manifest.json'),
    JSON.stringify({ ...manifest, ...change(manifest) }),
  );
}
/** Whatever the weights have learned, the words are the yard's. */
const withYardLabels = ({ labels }: Manifest): Partial<Manifest> => ({
  labels: labels.map(({ baseRate }, index) => ({ ...yardLabels[index]!, baseRate })),
});

/** A table of what follows what would name the labels as they were. */
function withoutTable({ files }: Manifest): Partial<Manifest> {
  const path = join(bundleDir, files.calibration.path);
  const { follow: _table, ...calibration } = JSON.parse(readFileSync(path, 'utf8')) as {
    follow?: unknown;
  };
  const text = JSON.stringify(calibration);
  writeFileSync(path, text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { files: { ...files, calibration: { ...files.calibration, sha256 } } };
}

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function evaluate(...args: string[]): Promise<{ out: string; err: string }> {
  const [out, err] = [new Text(), new Text()];
  const asked = ['--scenes', '1', '--seconds', '8', ...args];
  const tools = { ffmpegPath: ffmpegPath(), out, err, bundleDir, cacheDir };
  expect(await evaluateCommand(asked, tools)).toBe(0);
  return { out: out.text, err: err.text };
}

beforeAll(() => {
  cpSync(yardDir, bundleDir, { recursive: true, filter: (path) => !path.includes('golden') });
  mkdirSync(cacheDir);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('evaluate', () => {
  it('refuses a bundle of other words or times before it draws', async () => {
    writeManifest((manifest) => ({
      labels: withYardLabels(manifest).labels!.map((label, index) =>
        index === 1 ? { ...label, text: 'cow enters' } : label,
      ),
      ...withoutTable(manifest),
    }));
    await expect(evaluate()).rejects.toMatchObject({
      code: 'bundle_invalid',
      message: expect.stringContaining('"cow enters"') as string,
    });
    cpSync(join(yardDir, 'calibration.json'), join(bundleDir, 'calibration.json'));
    writeManifest((manifest) => ({
      ...withYardLabels(manifest),
      geometry: { ...manifest.geometry, horizonMs: 3000 },
    }));
    await expect(evaluate()).rejects.toThrow('horizonMs is 3000, theirs is 4000');
    await expect(evaluate('--data', folder)).rejects.toThrow('--data has a seed and a length');
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('measures by the messages, keeps the scenes of this world, and writes what it measured', async () => {
    writeManifest(withYardLabels);
    const { out, err } = await evaluate('--json');
    expect(err).toContain('1 of 1 scenes drawn');
    const { windows, measures } = JSON.parse(out) as {
      windows: number;
      measures: Manifest['quality'];
    };
    // The first forecast is made when eight clips are seen, and that window is one of those with pBayes.
    expect(windows).toBe(1);
    for (const key of ['skill', 'logScore', 'brier', 'top1Share', 'ece', 'maskIou', 'familiarity'])
      expect(measures[key]?.value, key).toEqual(expect.any(Number));
    const [name = ''] = readdirSync(cacheDir);
    expect(name).toMatch(new RegExp(`^evaluate-world${worldVersion}-seed1-1x8s-ffmpeg.`));
    const drawnAtMs = statSync(join(cacheDir, name, 'dataset.json')).mtimeMs;

    const again = await evaluate('--write');
    expect(statSync(join(cacheDir, name, 'dataset.json')).mtimeMs).toBe(drawnAtMs);
    expect(again.out).toMatch(/^1 windows; .*in expectation under pBayes\n(.*\n)*skill .*\n/);
    const written = ManifestSchema.parse(
      JSON.parse(readFileSync(join(bundleDir, 'manifest.json'), 'utf8')),
    );
    expect(written.quality).toEqual(measures);
    expect(written.training['evaluate']).toContain('./lookahead evaluate --seed 1 --scenes 1');
  }, 180_000);
});

describe('evaluate perception', () => {
  it('is a command of its own under evaluate, and refuses what it does not understand', async () => {
    const perception = async (...args: string[]) => commands['evaluate']!(args, {} as Context);
    await expect(perception('perception', '--windows', '0')).rejects.toThrow('--windows is "0"');
    await expect(perception('perception', '--split', 'east')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('--split is "east"') as string,
    });
    await expect(perception('perception', '--data', folder, '--seed', '2')).rejects.toThrow(
      '--data has a seed and a split of its own',
    );
  });

  it('prints every figure beside its floor and goal, for programs and for people', async () => {
    writeManifest(withYardLabels);
    // The scene that the test before has drawn.
    const [name = ''] = readdirSync(cacheDir);
    const perception = async (...args: string[]): Promise<string> => {
      const out = new Text();
      const tools = { ffmpegPath: ffmpegPath(), out, err: new Text(), bundleDir, cacheDir };
      const asked = ['--data', join(cacheDir, name), '--windows', '8', ...args];
      expect(await evaluatePerceptionCommand(asked, tools)).toBe(0);
      return out.text;
    };
    const report = JSON.parse(await perception('--json')) as PerceptionReport;
    expect(report).toMatchObject({ split: 'test', seed: 1, scenes: 1, pictures: 8, windows: 0 });
    for (const key of perceptionMeasures) {
      const { value, interval, floor, goal, verdict } = report[key];
      expect([key, floor, goal]).toEqual([
        ...[key, perceptionGoals[key].floor, perceptionGoals[key].goal],
      ]);
      expect(verdict, key).toBe(verdictOf(key, value));
      if (key === 'symbolicSkill') continue;
      expect(value, key).toBeGreaterThan(0);
      expect(interval, key).toEqual([value, value]);
    }
    for (const key of ['maskIou', 'ap50', 'idf1', 'classAccuracy', 'eventF1'] as const)
      expect(report[key].value, key).toBeLessThanOrEqual(1);
    expect(report.symbolicSkill).toMatchObject({ value: null, verdict: 'not measured' });
    expect(report.symbolicSkill.reason).toBeTruthy();
    expect(report.detail.things).toBeGreaterThan(8);
    expect(Object.keys(report.detail.stagesCpuMs)).toContain('segmenterDecoder');

    const table = await perception('--detail');
    for (const key of perceptionMeasures) expect(table).toMatch(new RegExp(`^${key} .*\\d`, 'm'));
    expect(table).toMatch(
      /^maskIou .* 0\.75 +0\.85 +(below the floor|short of the goal|reached) /m,
    );
    expect(table).toMatch(/^symbolicSkill +- .*not measured +because /m);
    expect(table).toMatch(/^class +things +recall +maskIou +ap50 +classAccuracy$/m);
  }, 180_000);
});

describe('evaluate forecasts', () => {
  it('is a command of its own under evaluate, and refuses what it does not understand', async () => {
    const forecasts = async (...args: string[]) =>
      commands['evaluate']!(['forecasts', ...args], {} as Context);
    await expect(forecasts('--windows', '0')).rejects.toThrow('--windows is "0"');
    await expect(forecasts('--parts', 'main,moon')).rejects.toThrow('names "moon"');
    await expect(forecasts('--parts', 'calibration')).rejects.toThrow('from 2001 windows on');
  });

  it('tells every figure or why it is missing, and goes on from the scenes that it has kept', async () => {
    writeManifest(withYardLabels);
    const forecasts = async (): Promise<ForecastReport> => {
      const out = new Text();
      const tools = { ffmpegPath: ffmpegPath(), out, err: new Text(), bundleDir, cacheDir };
      const asked = ['--seed', '5', '--windows', '2', '--parts', 'tracks', '--json'];
      expect(await evaluateForecastsCommand(asked, tools)).toBe(0);
      return JSON.parse(out.text) as ForecastReport;
    };
    const report = await forecasts();
    for (const key of forecastMeasures) {
      const { value, interval, reason } = report[key];
      if (key === 'skillTrueTracks') expect([value, interval]).not.toContain(null);
      else expect([value, interval, reason], key).toEqual([null, null, expect.any(String)]);
    }
    expect(report.skillTrueTracks).toMatchObject({ floor: 0.9, goal: 0.95, windows: 1 });

    const kept = readdirSync(cacheDir).find((name) => name.startsWith('forecasts-'));
    const path = join(cacheDir, kept ?? '', 'scene-0.json');
    const scene = JSON.parse(readFileSync(path, 'utf8')) as ForecastedScene;
    const other = yardLabels.map((_, label) => Number(label === 0));
    const windows = scene.windows.map((window) => ({ ...window, chances: other }));
    writeFileSync(path, JSON.stringify({ ...scene, windows }));
    const changed = await forecasts();
    expect(changed.skillTrueTracks.value).not.toBe(report.skillTrueTracks.value);
    // What is broken is worked out again.
    writeFileSync(path, '{');
    expect((await forecasts()).skillTrueTracks.value).toBe(report.skillTrueTracks.value);
  }, 240_000);
});
