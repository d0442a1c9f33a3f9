/** How `start` ends, whatever the engine does meanwhile; the engine itself is in app.test.ts. */
import { EventEmitter } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startApp, type App } from '../../src/app.js';
import { CameraServer } from '../../src/camera-server.js';
import { startCommand } from '../../src/commands/start.js';
import { ConfigSchema } from '../../src/config.js';
import { LookaheadError } from '../../src/errors.js';
import { demoScene } from '../../src/yard/demo-scenes.js';

vi.mock('../../src/app.js', () => ({ startApp: vi.fn() }));

class Lines extends EventEmitter {
  text = '';
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

function starting(start: () => Promise<App>, drainMs = 60_000) {
  const [out, err, stop] = [new Lines(), new Lines(), new AbortController()];
  vi.mocked(startApp).mockImplementation(start);
  const status = startCommand(ConfigSchema.parse({ limits: { drainMs } }), {
    out: out as never,
    err: err as never,
    env: {},
    cwd: '/',
    ffmpegPath: 'ffmpeg',
    natsServerPath: 'nats-server',
    signal: stop.signal,
  });
  status.catch(() => undefined);
  return { err, status, stop: () => stop.abort() };
}

const appThat = (close: () => Promise<void>) => (): Promise<App> =>
  Promise.resolve({ natsUrl: '', pageUrl: '', close } as Partial<App> as App);

it('what cannot be closed is said, each by its own words, and the status is 1', async () => {
  const failures = [new Error('the first is stuck'), new Error('the second is stuck')];
  const run = starting(appThat(() => Promise.reject(new AggregateError(failures))));
  run.stop();
  expect(await run.status).toBe(1);
  for (const { message } of failures) expect(run.err.text).toContain(message);
});

it('who ends it while it starts gets no complaint, but what could not be closed is said', async () => {
  const lost = new LookaheadError('model_lost', 'The model was lost.', 'Start again.');
  let fail: (error: Error) => void = () => undefined;
  const failing = (): Promise<App> => new Promise((_, reject) => (fail = reject));
  const quiet = starting(failing);
  quiet.stop();
  fail(lost);
  expect([await quiet.status, quiet.err.text]).toEqual([0, '']);
  const stuck = starting(failing);
  stuck.stop();
  fail(new AggregateError([new Error('it is stuck')]));
  expect(await stuck.status).toBe(1);
  expect(stuck.err.text).toContain('it is stuck');
  const early = starting(failing);
  fail(lost);
  await expect(early.status).rejects.toBe(lost);
});

it('ends the process when closing takes too long', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
  onTestFinished(() => exit.mockRestore());
  const run = starting(
    appThat(() => new Promise(() => undefined)),
    50,
  );
  expect(exit).not.toHaveBeenCalled();
  run.stop();
  await expect.poll(() => exit.mock.calls, { timeout: 30_000 }).toEqual([[1]]);
  expect(run.err.text).toContain('within 50 ms');
});

it('cameras that are still starting do not hold up the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-start-'));
  const pidFile = join(folder, 'pid');
  const ffmpegPath = join(folder, 'ffmpeg');
  writeFileSync(ffmpegPath, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 100\n`);
  chmodSync(ffmpegPath, 0o755);
  onTestFinished(() => {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const server = new CameraServer(ffmpegPath, [{ name: 'a', kind: 'yard', ...demoScene(0) }]);
  const url = server.url('a');
  url.catch(() => undefined);
  await expect.poll(() => existsSync(pidFile), { timeout: 40_000 }).toBe(true);
  await server.close();
  await expect(url).rejects.toMatchObject({ code: 'camera_unreachable' });
});
