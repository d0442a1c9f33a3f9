/** Two copies of the bundle, one of which was spoilt, on a scene of the yard and on a recording. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareCommand } from '../../src/commands/compare.js';
import { yardDir } from '../models/yard-bundle.js';
import { sceneFolder } from '../../src/yard/data/record-scene.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lookahead-compare-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A copy whose JSON files were changed; their digests are right. */
function copyOf(
  name: string,
  change: (calibration: Record<string, unknown>, manifest: Manifest) => void,
): string {
  const copy = join(dir, name);
  cpSync(yardDir, copy, { recursive: true, filter: (path) => !path.includes('golden') });
  const read = (file: string): unknown => JSON.parse(readFileSync(join(copy, file), 'utf8'));
  const [calibration, manifest] = [
    read('calibration.json') as Record<string, unknown>,
    read('manifest.json') as Manifest,
  ];
  change(calibration, manifest);
  const text = JSON.stringify(calibration);
  writeFileSync(join(copy, 'calibration.json'), text);
  manifest.files.calibration.sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
  return copy;
}
interface Manifest {
  files: { calibration: { sha256: string } };
  labels: { text: string }[];
  geometry: { horizonMs: number };
}

async function compare(...args: string[]): Promise<string> {
  let text = '';
  const out = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const err = new Writable({ write: (_chunk, _encoding, done) => done() });
  await compareCommand(args, { ffmpegPath: 'ffmpeg', cacheDir: dir, cwd: dir, out, err });
  return text;
}

test(
  'a bundle that is far too unsure is told to be the worse one, by the true chances and by what is recognised',
  { timeout: 300_000 },
  async () => {
    const worse = copyOf('worse', (calibration) => {
      calibration['temperature'] = 3;
      delete calibration['pool'];
    });
    const byTruth = await compare(yardDir, worse, '--scenes', '2', '--seed', '3');
    expect(byTruth).toContain('judged by the true chances, 16 windows');
    expect(byTruth).toMatch(/A is better: log score lower by \d\.\d+ \[/);
    expect(byTruth, 'A, B, A less B').toMatch(/top-1 share( +-?\d\.\d+ \[[-\d., ]+\]){3}\n/);
    expect(byTruth).toMatch(/CPU, ms +\d+\.\d+ \[.*\d+\.\d+ \[/);

    const videos = join(dir, 'videos');
    mkdirSync(videos);
    const cached = readFileSync(join(dir, scenesIn(dir), sceneFolder(0), 'video.h264'));
    writeFileSync(join(videos, 'yard.h264'), cached);
    const seen = await compare(worse, yardDir, '--recordings', videos, '--json');
    const { reports, verdict: together } = JSON.parse(seen) as {
      verdict: string;
      reports: { judge: string; windows: number; verdict: string }[];
    };
    expect(reports.map(({ judge }) => judge)).toEqual(['what A recognises', 'what B recognises']);
    expect(together).toBe('both judges: B is better, of few scenes alone');
    for (const { windows, verdict } of reports) {
      expect(windows).toBeGreaterThan(5);
      expect(verdict).toMatch(/^B is better/);
    }
  },
);

/** Where the command has drawn its scenes. */
function scenesIn(folder: string): string {
  return readdirSync(folder).find((name) => name.startsWith('evaluate-')) ?? '';
}

test('says which bundles, recordings and labels it cannot compare', async () => {
  await expect(compare(yardDir)).rejects.toThrow('compare needs two bundles');
  await expect(compare(yardDir, yardDir, '--recordings', 'nowhere')).rejects.toThrow(
    'where no folder is',
  );
  const other = copyOf('other', (calibration, manifest) => {
    delete calibration['follow'];
    manifest.labels[3]!.text = 'cow enters';
  });
  await expect(compare(yardDir, other)).rejects.toThrow('speak of different things');
  const longer = copyOf('longer', (_calibration, manifest) => {
    manifest.geometry.horizonMs = 6000;
  });
  await expect(compare(yardDir, longer)).rejects.toThrow('horizonMs is 4000 in A, 6000 in B');
});
