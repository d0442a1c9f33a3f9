import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { masksFor, recordingNames, replayUsage } from '../../src/commands/replay.js';
import { ConfigSchema } from '../../src/config.js';
import { ForecastSchema } from '../../src/messages.js';
import { connectBus } from '../../src/sinks/bus.js';
import { natsServerForTest } from '../support/nats-server.js';

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
  const yard = ['yard', 'record', '--split', 'validation', '--scenes', '1', '--seconds', '16'];
  const { status, stderr } = lookahead(...yard, '--bayes-count', '0', '--out', folder);
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

it('what a camera must not see is hidden in its recordings, too', () => {
  const rectangle = { x: 0, y: 0, width: 0.5, height: 1 };
  const { cameras } = ConfigSchema.parse({
    cameras: {
      gate: { url: 'rtsp://h/s', privacyMasks: [{ rectangle }] },
      door: { url: `file:${recording}`, privacyMasks: [{ rectangle }, { rectangle }] },
    },
  });
  const count = (file: string, named?: string): number =>
    masksFor(file, { values: { 'masks-of': named } }, { cameras }).length;
  expect(count('/a.mp4')).toBe(0);
  expect(count('/a.mp4', 'gate')).toBe(1);
  expect(count(recording)).toBe(2);
  expect(count(recording, 'gate')).toBe(3);
  expect(() => count('/a.mp4', 'gat')).toThrow(/no camera "gat"/);
  expect(replayUsage).toContain('--masks-of');
});

it('what is published speaks for no live camera', async () => {
  expect(recordingNames(['a/gate.mp4', 'b/gate.mp4', 'svc.mp4'], false)).toEqual([
    'gate',
    'gate-2',
    'svc-1',
  ]);
  const long = `${'x'.repeat(80)}.mp4`;
  const published = recordingNames(['gate.mp4', long, long], true);
  expect(published[0]).toBe('replay-gate');
  expect(new Set(published).size).toBe(3);
  for (const name of published) expect(name).toMatch(/^replay-[A-Za-z0-9_-]{1,57}$/);
  expect(replayUsage).toContain('replay-');

  const server = await natsServerForTest();
  const { status, stdout, stderr } = lookahead(
    ...['replay', recording, '--publish', '--nats', server.url],
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('"camera":"replay-video"');
  const bus = await connectBus({ servers: [server.url], site: 'home', role: 'reader' });
  onTestFinished(() => bus.close(0));
  await bus.ready(20_000);
  const subjects = (await bus.last('forecast')).map(({ subject }) => subject);
  expect(subjects).toEqual(['lookahead.v1.home.replay-video.forecast']);
}, 180_000);
