import { spawnSync } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { openWatchdog, type WatchdogOptions } from '../../src/watchdog.js';
import { openNotifySocket } from '../support/notify-socket.js';

const hasNotify = spawnSync('systemd-notify', ['--version']).status === 0;
const patience = { timeout: 30_000 };

/** A watchdog and all that it complained about. */
function watchdog(
  env: Record<string, string | undefined>,
  options: Partial<WatchdogOptions> = {},
): { dog: ReturnType<typeof openWatchdog>; complaints: string[] } {
  const complaints: string[] = [];
  const dog = openWatchdog({
    env: { PATH: process.env['PATH'], ...env },
    isHealthy: () => true,
    say: (text) => void complaints.push(text),
    ...options,
  });
  onTestFinished(() => dog.close());
  return { dog, complaints };
}

it('does nothing where systemd has not started us', () => {
  const { dog, complaints } = watchdog(
    { WATCHDOG_USEC: '1000' },
    { program: '/nowhere/systemd-notify' },
  );
  dog.ready(() => {
    throw new Error('was asked');
  });
  dog.stopping();
  dog.close();
  expect(complaints).toEqual([]);
});

it('says once that systemd cannot be told, and goes on', async () => {
  const { dog, complaints } = watchdog(
    { NOTIFY_SOCKET: '/nowhere/notify', WATCHDOG_USEC: '20000' },
    { program: '/nowhere/systemd-notify' },
  );
  let asked = 0;
  dog.ready(() => [`${asked++}`]);
  await expect.poll(() => asked, patience).toBeGreaterThan(3);
  expect(complaints).toEqual([
    expect.stringContaining('/nowhere/systemd-notify cannot be started'),
  ]);
});

it.skipIf(!hasNotify)('tells readiness, signs of life with the state, and the end', async () => {
  const socket = await openNotifySocket();
  onTestFinished(() => socket.close());
  const env = {
    NOTIFY_SOCKET: socket.path,
    WATCHDOG_USEC: '200000',
    WATCHDOG_PID: `${process.pid}`,
  };
  const { dog, complaints } = watchdog(env);
  let hindrances = ['NATS: gone\nWATCHDOG=trigger', 'cameras: none is online'];
  dog.ready(() => hindrances);
  const { messages } = socket;
  await expect.poll(() => messages.length, patience).toBeGreaterThan(1);
  // A line break in a reason cannot become a message of its own.
  const state = 'STATUS=not ready: NATS: gone WATCHDOG=trigger; cameras: none is online';
  expect(messages[0]).toEqual(['READY=1', state]);
  expect(messages[1]).toEqual(['WATCHDOG=1', state]);
  hindrances = [];
  await expect.poll(() => messages.at(-1), patience).toEqual(['WATCHDOG=1', 'STATUS=ready']);
  dog.stopping();
  const end = ['STOPPING=1', 'STATUS=stopping'];
  await expect.poll(() => messages.at(-1), patience).toEqual(end);
  expect(complaints).toEqual([]);
});

it.skipIf(!hasNotify)('gives no sign of life while the engine is not healthy', async () => {
  const socket = await openNotifySocket();
  onTestFinished(() => socket.close());
  let looks = 0;
  const { dog } = watchdog(
    { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '100000' },
    { isHealthy: () => ++looks > 3 },
  );
  dog.ready(() => [`look ${looks}`]);
  await expect.poll(() => socket.messages.length, patience).toBeGreaterThan(1);
  const [ready, alive] = socket.messages;
  expect(ready?.[0]).toBe('READY=1');
  expect(alive?.[0]).toBe('WATCHDOG=1');
  expect(Number(/look (\d+)/.exec(alive?.[1] ?? '')?.[1])).toBeGreaterThan(3);
});

it.skipIf(!hasNotify)(
  'leaves the watchdog alone where it is meant for another process',
  async () => {
    const socket = await openNotifySocket();
    onTestFinished(() => socket.close());
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' };
    const { dog } = watchdog(env);
    dog.ready(() => []);
    await expect.poll(() => socket.messages.length, patience).toBe(1);
    dog.stopping();
    await expect.poll(() => socket.messages.length, patience).toBe(2);
    expect(socket.messages.flat().filter((fact) => fact.startsWith('WATCHDOG'))).toEqual([]);
  },
);
