/** The order in which an engine goes over to another bundle, with models and cameras that only write down what is done to them. */
import { Subscription } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { BundleSwitch, type SwitchOptions } from '../src/bundle-switch.js';
import { CameraSet } from '../src/camera-set.js';
import type { CameraSource } from '../src/camera-source.js';
import { LookaheadError } from '../src/errors.js';
import type { ModelPorts } from '../src/models/model-ports.js';
import { SwitchableModels } from '../src/models/switchable-models.js';

const did: string[] = [];
const watches: { bundle: string; camera: string; epoch: number }[] = [];
const lines: string[] = [];
beforeEach(() => {
  did.length = 0;
  watches.length = 0;
  lines.length = 0;
});

const sourceOf = (name: string): CameraSource => ({
  ...{ name, origin: 'api', host: null },
  url: () => Promise.resolve(''),
});

/** @param bundle its name; the digest is the same where the name is */
function modelsOf(bundle: string): ModelPorts {
  return {
    bundle: { manifest: { name: bundle, version: '1' }, sha256: bundle.padEnd(64, '0') },
    close: () => {
      did.push(`close ${bundle}`);
      return Promise.resolve();
    },
  } as unknown as ModelPorts;
}

function engineOf(options: {
  open: (name: string) => Promise<ModelPorts>;
  watch?: (name: string) => void;
  resume?: () => Promise<void>;
}) {
  const outbox = {
    messages: 0,
    ofGate: 0,
    waiting: (name: string) => (name === 'gate' ? outbox.ofGate : outbox.messages),
  };
  const fatal = vi.fn<(error: unknown) => void>();
  const { open, watch } = options;
  const models = new SwitchableModels(modelsOf('first'));
  const nothing = { clear: () => undefined };
  const cameras = new CameraSet([sourceOf('gate')]);
  const engine = {
    config: { site: 'home', bundle: 'first', models: { switchable: ['/allowed/one'] } },
    bus: { serve: () => undefined, outbox },
    metrics: {
      set: (_name: string, labels: { bundle: string }, value: number) =>
        did.push(`info ${labels.bundle} ${String(value)}`),
    },
    console: { log: (level: string, text: string) => lines.push(`${level} ${text}`) },
    onFatal: fatal,
    ...{ models, windows: nothing, baselines: nothing },
    recalibrations: { begin: () => undefined },
    ...{ scores: { begin: () => did.push('forget scores') }, cameras },
  } as unknown as SwitchOptions['engine'];
  const watched = new BundleSwitch(
    {
      engine,
      open: (dir) => open(dir.split('/').at(-1) ?? ''),
      watch: ({ models: of, cameras: present, epoch }, { nextEpoch, onBegun }) => {
        const { name } = of.bundle.manifest;
        watch?.(name);
        did.push(`watch ${name}`);
        const ending = new AbortController();
        const begin = (camera: string, of: number): void => {
          watches.push({ bundle: name, camera, epoch: of });
          onBegun({ camera, epoch: of, signal: ending.signal });
        };
        for (const camera of present.names) begin(camera, epoch);
        const following = present.change$.subscribe(({ source }) =>
          begin(source.name, nextEpoch()),
        );
        return new Subscription(() => {
          did.push(`unwatch ${name}`);
          ending.abort();
          following.unsubscribe();
        });
      },
      resume: ({ camera }, { models: of }) => {
        did.push(`resume ${camera} by ${of.bundle.manifest.name}`);
        return options.resume?.() ?? Promise.resolve();
      },
    },
    1,
  );
  did.length = 0;
  return { watched, models, outbox, fatal, cameras };
}

const ask = (bundle: string | null) => ({ schema: 'lookahead.bundle.use.v1', bundle });
const opens = (name: string): Promise<ModelPorts> => Promise.resolve(modelsOf(name));

