/** Cameras that come and go many times leave nothing behind in the engine that watches them. */
import { Observable, Subject } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { CameraSet } from '../src/camera-set.js';
import type { CameraSource } from '../src/camera-source.js';
import { watchCameras, type Engine, type Watch } from '../src/cameras.js';
import { ConfigSchema } from '../src/config.js';
import { KeyFrames } from '../src/key-frames.js';
import type { Message } from '../src/messages.js';
import { createMetrics } from '../src/metrics/registry.js';
import { takeTurns } from '../src/operators/take-turns.js';
import { yardManifest } from './models/yard-bundle.js';

/** Where it is, nobody answers: it stays connecting, and no ffmpeg is started. */
const silent = (name: string): CameraSource => ({
  ...{ name, origin: 'api', host: null },
  url: () => new Promise(() => undefined),
});

function engineOf() {
  const cameras = new CameraSet([silent('front')]);
  const observers = { now: 0 };
  const { change$ } = cameras;
  const counted$ = new Observable((subscriber) => {
    observers.now += 1;
    const own = change$.subscribe(subscriber);
    return () => {
      observers.now -= 1;
      own.unsubscribe();
    };
  });
  Object.defineProperty(cameras, 'change$', { value: counted$ });
  const metrics = createMetrics({ processMetrics: false });
  const manifest = yardManifest();
  const published: Message[] = [];
  const fatal = vi.fn<(error: unknown) => void>();
  const engine = {
    ...{ cameras, metrics, onFatal: fatal, turns: takeTurns(), messages: new Subject<Message>() },
    config: ConfigSchema.parse({ within: false }),
    tools: { ffmpegPath: 'none', natsServerPath: 'none' },
    console: { log: () => undefined, state: () => undefined, message: () => undefined },
    models: { bundle: { manifest, sha256: '0'.repeat(64), labels: manifest.labels } },
    reasoner: {},
    bus: {
      publish: (message: Message) => {
        published.push(message);
        return Promise.resolve({ ackedAtMs: Date.now() });
      },
    },
    ...{ windows: new Map(), states: new Map(), baselines: new Map() },
    keyFrames: new KeyFrames({ bytesMax: 1, cameras: () => cameras.size }),
    recalibrations: { beginCamera: () => undefined, endCamera: () => undefined },
    scores: {},
    epoch: 1,
  } as unknown as Engine;
  return { engine, cameras, metrics, published, fatal, observers };
}

it('a hundred times: epochs of their own, each watch over, no state, gauge, series or subscription left', async () => {
  const { engine, cameras, metrics, published, fatal, observers } = engineOf();
  const begun: Watch[] = [];
  let epoch = 1;
  const all = watchCameras(engine, {
    nextEpoch: () => ++epoch,
    onBegun: (watch) => begun.push(watch),
  });
  await new Promise(setImmediate);
  const shape = async () => ({
    states: [...engine.states.keys()],
    baselines: [...engine.baselines.keys()],
    observers: observers.now,
    series: (await metrics.text()).replace(/ [\d.]+$/gm, ''),
  });
  const before = await shape();
  for (let time = 0; time < 100; time++) {
    cameras.put(silent('gate'));
    if (time % 2 === 0) await new Promise(setImmediate);
    if (time % 3 === 0) cameras.put(silent('gate')); // With other masks.
    expect([...engine.states.keys()]).toEqual(['front', 'gate']);
    cameras.remove('gate');
  }
  await new Promise(setImmediate);
  expect(await shape()).toEqual(before);
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  expect(timers, 'those of the tests themselves come and go').toBeLessThan(20);
  const ofGate = begun.filter(({ camera }) => camera === 'gate');
  expect(new Set(ofGate.map((watch) => watch.epoch)).size).toBe(100);
  expect(ofGate.every(({ signal }) => signal.aborted)).toBe(true);
  expect(begun.filter(({ signal }) => !signal.aborted).map(({ camera }) => camera)).toEqual([
    'front',
  ]);
  const last = published.filter(({ camera }) => camera === 'gate').at(-1);
  expect(last).toMatchObject({ state: 'offline', why: 'removed' });
  all.unsubscribe();
  expect(observers.now).toBe(0);
  expect(begun.every(({ signal }) => signal.aborted)).toBe(true);
  expect(fatal).not.toHaveBeenCalled();
});
