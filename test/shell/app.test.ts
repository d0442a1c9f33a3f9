/** The whole engine as a user starts it: two processes of models, a NATS server, a simulated camera, and no leftovers. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ForecastSchema } from '../../src/messages.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const patience = { timeout: 150_000, interval: 200 };

interface Engine {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
}

function startEngine(...args: string[]): Engine {
  const store = mkdtempSync(join(tmpdir(), 'lookahead-app-'));
  const child = spawn(
    process.execPath,
    [main, 'start', '--nats-port', '0', '--http-port', '0', '--nats-store', store, ...args],
    // A group of its own, so that a test can send what Ctrl-C sends: a signal to all of it.
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(() => child.exitCode);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(store, { recursive: true, force: true });
  });
  return { child, out: () => out, err: () => err, ended };
}

/** Waits for a condition; an engine that ends meanwhile fails the test with what it said. */
async function until(engine: Engine, isTrue: () => boolean): Promise<void> {
  await expect
    .poll(
      () => isTrue() || engine.child.exitCode !== null || engine.child.signalCode !== null,
      patience,
    )
    .toBe(true);
  expect(isTrue(), `${engine.out()}\n${engine.err()}`).toBe(true);
}

/** Process ids of all that descends from a process, at this moment. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has just ended.
    }
  }
  const below = (of: number): number[] =>
    [...parents]
      .filter(([, parent]) => parent === of)
      .flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

const address = (engine: Engine, what: string): string =>
  new RegExp(`^${what} +(\\S+)`, 'm').exec(engine.err())?.[1] ?? '';

describe('the engine', () => {
  it('forecasts a yard camera over NATS, shows its picture, and leaves nothing behind after Ctrl-C', async () => {
    const engine = startEngine('--yard-cameras', '1');
    await until(engine, () => engine.err().includes('cameras yard-1'));
    const nc = await connect({ servers: address(engine, 'NATS') });
    const forecasts = nc.subscribe('lookahead.v1.home.yard-1.forecast', { max: 1 });
    for await (const { data } of forecasts) {
      const forecast = ForecastSchema.parse(JSON.parse(new TextDecoder().decode(data)));
      expect(forecast.bundle.name).toBe('yard');
    }
    await nc.close();
    await until(engine, () => /^yard-1 {2}.*\d %.* lag \d/m.test(engine.out()));

    const page = address(engine, 'page');
    expect((await fetch(new URL('/readyz', page))).status).toBe(200);
    const metrics = await (await fetch(new URL('/metrics', page))).text();
    expect(metrics).toMatch(/^lookahead_lag_seconds_count\{camera="yard-1"\} [1-9]/m);
    const viewer = new WebSocket(new URL('/picture?camera=yard-1', page.replace('http', 'ws')));
    let pictureBytes = 0;
    viewer.on('message', (data: Buffer) => (pictureBytes += data.length));
    viewer.on('error', (error) => expect.fail(`${error.message}\n${engine.err()}`));
    await until(engine, () => pictureBytes > 10_000);

    const children = descendants(engine.child.pid!);
    expect(children.length).toBeGreaterThanOrEqual(5);
    process.kill(-engine.child.pid!, 'SIGINT');
    expect(await engine.ended).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
    expect(engine.err()).toMatch(/stopping\n$/);
  }, 300_000);

  it('leaves nothing behind when it is killed', async () => {
    const engine = startEngine('--yard-cameras', '1');
    await until(engine, () => engine.out().includes('online'));
    const children = descendants(engine.child.pid!);
    engine.child.kill('SIGKILL');
    await engine.ended;
    await expect.poll(() => children.filter(isAlive), patience).toEqual([]);
  }, 300_000);

  it('ends at once, and leaves nothing behind, at the second Ctrl-C', async () => {
    const engine = startEngine('--yard-cameras', '1', '--nats', 'nats://127.0.0.1:1');
    await until(engine, () => engine.err().includes('cameras yard-1'));
    const children = descendants(engine.child.pid!);
    engine.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    engine.child.kill('SIGTERM');
    await engine.ended;
    await expect.poll(() => children.filter(isAlive), patience).toEqual([]);
  }, 300_000);

  it('names a taken port before it starts anything', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const engine = startEngine('--http-port', String(port));
    expect(await engine.ended).not.toBe(0);
    taken.close();
    expect(engine.err()).toContain('twice');
  });
});