describe('going over to another bundle', () => {
  it('leaves the cameras alone until the new models are ready, and closes the old ones last', async () => {
    const { watched } = engineOf({
      open: (name) => {
        did.push(`open ${name}`);
        return opens(name);
      },
    });
    const shown = await watched.use(ask('second'));
    await vi.waitFor(() => expect(did).toContain('resume gate by second'));
    expect(did.filter((it) => !it.startsWith('resume'))).toEqual([
      ...['open second', 'unwatch first', 'forget scores', 'info first 0', 'info second 1'],
      'watch second',
      'close first',
    ]);
    expect(shown).toMatchObject({ current: { name: 'second' }, previous: 'first' });
    expect(watched.epoch).toBeGreaterThan(1);
    expect(await watched.use(ask(null))).toMatchObject({
      ...{ current: { name: 'first' }, previous: 'second' },
    });
  });

  it('changes nothing where the bundle cannot be opened, and tells the console why', async () => {
    const { watched } = engineOf({
      open: () => Promise.reject(new LookaheadError('bundle_invalid', 'It is broken.', 'Mend it.')),
    });
    await expect(watched.use(ask('second'))).rejects.toThrow('It is broken.');
    expect(did).toEqual(['resume gate by first']);
    expect(watched.show()).toMatchObject({ current: { name: 'first' }, previous: null });
    expect(lines).toEqual(['warn bundle  second is not used: It is broken.']);
    await expect(watched.use(ask('third'))).rejects.toThrow('It is broken.');
  });

  it('keeps the way back where the very same bundle is asked for', async () => {
    const { watched } = engineOf({ open: opens });
    await watched.use(ask('second'));
    did.length = 0;
    expect(await watched.use(ask('second'))).toMatchObject({ previous: 'first' });
    expect(did, 'only what was opened for it').toEqual(['close second']);
  });

  it('takes one at a time, and none by a path that is not allowed', async () => {
    let ready: (models: ModelPorts) => void = () => undefined;
    const { watched } = engineOf({ open: () => new Promise((done) => (ready = done)) });
    const first = watched.use(ask('second'));
    await expect(watched.use(ask('third'))).rejects.toMatchObject({ code: 'queue_full' });
    ready(modelsOf('second'));
    await first;
    for (const path of ['..', '../yard', '/allowed/one/..', '/etc', 'a/b', '.hidden'])
      await expect(watched.use(ask(path)), path).rejects.toMatchObject({ code: 'request_invalid' });
    const allowed = watched.use(ask('/allowed/one'));
    ready(modelsOf('one'));
    expect(await allowed).toMatchObject({ current: { name: 'one' } });
  });

  it('looks for open forecasts when all that the last bundle published is stored', async () => {
    const { watched, outbox } = engineOf({ open: opens });
    // Of other cameras something may always wait.
    [outbox.messages, outbox.ofGate] = [7, 3];
    await watched.use(ask('second'));
    await new Promise((done) => setTimeout(done, 150));
    expect(did).not.toContain('resume gate by second');
    outbox.ofGate = 0;
    await vi.waitFor(() => expect(did).toContain('resume gate by second'));
  });

  it('reads what is stored once at a time, so that no forecast is decided twice', async () => {
    const readings: (() => void)[] = [];
    const { watched } = engineOf({
      open: opens,
      resume: () => new Promise((done) => readings.push(done)),
    });
    await watched.use(ask('second'));
    await watched.use(ask('third'));
    await new Promise(setImmediate);
    expect(readings, 'the one of the start is not over').toHaveLength(1);
    readings[0]!();
    await vi.waitFor(() => expect(readings).toHaveLength(2));
    await new Promise(setImmediate);
    expect(readings, 'that of the third finds what the second left, too').toHaveLength(2);
  });

  it('watches every camera once, also one that comes or goes while the models are opened', async () => {
    let ready: (models: ModelPorts) => void = () => undefined;
    const { watched, cameras } = engineOf({ open: () => new Promise((done) => (ready = done)) });
    const switching = watched.use(ask('second'));
    cameras.put(sourceOf('door'));
    ready(modelsOf('second'));
    await switching;
    cameras.put(sourceOf('yard'));
    expect(watches.map(({ bundle, camera }) => `${bundle} ${camera}`)).toEqual([
      ...['first gate', 'first door'],
      ...['second gate', 'second door', 'second yard'],
    ]);
    const epochs = watches.map(({ epoch }) => epoch);
    expect(epochs[2], 'of one bundle').toBe(epochs[3]);
    expect([...new Set(epochs)], 'later ones are greater').toEqual(
      [...new Set(epochs)].sort((a, b) => a - b),
    );
    expect(new Set(epochs).size).toBe(4);
    expect(watched.epoch).toBe(epochs[2]);
  });

  it('that is cut short by closing leaves no child behind and watches nothing', async () => {
    let ready: (models: ModelPorts) => void = () => undefined;
    const { watched } = engineOf({ open: () => new Promise((done) => (ready = done)) });
    const switching = watched.use(ask('second'));
    const closing = watched.close().then(() => did.push('closed'));
    await new Promise(setImmediate);
    expect(did, 'waits for the children that are starting').toEqual(['unwatch first']);
    ready(modelsOf('second'));
    await expect(switching).rejects.toThrow('The engine is stopping.');
    await closing;
    expect(did).toEqual(['unwatch first', 'close second', 'closed']);
    await expect(watched.use(ask('third'))).rejects.toThrow('The engine is stopping.');
  });

  it('is fatal where the cameras cannot be watched by it: a blind engine does not stay silent', async () => {
    const { watched, fatal } = engineOf({
      open: opens,
      watch: (name) => {
        if (name === 'second') throw new Error('no folder');
      },
    });
    await expect(watched.use(ask('second'))).rejects.toThrow('no folder');
    expect(fatal).toHaveBeenCalledOnce();
    expect(did).toContain('close first');
  });
});
