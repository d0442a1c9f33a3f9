/** What an engine learns of its own chances, kept and followed over a real nats-server, and the command that goes back. */
import { Subject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Closers } from '../../src/closers.js';
import { calibrationCommand } from '../../src/commands/calibration.js';
import type { Message, Outcome } from '../../src/messages.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { openBundle } from '../../src/models/bundle.js';
import { bundleDirOf } from '../../src/places.js';
import { Recalibrations, type Recalibrating } from '../../src/recalibrate.js';
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import { outcome } from '../support/messages.js';
import { natsServerForTest, type TestNatsServer } from '../support/nats-server.js';

const startMs = Date.UTC(2026, 10, 25, 9);
const { sha256 } = await openBundle(bundleDirOf({ bundle: 'yard' }));

const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 20_000, interval: 20 });

/** Nothing comes three times as often as the bundle says: 30 % in place of 10 %. */
function tooRestless(sequence: number, change: Partial<Outcome> = {}): Outcome {
  const isQuiet = sequence % 10 < 3;
  const observed = isQuiet ? 'nothing' : sequence % 10 < 8 ? 'van enters' : 'gate opens';
  return outcome(sequence, {
    ...{ observed, target: 'next', because: null, calibrated: true, recalibration: null },
    ...{ horizonMs: 4000, windowTo: new Date(startMs + sequence * 4000).toISOString() },
    answers: {
      events: [
        { label: 'van enters', confidence: 0.6 },
        { label: 'gate opens', confidence: 0.25 },
        { label: 'dog leaves', confidence: 0.02 },
      ],
      ...{ nothing: 0.1, somethingElse: 0.03 },
    },
    ...change,
  });
}

async function engineOn(server: TestNatsServer, change: Partial<Recalibrating> = {}) {
  const bus: Bus = await connectBus({ servers: [server.url], site: 'test' });
  await bus.ready(10_000);
  const [messages, closers, metrics] = [new Subject<Message>(), new Closers(), createMetrics()];
  const lines: string[] = [];
  const recalibrations = new Recalibrations({
    ...{ bus, messages, closers, metrics, enabled: true, now: () => startMs },
    bundleSha256: () => sha256,
    console: { log: (level, text) => lines.push(`${level} ${text}`) },
    ...change,
  });
  onTestFinished(async () => {
    await closers.close();
    metrics.close();
    await bus.close(0);
  });
  const hear = (from: number, to: number): void => {
    for (let at = from; at < to; at++) messages.next(tooRestless(at));
  };
  return { bus, recalibrations, messages, metrics, lines, hear };
}

