import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ForecastSchema } from '../../src/messages.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lookahead-replay-'));
const recording = join(folder, 'scene-00000/video.h264');

function lookahead(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
}

beforeAll(() => {
  const yard = ['yard', 'record', '--split', 'test', '--scenes', '1', '--seconds', '16'];
  const { status, stderr } = lookahead(...yard, '--out', folder);
  expect(status, stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('two runs of one recording give equal lines, with forecasts among them', () => {
  const first = lookahead('replay', recording);
  expect(first.status, first.stderr).toBe(0);
  expect(lookahead('replay', recording).stdout).toBe(first.stdout);
  const forecasts = first.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { schema: string })
    .filter(({ schema }) => schema === 'lookahead.forecast.v1')
    .map((message) => ForecastSchema.parse(message));
  expect(forecasts.length).toBeGreaterThanOrEqual(4);
  expect(forecasts[0]).toMatchObject({ camera: 'video', window: { clock: 'recording' } });
}, 180_000);

it('a recording that cannot be read is named, and the others are still replayed', () => {
  const { status, stdout, stderr } = lookahead('replay', '--text', '/nonexistent.mp4', recording);
  expect(status).toBe(1);
  expect(stderr).toContain('/nonexistent.mp4');
  expect(stdout).toMatch(/^video {2,}.+ \d+ % · /m);
}, 180_000);
