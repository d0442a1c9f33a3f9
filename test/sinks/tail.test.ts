import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commands } from '../../src/commands/index.js';
import { ScoreSchema, type Forecast } from '../../src/messages.js';
import { type Bus, connectBus } from '../../src/sinks/bus.js';
import { forecast, heartbeat, outcome, state } from '../support/messages.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';

async function engineOn(server: TestNatsServer): Promise<Bus> {
  const bus = await connectBus({ servers: [server.url], site: 'test' });
  onTestFinished(() => bus.close(0));
  return bus;
}

function fresh(sequence: number, overrides: Partial<Forecast> = {}): Forecast {
  const base = forecast(sequence, overrides);
  const iso = (ms: number): string => new Date(Date.now() + ms).toISOString();
  return {
    ...base,
    window: { ...base.window, to: iso(-800) },
    issuedAt: iso(0),
    validUntil: iso(60_000),
  };
}

class Lines extends EventEmitter {
  text = '';
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

/** Runs the command until the returned function is called. */
function tailing(server: TestNatsServer, ...args: string[]) {
  return running([...args, '--nats', server.url]);
}

function running(args: string[], cwd = process.cwd()) {
  const [out, err, stop] = [new Lines(), new Lines(), new AbortController()];
  const command = commands['tail'];
  const done = Promise.resolve(
    command?.([...args, '--site', 'test'], {
      out: out as never,
      err: err as never,
      env: {},
      cwd,
      ffmpegPath: 'ffmpeg',
      natsServerPath: 'nats-server',
      signal: stop.signal,
    }),
  );
  onTestFinished(() => stop.abort());
  const end = (): Promise<number | undefined> => {
    stop.abort();
    return done;
  };
  return { out, err, done, end };
}

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 20 });

