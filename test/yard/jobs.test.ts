import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runJobs } from '../../src/yard/jobs/run-jobs.js';

const folder = mkdtempSync(join(tmpdir(), 'lookahead-jobs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(program: string, signal?: AbortSignal): Promise<void> {
  const path = join(folder, `${String(Math.random()).slice(2)}.mjs`);
  writeFileSync(path, program);
  await runJobs<null, string, unknown>({
    script: pathToFileURL(path),
    assignment: null,
    jobs: ['yes'],
    nameOf: (job) => `job ${job}`,
    workers: 1,
    onDone: () => undefined,
    signal,
  });
}

describe('a worker', () => {
  it('that dies is replaced, and one that keeps dying is told by name with the last reason', async () => {
    await expect(run('process.on("message", () => process.exit(3));')).rejects.toMatchObject({
      code: 'worker_lost',
      message: expect.stringMatching(/^3 workers died over job yes, .*3/) as string,
      remedy: expect.stringContaining('--workers') as string,
    });
  });

  it('is ended with its run', async () => {
    const stop = new AbortController();
    const why = new Error('enough');
    const running = run('process.on("message", () => setInterval(() => {}, 1000));', stop.signal);
    setTimeout(() => stop.abort(why), 300);
    await expect(running).rejects.toBe(why);
  });
});