async function command(server: TestNatsServer, ...args: string[]): Promise<string> {
  let text = '';
  const out = { write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream;
  await calibrationCommand([...args, '--nats', server.url, '--site', 'test'], {
    ...{ out, env: {}, cwd: process.cwd() },
  });
  return text;
}

describe('an engine', () => {
  it('learns from its outcomes, keeps what it learned, and the next engine begins with it', async () => {
    const server = await natsServerForTest();
    const first = await engineOn(server);
    expect(first.recalibrations.of('gate')).toBeNull();
    first.hear(0, 80);
    expect(first.recalibrations.of('gate'), 'too few to learn from').toBeNull();
    first.hear(80, 400);
    await until(() => first.recalibrations.of('gate'));
    const learned = first.recalibrations.of('gate');
    expect(learned?.nothingBias).toBeGreaterThan(0.5);
    expect(first.lines.join()).toContain('gate: chances recalibrated by');
    expect(await first.metrics.text()).toMatch(
      /lookahead_recalibration_nothing_bias\{camera="gate"\} 0\.\d|1\.\d/,
    );
    const second = await engineOn(server);
    await until(() => second.recalibrations.of('gate'));
    expect(second.recalibrations.of('gate')?.version).toBeGreaterThanOrEqual(learned?.version ?? 0);
  });

  it('learns nothing from what another bundle has said', async () => {
    const server = await natsServerForTest();
    const { recalibrations } = await engineOn(server);
    const bundle = { name: 'yard', version: '0.0.1', sha256: 'another' };
    for (let at = 0; at < 400; at++) recalibrations.remember(tooRestless(at, { bundle }));
    const own = { name: 'yard', version: '0.0.2', sha256 };
    for (let at = 0; at < 99; at++) recalibrations.remember(tooRestless(at, { bundle: own }));
    expect(recalibrations.heard('gate')).toBe(99);
  });

  it('switched off applies nothing and keeps nothing', async () => {
    const server = await natsServerForTest();
    const { hear, recalibrations } = await engineOn(server, { enabled: false });
    hear(0, 400);
    expect(recalibrations.of('gate')).toBeNull();
    expect(await command(server, '--camera', 'gate')).toContain('nothing was learned yet');
  });

  it('warns once when skill falls, tells it as long as it is low, and what was remembered warns nobody', async () => {
    const server = await natsServerForTest();
    const { recalibrations, messages, metrics, lines } = await engineOn(server);
    const marks = { brier: 0.5, logScore: 2, hit: false };
    const of = (at: number, skill: number): Outcome =>
      tooRestless(at, {
        logScore: 2 - skill + 0.3 * Math.sin(at),
        baselines: { baseRate: marks, persistence: marks },
      });
    const warnings = (): string[] => lines.filter((line) => line.startsWith('warn'));
    for (let at = 0; at < 4000; at++) recalibrations.remember(of(at, 1));
    expect(recalibrations.driftOf('gate')).toBeNull();
    for (let at = 4000; at < 6000; at++) messages.next(of(at, 0));
    expect(recalibrations.driftOf('gate')).toMatchObject({
      usual: expect.closeTo(0.5, 1) as number,
      recent: expect.closeTo(0, 1) as number,
    });
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain('gate: forecasts are worth less than they were');
    expect(await metrics.text()).toContain('lookahead_drift{camera="gate"} 1');
    for (let at = 6000; at < 9000; at++) messages.next(of(at, 1));
    expect(recalibrations.driftOf('gate')).toBeNull();
    expect(await metrics.text()).toContain('lookahead_drift{camera="gate"} 0');
    expect(warnings()).toHaveLength(1);
  });
});

describe('calibration', () => {
  it('shows versions, freezes, resets and reverts, and a running engine follows at once', async () => {
    const server = await natsServerForTest();
    const { recalibrations, hear } = await engineOn(server);
    hear(0, 400);
    await until(() => recalibrations.of('gate'));
    const version = recalibrations.of('gate')?.version ?? 0;
    expect(await command(server, 'show', '--camera', 'gate')).toMatch(/ engine {2}2026-11-25/);

    await command(server, 'reset', '--camera', 'gate');
    await until(() => recalibrations.of('gate') === null);
    await command(server, 'freeze', '--camera', 'gate');
    hear(400, 900);
    expect(recalibrations.of('gate'), 'a frozen value is left alone').toBeNull();
    await command(server, 'revert', String(version), '--camera', 'gate');
    await until(() => recalibrations.of('gate'));
    const { versions } = JSON.parse(
      await command(server, 'show', '--camera', 'gate', '--json'),
    ) as {
      versions: { by: string; frozen: boolean; nothingBias: number }[];
    };
    expect(versions.map(({ by, frozen }) => `${by}${frozen ? ' frozen' : ''}`).slice(-3)).toEqual([
      'person',
      'person frozen',
      'person',
    ]);
    expect(recalibrations.of('gate')?.nothingBias).toBeCloseTo(
      versions.at(-1)?.nothingBias ?? 0,
      9,
    );
  });

  it('says what is wrong with a version, a verb, a camera', async () => {
    const server = await natsServerForTest();
    await expect(command(server, 'revert', '7', '--camera', 'gate')).rejects.toThrow(
      'gate has no version 7; there are none.',
    );
    await expect(command(server, 'revert', 'x', '--camera', 'gate')).rejects.toThrow(
      'The version is "x"',
    );
    await expect(command(server, 'undo', '--camera', 'gate')).rejects.toThrow(
      '"undo" is none of show, revert',
    );
    await expect(command(server, 'show')).rejects.toThrow('--camera is missing');
    await expect(command(server, '--camera', 'a b')).rejects.toThrow('which is no camera');
  });
});

it('a value of another bundle is not used, and nonsense is told', async () => {
  const server = await natsServerForTest();
  const { bus, recalibrations, lines } = await engineOn(server);
  const store = bus.keyValues('calibration', 16);
  const entry = {
    ...{ schema: 'lookahead.calibration.v1', temperature: 2, nothingBias: 0.5, outcomes: 200 },
    ...{ at: new Date(startMs).toISOString(), bundleSha256: 'other', by: 'engine', frozen: false },
  };
  const put = (key: string, value: object): Promise<number | null> =>
    store.put(key, new TextEncoder().encode(JSON.stringify(value)));
  await put('odd', { ...entry, temperature: 99, bundleSha256: sha256 });
  await put('other', entry);
  await put('own', { ...entry, bundleSha256: sha256 });
  await until(() => recalibrations.of('own'));
  expect([recalibrations.of('odd'), recalibrations.of('other')]).toEqual([null, null]);
  expect(lines.some((line) => line.startsWith('warn odd: version'))).toBe(true);
});

it('of a camera that is watched no more nothing is told and nothing heard is held; what is kept counts when it is back', async () => {
  const server = await natsServerForTest();
  const watched = new Set(['own']);
  const { bus, recalibrations, metrics } = await engineOn(server, {
    isWatched: (camera) => watched.has(camera),
  });
  const store = bus.keyValues('calibration', 16);
  for (const camera of ['gate', 'own']) await store.put(camera, kept(0, { temperature: 2 }));
  await until(() => recalibrations.of('own'));
  recalibrations.begin();
  const before = await metrics.text();
  expect(before).toContain('lookahead_recalibration_temperature{camera="own"} 2');
  expect(before).toContain('lookahead_drift{camera="own"} 0');
  expect(before).not.toContain('camera="gate"');

  watched.add('gate');
  recalibrations.beginCamera('gate');
  expect(recalibrations.of('gate')?.temperature).toBe(2);
  expect(await metrics.text()).toContain('lookahead_recalibration_temperature{camera="gate"} 2');
  for (let at = 1; at < 50; at++) recalibrations.remember(tooRestless(at));
  expect(recalibrations.heard('gate')).toBe(49);
  recalibrations.endCamera('gate');
  expect(recalibrations.heard('gate')).toBe(0);
});

/** As an engine or a person keeps it; `at` in the time of the outcomes. */
function kept(atSequence: number, change: object = {}): Uint8Array {
  const entry = {
    ...{ schema: 'lookahead.calibration.v1', temperature: 1, nothingBias: 0, outcomes: 0 },
    ...{ at: new Date(startMs + atSequence * 4000).toISOString(), bundleSha256: sha256 },
    ...{ by: 'person', frozen: false, ...change },
  };
  return new TextEncoder().encode(JSON.stringify(entry));
}

describe('what a person has set', () => {
  it('is not undone after a restart by outcomes from before it, whenever they are told', async () => {
    const server = await natsServerForTest();
    const { bus, recalibrations, hear } = await engineOn(server);
    const store = bus.keyValues('calibration', 16);
    // Some are read before the bucket, others after it.
    for (let at = 0; at < 200; at++) recalibrations.remember(tooRestless(at));
    await store.put('gate', kept(400, { temperature: 1.5 }));
    await until(() => recalibrations.of('gate'));
    for (let at = 200; at < 399; at++) recalibrations.remember(tooRestless(at));
    hear(400, 480);
    expect(await store.history('gate')).toHaveLength(1);
    hear(480, 700);
    await until(() => (recalibrations.of('gate')?.version ?? 0) > 1);
    expect(JSON.parse(await command(server, '--camera', 'gate', '--json'))).toMatchObject({
      versions: [{ by: 'person' }, { by: 'engine' }],
    });
  });

  it('wins over what was learned meanwhile', async () => {
    const server = await natsServerForTest();
    const { bus, recalibrations, hear, lines } = await engineOn(server);
    const store = bus.keyValues('calibration', 16);
    // The engine does not know of it when it keeps what it has learned.
    const setting = store.put('gate', kept(0, { frozen: true, temperature: 2 }));
    hear(0, 120);
    await setting;
    await until(() => recalibrations.of('gate')?.temperature === 2);
    hear(120, 400);
    expect((await store.history('gate')).length).toBe(1);
    expect(lines.join()).not.toContain('chances recalibrated');
  });
});

it('outcomes of another bundle teach nothing, and what was learned of it is not applied to the next', async () => {
  const server = await natsServerForTest();
  let now = sha256;
  const { bus, recalibrations, hear } = await engineOn(server, { bundleSha256: () => now });
  for (let at = 0; at < 400; at++)
    recalibrations.remember(
      tooRestless(at, { bundle: { name: 'yard', version: '0', sha256: 'another' } }),
    );
  hear(400, 480);
  expect(await bus.keyValues('calibration', 16).history('gate')).toEqual([]);
  hear(480, 800);
  await until(() => recalibrations.of('gate'));
  now = 'the next';
  expect(recalibrations.of('gate')).toBeNull();
  now = sha256;
  expect(recalibrations.of('gate')).not.toBeNull();
});