describe('tail', () => {
  it('shows the last forecast at once, then forecasts, outcomes and states as they come', async () => {
    const server = await natsServerForTest();
    const bus = await engineOn(server);
    await bus.publish(fresh(1));
    const tail = tailing(server);
    await until(() => tail.out.text.includes('van enters 62 %'));

    await bus.publish(fresh(2, { camera: 'yard' }));
    await bus.publish(outcome(1));
    await bus.publish(state({ state: 'offline', why: 'the camera ended its stream' }));
    await until(() => tail.out.text.includes('offline'));
    expect(await tail.end()).toBe(0);
    const lines = tail.out.text.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^gate +van enters 62 % · gate opens 21 % · nothing 9 % {3}lag \d+\.\d s(, too late)?$/, // However slow the machine is.
    );
    expect(lines[1]).toMatch(/^yard +van enters/);
    expect(lines[2]).toMatch(/^gate +✓ van enters after 2\.3 s/);
    expect(lines[3]).toMatch(/^gate +offline: the camera ended its stream$/);
    expect(lines).toHaveLength(4);
  });

  it('shows how good the forecasts of the last hour were, as the engine says it', async () => {
    const server = await natsServerForTest();
    const bus = await engineOn(server);
    await bus.publish(fresh(1));
    const tail = tailing(server);
    await until(() => tail.out.text.includes('van enters 62 %'));
    const sample = readFileSync('test/samples/v1/score.json', 'utf8');
    await bus.publish({ ...ScoreSchema.parse(JSON.parse(sample)), site: 'test' });
    await until(() => tail.out.text.includes('score'));
    await tail.end();
    expect(tail.out.text.trimEnd().split('\n').at(-1)).toBe(
      'gate  score: last hour 50 % hits, skill 0.44 over base rate, 0.52 over persistence, Brier 0.41 (1,700 outcomes, 3 undecidable)',
    );
  });

  it('follows one camera, and prints raw messages with --json', async () => {
    const server = await natsServerForTest();
    const bus = await engineOn(server);
    const sent = [fresh(1, { camera: 'yard' }), fresh(2, { camera: 'yard' })] as const;
    await bus.publish(fresh(1));
    await bus.publish(sent[0]);
    const tail = tailing(server, 'yard', '--json');
    await until(() => tail.out.text !== '');
    await bus.publish(fresh(2));
    await bus.publish(sent[1]);
    await until(() => tail.out.text.split('\n').length > 2);
    await tail.end();
    expect(
      tail.out.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(sent);
  });

  it('tells chances once, reasons once, whatever comes twice, and whoever comes late both', async () => {
    const server = await natsServerForTest();
    const bus = await engineOn(server);
    const first = fresh(1);
    const evidence = { tracks: [], from: first.window.from, to: first.window.to };
    const explanation = [{ text: 'the van stops .', verified: true, evidence }];
    await bus.publish(first);
    await bus.publish({ ...first, rev: 1, explanation });
    const tail = tailing(server);
    await until(() => tail.out.text.includes('why:'));
    const nc = await connect({ servers: server.url });
    onTestFinished(() => nc.close());
    const second = fresh(2);
    const send = (message: Forecast): void =>
      nc.publish('lookahead.v1.test.gate.forecast', JSON.stringify(message));
    for (const message of [second, second, { ...second, rev: 1, explanation }]) send(message);
    for (const message of [second, { ...second, rev: 1, explanation }, fresh(3)]) send(message);
    await until(() => tail.out.text.trimEnd().split('\n').length >= 5);
    await tail.end();
    const told = tail.out.text.trimEnd().split('\n');
    expect(told.map((line) => (line.includes('why: the van stops') ? 'why' : 'chances'))).toEqual([
      'chances',
      'why',
      'chances',
      'why',
      'chances',
    ]);
  });

  it('calls an old forecast and a silent engine what they are', async () => {
    const server = await natsServerForTest();
    const bus = await engineOn(server);
    await bus.publish(forecast(1));
    const tail = tailing(server);
    await until(() => tail.err.text.includes('is unknown'));
    bus.heartbeat(heartbeat(1));
    await until(() => tail.err.text.includes('heard again'));
    await tail.end();
    expect(tail.err.text).toMatch(/gate: the last forecast ended \d+ s ago/);
    expect(tail.out.text).toBe('');
  });

  it('reads the server beside an engine only where nothing names another', async () => {
    const [beside, named] = [await natsServerForTest(), await natsServerForTest()];
    await (await engineOn(beside)).publish(fresh(1, { camera: 'beside' }));
    await (await engineOn(named)).publish(fresh(1, { camera: 'named' }));
    const folder = mkdtempSync(join(tmpdir(), 'lookahead-tail-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // As an engine in another process leaves it; our own id would be a left-over.
    const address = JSON.stringify({ pid: process.ppid, url: beside.url });
    writeFileSync(join(folder, 'address.json'), address);
    writeFileSync(join(folder, 'here.yaml'), `nats: { storeDir: ${JSON.stringify(folder)} }\n`);
    writeFileSync(
      join(folder, 'there.yaml'),
      `nats: { storeDir: ${JSON.stringify(folder)}, servers: [${JSON.stringify(named.url)}] }\n`,
    );
    const shows = async (camera: string, ...args: string[]): Promise<void> => {
      const tail = running(args, folder);
      await until(() => tail.out.text.startsWith(camera));
      expect(await tail.end()).toBe(0);
    };
    await shows('beside', '--config', 'here.yaml');
    await shows('beside', '--nats-store', folder);
    await shows('named', '--config', 'there.yaml');
  });

  it('names what is wrong with its arguments, and a server that is not there', async () => {
    const server = await natsServerForTest({ started: false });
    for (const args of [['a.b'], ['a', 'b'], ['--nope']]) {
      await expect(tailing(server, ...args).done).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(tailing(server).done).rejects.toMatchObject({
      code: 'broker_unreachable',
      message: expect.stringMatching(
        /^((?!cannot be reached).)*cannot be reached((?!cannot).)*$/,
      ) as string,
    });
  });
});
