import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tailCommand } from '../../src/commands/tail.js';
import type { Forecast } from '../../src/messages.js';
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
  const [out, err, stop] = [new Lines(), new Lines(), new AbortController()];
  const done = tailCommand([...args, '--nats', server.url, '--site', 'test'], {
    out,
    err,
    env: {},
    cwd: process.cwd(),
    signal: stop.signal,
  });
  onTestFinished(() => stop.abort());
  const end = (): Promise<number> => {
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
      /^gate +van enters 62 % · gate opens 21 % · nothing 9 % {3}lag \d+\.\d s$/,
    );
    expect(lines[1]).toMatch(/^yard +van enters/);
    expect(lines[2]).toMatch(/^gate +✓ van enters after 2\.3 s/);
    expect(lines[3]).toMatch(/^gate +offline: the camera ended its stream$/);
    expect(lines).toHaveLength(4);
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

  it('names what is wrong with its arguments, and a server that is not there', async () => {
    const server = await natsServerForTest({ started: false });
    for (const args of [['a.b'], ['a', 'b'], ['--nope']]) {
      await expect(tailing(server, ...args).done).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(tailing(server).done).rejects.toMatchObject({ code: 'broker_unreachable' });
  });
});
