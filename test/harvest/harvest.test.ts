/** From pictures to a kept window to a recording that training reads: a real ffmpeg, the real pipeline, models that answer by rote. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { lastValueFrom, NEVER, of, Subject, Subscription } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { harvestCommand } from '../../src/commands/harvest.js';
import { heldOutScenes } from '../../src/commands/held-out-scenes.js';
import { yardPerceiveCommand } from '../../src/commands/yard-perceive.js';
import { readClips } from '../../src/commands/perceive-scene.js';
import { ConfigSchema, type Config } from '../../src/config.js';
import { encodeClip } from '../../src/harvest/encode-clip.js';
import { itemFiles } from '../../src/harvest/item-schema.js';
import { openHarvester, type HarvestTap } from '../../src/harvest/open-harvester.js';
import {
  listItems,
  type ItemList,
  readKeptScenes,
  readTokens,
} from '../../src/harvest/read-items.js';
import { readRecording } from '../../src/ingest/file.js';
import { createMetrics, type Metrics } from '../../src/metrics/registry.js';
import { encodeRle } from '../../src/models/rle.js';
import { watchCamera } from '../../src/pipeline.js';
import { polygonsOf } from '../../src/privacy-mask-schema.js';
import type { Clip, Frame, Ports, Scene } from '../../src/types.js';
import { readDataset, readTruth } from '../../src/yard/data/read-recording.js';
import { openRecordedScenes } from '../../src/yard/watch/recorded-scenes.js';
import { children, ffmpegPath, testH264 } from '../ingest/support.js';
import { yardManifest } from '../models/yard-bundle.js';
import { fakeConfig, fakeObject, fakePorts } from '../support/fakes.js';
import * as messages from '../support/messages.js';

const manifest = yardManifest();
const { visionDim, attributes, maskRows, maskColumns } = manifest.geometry;
const folder = mkdtempSync(join(tmpdir(), 'lookahead-harvest-'));
const recording = join(folder, 'camera.h264');
/** What is too old is deleted: a recording's own time will not do. */
const startMs = Date.now();
const secret = 'S3cr3t-word';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const labelOf = (text: string): number => manifest.labels.findIndex((label) => label.text === text);

/** The left half of the lower half of the picture is hidden. */
const masked = { rectangle: { x: 0, y: 0.5, width: 0.5, height: 0.5 } };
const configOf = (change: Partial<Config['harvest']> & { dir: string }, camera = {}): Config =>
  ConfigSchema.parse({
    harvest: { enabled: true, everyMinS: 60, ...change },
    cameras: {
      gate: {
        url: `rtsp://bob:${secret}@192.0.2.1/stream`,
        password: secret,
        privacyMasks: [masked],
        ...camera,
      },
    },
  });

/** Two things, one of them masked by rote; a van leaves in clip 9, which no forecast has named. */
function sceneOf({ camera, index, fromMs, toMs }: Clip): Scene {
  const cells = new Uint8Array(maskRows * maskColumns);
  for (let row = 10; row < 20; row++) cells.fill(1, row * maskColumns + 8, row * maskColumns + 24);
  const object = {
    ...fakeObject(3, 'van'),
    mask: encodeRle(cells, maskRows, maskColumns),
    attributes: { braking: 0.9, known: 0 },
    looks: manifest.geometry.lookFrames.map((_, look) => ({ x: 0.1 + look / 100, y: 0.2 })),
  };
  const leaves = { label: labelOf('van leaves'), actors: [3], target: null };
  const weak = { label: labelOf('gate opens'), actors: [], target: null, probability: 0.01 };
  return {
    ...{ camera, clip: index, fromMs, toMs, familiarity: 0.6, stagesMs: {} },
    objects: [object],
    events:
      index === 9
        ? [
            { ...leaves, onsetMs: fromMs + (toMs - fromMs) * (3 / 7), probability: 0.99 },
            { ...weak, onsetMs: fromMs },
          ]
        : [],
    place: Object.fromEntries(manifest.geometry.place.map((name) => [name, +(name === 'gate')])),
    tokens: {
      global: new Float32Array(visionDim).fill(index),
      objects: new Float32Array(visionDim).fill(index + 0.5),
      attributes: new Float32Array(attributes.length).fill(0.25),
    },
  };
}

/** Sure that a van enters, that a car does, or that a person does; hardly that a van leaves. */
const probabilities = manifest.labels.map(({ text }) =>
  text === 'van enters' ? 0.9 : /^(car|person) enters$/.test(text) ? 0.02 : 0.06 / 37,
);

interface Watched {
  readonly frames: Frame[];
  readonly metrics: Metrics;
  readonly warnings: string[];
}

/** The camera from its first to its last picture, its harvest waited for. */
async function watch(
  config: Config,
  { tools = { ffmpegPath }, isSame = false, wait = true } = {},
): Promise<Watched> {
  const metrics = createMetrics({ processMetrics: false });
  const warnings: string[] = [];
  const harvest: HarvestTap = openHarvester({
    ...{ config, tools, metrics, models: { bundle: { manifest } } },
    console: {
      log: (level, text) => {
        if (level === 'warn') warnings.push(text);
      },
    },
    onFatal: (error) => expect.fail(String(error)),
  });
  opened.push(harvest);
  const frames: Frame[] = [];
  const camera = config.cameras['gate']!;
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerSecond } = manifest.geometry;
  async function* pictures(): AsyncGenerator<Frame> {
    const options = { camera: 'gate', ffmpegPath, widthPx, heightPx, framesPerSecond };
    const privacyMasks = polygonsOf(camera.privacyMasks);
    for await (const read of readRecording(recording, { ...options, privacyMasks })) {
      const frame = { ...read, capturedAtMs: startMs + read.capturedAtMs };
      frames.push(frame);
      yield frame;
    }
  }
  const reasoning = { probabilities, rawProbabilities: probabilities, stagesMs: {} };
  const ports: Ports = fakePorts({
    frames: pictures,
    perceive: (clip) => of(sceneOf(clip)),
    score: () => of({ ...reasoning, basis: 'reasoned' }),
  });
  const tapped = harvest.tap({ name: 'gate', camera }, ports, {
    own: new Subscription(),
    reopened$: NEVER,
  });
  if (isSame) expect(tapped).toBe(ports);
  const base = fakeConfig({ manifest, clock: 'recording' });
  const limits = { ...base.limits, frameGapMaxMs: 1000, reconnectPausesMs: [] };
  await lastValueFrom(watchCamera('gate', { ...base, limits }, tapped), { defaultValue: null });
  const isSettled = async (): Promise<void> => expect(await metrics.text()).toMatch(settled);
  if (wait) await vi.waitFor(isSettled, { timeout: 50_000, interval: 20 });
  return { frames, metrics, warnings };
}

const opened: HarvestTap[] = [];
afterAll(() => opened.forEach((harvest) => harvest.close()));

const settled =
  /^lookahead_harvest(ed_total|_drops_total)\{camera="gate",(why|reason)="(surprise|failed|large)"\} 1$/m;

const silent = (): Writable => new Writable({ write: (_piece, _, done) => done() });

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}
async function lookahead(dir: string, ...args: string[]): Promise<Run> {
  const written = { out: '', err: '' };
  const to = (name: 'out' | 'err'): Writable =>
    new Writable({
      write: (piece: Buffer, _, done) => {
        written[name] += piece.toString();
        done();
      },
    });
  writeFileSync(
    join(folder, 'c.yaml'),
    `harvest: { enabled: true, dir: ${JSON.stringify(dir)} }\n`,
  );
  const context = { out: to('out'), err: to('err'), env: {}, cwd: folder };
  const status = await harvestCommand([...args, '--config', 'c.yaml'], context);
  return { status, ...written };
}

/** Green, which weighs most, of 160 x 90 pixels of the camera's picture. */
const greenAt = ({ pixels }: Frame, column: number, row: number): number =>
  pixels[((row + 3) * 160 + column) * 3 + 1]!;

beforeAll(() => writeFileSync(recording, testH264('320x180', 8, 16)));

describe('with consent', () => {
  const dir = join(folder, 'kept');
  const out = join(folder, 'exported');
  let watched: Watched;

  beforeAll(async () => {
    watched = await watch(configOf({ dir }));
  }, 120_000);

  it('a surprising window is kept whole: why, of what, and nothing secret', async () => {
    const { items, broken } = await listItems(dir, { cameras: [], sinceMs: null });
    expect(broken).toEqual([]);
    expect(items.length).toBeGreaterThanOrEqual(1);
    const { item, name } = items[0]!;
    expect(readdirSync(join(dir, name)).sort()).toEqual(Object.values(itemFiles).sort());
    expect(item).toMatchObject({ camera: 'gate', why: ['surprise', 'improbable'] });
    expect(item).toMatchObject({ clips: 12, windowClips: 8, privacyMasks: true });
    expect(item.outcome).toMatchObject({ id: item.forecast.id, observed: 'van leaves' });
    expect(item.forecast.bundle.sha256).toBe('0'.repeat(64));
    expect(Date.parse(item.until) - Date.parse(item.to)).toBe(4000);
    for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      if (!file.includes('.')) continue;
      const text = readFileSync(join(dir, file), 'latin1');
      expect(text).not.toMatch(new RegExp(`${secret}|rtsp:|192\\.0\\.2\\.1|bob`));
    }
    const metrics = await watched.metrics.text();
    expect(metrics).toMatch(/^lookahead_harvest_bytes [1-9]/m);
    expect(watched.warnings).toEqual([]);
  });

  it('its tokens, tracks, masks and events come back as they were', async () => {
    const { items } = await listItems(dir, { cameras: ['gate'], sinceMs: null });
    const { item } = items[0]!;
    const scenes = await readKeptScenes(dir, item);
    const tokens = await readTokens(dir, item, scenes);
    const first = scenes[0]!.clip;
    expect(tokens).toHaveLength(8);
    expect([...tokens[7]!.objects]).toEqual(new Array(visionDim).fill(first + 7.5));
    expect(tokens[0]!.global[0]).toBe(first);
    expect([...tokens[7]!.attributes]).toEqual(new Array(attributes.length).fill(0.25));
    const clip = { camera: 'gate', index: first, fromMs: 0, toMs: 0, frames: [] };
    expect(scenes[0]!.objects).toEqual(sceneOf(clip).objects);
    const events = scenes.flatMap((scene) => scene.events);
    expect(events.map(({ label, counts }) => [label, counts])).toEqual([
      ['van leaves', true],
      ['gate opens', false],
    ]);
  });

  it('it is listed, and exported as a recording that says it is no truth', async () => {
    const listed = await lookahead(dir, 'list', '--camera', 'gate');
    expect(listed.out).toMatch(/gate {2}surprise, improbable: van enters 90 %, then van leaves/);
    expect(listed.status).toBe(0);
    expect((await lookahead(dir, '--camera', 'other')).out).toMatch(/^0 windows/);
    const run = await lookahead(dir, 'export', out);
    expect([run.status, run.err]).toEqual([0, '']);
    expect(run.out).toContain('recognised, not true');
    const dataset = await readDataset(out);
    expect(dataset).toMatchObject({
      split: 'recognised',
      truth: 'recognised',
      secondsPerScene: 12,
    });
    expect([dataset.widthPx, dataset.heightPx]).toEqual([160, 90]);
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('not true');
  });

  it("the repository's reader reads it back: clips, events, what came next", async () => {
    const { items } = await listItems(dir, { cameras: [], sinceMs: null });
    const first = (await readKeptScenes(dir, items[0]!.item))[0]!.clip;
    const { scene, clips, events, windows, ids } = await readTruth(out, 0);
    expect(scene).toMatchObject({ template: 'gate', rain: false });
    expect(scene.recognised).toMatchObject({ camera: 'gate', verdict: 'surprise' });
    expect(clips).toHaveLength(12);
    expect(clips[0]!.objects).toEqual([
      {
        ...{ id: 3, class: 'van', box: [0.1, 0.2, 0.3, 0.4], firstBox: null, zone: null },
        attributes: { braking: 0.9 },
      },
    ]);
    // Frame 3 of clip 9; only what is certain enough.
    const onsetS = 9 - first + 4 / 8;
    expect(events).toEqual([
      { id: 0, onsetS, label: labelOf('van leaves'), actor: 3, target: null, because: [] },
    ]);
    expect(windows).toHaveLength(8);
    const last = windows[7]!;
    expect(last).toMatchObject({ next: labelOf('van leaves'), nextOnsetS: onsetS });
    expect(last.futures[labelOf('van leaves')]).toBe(8);
    expect(windows.every((window) => window.bayes === undefined)).toBe(true);
    expect(windows[0]!.next).toBe(onsetS <= 5 ? labelOf('van leaves') : 0);
    // Rows 10 to 19 and columns 8 to 23 of 48 x 80 cells, less the three rows of the letterbox.
    const covered = [...ids.subarray(0, 90 * 160)].flatMap((id, at) => (id === 1 ? [at] : []));
    expect(covered).toHaveLength(20 * 32);
    expect([covered[0], covered.at(-1)]).toEqual([17 * 160 + 16, 36 * 160 + 47]);
  });

  it('the pictures are those that the models saw, and what the masks hide stays hidden', async () => {
    const { items } = await listItems(dir, { cameras: [], sinceMs: null });
    const { framesAtMs } = (await readKeptScenes(dir, items[0]!.item))[0]!;
    const clips = await readClips(out, 0, manifest, ffmpegPath);
    expect(clips).toHaveLength(12);
    const read = clips.flatMap(({ frames }) => frames);
    const at = watched.frames.findIndex(({ capturedAtMs }) => capturedAtMs === framesAtMs[0]);
    let difference = 0;
    let brightest = 0;
    read.forEach((frame, index) => {
      const original = watched.frames[at + index]!;
      for (let pixel = 0; pixel < frame.pixels.length; pixel += 31)
        difference += Math.abs(frame.pixels[pixel]! - original.pixels[pixel]!);
      // Colour reaches two pixels over the edge of a mask, already where the models get it.
      for (let row = 48; row < 90; row++)
        for (let column = 0; column < 77; column++)
          brightest = Math.max(brightest, greenAt(frame, column, row));
    });
    const mean = difference / ((read.length * read[0]!.pixels.length) / 31);
    expect(mean).toBeLessThan(1.5);
    expect(brightest).toBeLessThan(24);
    expect(greenAt(read[0]!, 40, 20)).toBeGreaterThan(60);
  });

  it("a bundle's perception can be run on it again, for training", async () => {
    const tracks = join(folder, 'tracks');
    const args = ['--data', out, '--out', tracks, '--scenes', '1'];
    expect(await yardPerceiveCommand(args, { ffmpegPath, err: silent() })).toBe(0);
    const about = JSON.parse(readFileSync(join(tracks, 'tracks.json'), 'utf8')) as object;
    expect(about).toMatchObject({ split: 'recognised', scenes: 1, clips: 8, bayesFutures: 0 });
    const futures = readFileSync(join(tracks, 'futures.u8'));
    expect(futures.subarray(7 * 40).indexOf(8)).toBe(labelOf('van leaves'));
  }, 60_000);

  it('nobody measures by it, and no world is run again for it', async () => {
    const tools = { ffmpegPath, err: silent(), cacheDir: folder };
    const refused = { code: 'recording_unusable', message: /nobody knows what is true/ };
    await expect(heldOutScenes(out, manifest, tools)).rejects.toMatchObject({
      code: refused.code,
      message: expect.stringMatching(refused.message) as string,
    });
    await expect(openRecordedScenes(out, 1)).rejects.toThrow(refused.message);
    const all = await heldOutScenes(out, manifest, { ...tools, mayBeRecognised: true });
    expect(all.dataset.scenes).toBeGreaterThanOrEqual(1);
  });

  const python = 'training/.venv/bin/python';
  it.skipIf(!existsSync(python))("training's reader reads it, too", () => {
    const script = [
      'import json, sys',
      'from pathlib import Path',
      'from lookahead_training.data import read_split',
      'split = read_split(Path(sys.argv[1]), Path(sys.argv[2]))',
      'last = [w for w in split.windows if w.scene == 0][-1]',
      'print(json.dumps({"frames": split.frames.shape, "next": split.labels[last.next]["text"],',
      '  "future": float(last.futures[last.next]), "bayes": last.bayes, "place": split.places[0].tolist(),',
      '  "recognised": split.is_recognised,',
      '  "events": [[e.label, e.onset] for clip in split.events[:12] for e in clip], "ids": int(split.ids[0].sum())}))',
    ].join('\n');
    const said = execFileSync(python, ['-c', script, out, join(folder, 'cache')], {
      env: { ...process.env, PYTHONPATH: 'training', LOOKAHEAD_FFMPEG: ffmpegPath },
      encoding: 'utf8',
    });
    const read = JSON.parse(said) as Record<string, unknown>;
    expect(read['frames']).toEqual([expect.any(Number), 8, 96, 160, 3]);
    expect(read).toMatchObject({ next: 'van leaves', future: 1, bayes: null, recognised: true });
    expect(read['place']).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(read['events']).toEqual([[labelOf('van leaves'), 3 / 7]]);
    expect(read['ids']).toBe(20 * 32);
  });

  it('what is cleared is gone, that of other cameras stays', async () => {
    expect((await lookahead(dir, 'clear', '--camera', 'other')).out).toMatch(/^0 windows deleted/);
    expect(readdirSync(dir).length).toBeGreaterThan(0);
    expect((await lookahead(dir, 'clear')).out).toMatch(/deleted/);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('nothing at all is kept', () => {
  it('where nobody has consented', async () => {
    const dir = join(folder, 'never');
    const { metrics } = await watch(configOf({ dir, enabled: false }), {
      ...{ isSame: true, wait: false },
    });
    expect(existsSync(dir)).toBe(false);
    expect(await metrics.text()).not.toMatch(/^lookahead_harvest\w* ?\{/m);
    expect(ConfigSchema.parse({}).harvest.enabled).toBe(false);
  });

  it('of a camera that is left out', async () => {
    const dir = join(folder, 'left-out');
    await watch(configOf({ dir }, { harvest: false }), { isSame: true, wait: false });
    expect(readdirSync(dir)).toEqual([]);
  });
});

it('an ffmpeg that cannot be run costs the window and nothing else', async () => {
  const dir = join(folder, 'no-ffmpeg');
  const { metrics, warnings } = await watch(configOf({ dir }), {
    tools: { ffmpegPath: '/nonexistent/ffmpeg' },
  });
  expect(await metrics.text()).toMatch(/harvest_drops_total\{camera="gate",reason="failed"\} 1/);
  expect(warnings.join()).toContain('/nonexistent/ffmpeg');
  expect(readdirSync(dir)).toEqual([]);
});

/** A camera of black pictures that shows something surprising when it is told to. */
function surprising(harvest: HarvestTap, camera: string) {
  const { widthPx, heightPx } = manifest.preprocessing;
  const pixels = new Uint8Array(widthPx * heightPx * 3);
  const own = new Subscription();
  const reopened$ = new Subject<void>();
  const { report, publish } = harvest.tap({ name: camera }, fakePorts({ frames: () => [] }), {
    own,
    reopened$,
  });
  const see = (): void => {
    for (let index = 0; index < 12; index++) {
      const fromMs = startMs + index * 1000;
      const toMs = fromMs + 875;
      const frames = Array.from({ length: 8 }, (_, at): Frame => {
        const capturedAtMs = fromMs + at * 125;
        return { camera, sequence: index * 8 + at, capturedAtMs, pixels };
      });
      const clip = { camera, index, fromMs, toMs, frames };
      report.clip(clip);
      report.scene(sceneOf(clip));
    }
  };
  const foresee = (): void => {
    const base = messages.forecast(1, { camera });
    const to = new Date(startMs + 7875).toISOString();
    void publish({ ...base, window: { ...base.window, to } });
  };
  const surprise = (): void =>
    void publish(messages.outcome(1, { camera, verdict: 'surprise', logScore: 4 }));
  return { own, reopened$, see, foresee, surprise };
}

it('cameras that all surprise at once cost one ffmpeg and two that wait: the newest win, the others are counted', async () => {
  const dir = join(folder, 'at-once');
  const metrics = createMetrics({ processMetrics: false });
  const config = configOf({ dir });
  const harvest = openHarvester({
    ...{ config, tools: { ffmpegPath }, metrics, models: { bundle: { manifest } } },
    console: { log: () => {} },
    onFatal: (error) => expect.fail(String(error)),
  });
  opened.push(harvest);
  for (const camera of ['a', 'b', 'c', 'd', 'e', 'removed', 'reopened']) {
    const { own, reopened$, see, foresee, surprise } = surprising(harvest, camera);
    see();
    if (camera === 'removed') own.unsubscribe();
    foresee();
    if (camera === 'reopened') reopened$.next();
    surprise();
  }
  const whole = (): Promise<ItemList> => listItems(dir, { cameras: [], sinceMs: null });
  await expect.poll(async () => (await whole()).items.length, { timeout: 30_000 }).toBe(3);
  const { items } = await whole();
  expect(items.map(({ item }) => item.camera).sort()).toEqual(['a', 'd', 'e']);
  expect(items.every(({ item }) => !item.privacyMasks)).toBe(true);
  const text = await metrics.text();
  for (const camera of ['b', 'c'])
    expect(text).toContain(`lookahead_harvest_drops_total{camera="${camera}",reason="full"} 1`);
});

it('what is being encoded or waits is given up when its camera goes or is masked anew, and nothing is counted of it', async () => {
  const dir = join(folder, 'given-up');
  const metrics = createMetrics({ processMetrics: false });
  const harvest = openHarvester({
    ...{ config: configOf({ dir }), tools: { ffmpegPath }, metrics },
    models: { bundle: { manifest } },
    console: { log: () => {} },
    onFatal: (error) => expect.fail(String(error)),
  });
  opened.push(harvest);
  const at = (camera: string) => {
    const one = surprising(harvest, camera);
    for (const happens of [one.see, one.foresee, one.surprise]) happens();
    return one;
  };
  const [running, waiting] = [at('running'), at('waiting')];
  at('stays');
  waiting.reopened$.next();
  running.own.unsubscribe();
  metrics.forget('running');
  const list = (): Promise<ItemList> => listItems(dir, { cameras: [], sinceMs: null });
  await expect.poll(async () => (await list()).items.length, { timeout: 30_000 }).toBe(1);
  expect((await list()).items.map(({ item }) => item.camera)).toEqual(['stays']);
  expect(await metrics.text()).not.toMatch(/camera="(running|waiting)"/);
});

it('encoding ends with who has asked for it, and its ffmpeg with it', async () => {
  const abort = new AbortController();
  const frame = { pixels: new Uint8Array(160 * 96 * 3) };
  const picture = { x: 0, y: 3, width: 160, height: 90 };
  const encoding = encodeClip(new Array(2000).fill(frame) as (typeof frame)[], {
    ...{ ffmpegPath, widthPx: 160, heightPx: 96, picture, framesPerSecond: 8 },
    signal: abort.signal,
  });
  setTimeout(() => abort.abort(), 50);
  await expect(encoding).rejects.toThrow(/abort/i);
  expect(children('libx264rgb')).toEqual([]);
});

describe('the command says what is wrong', () => {
  const empty = join(folder, 'empty');
  it.each<[string[], string, RegExp]>([
    [['exprot'], 'usage', /no "harvest exprot"/],
    [['export'], 'usage', /folder to write is missing/],
    [['list', 'x'], 'usage', /"x" is too much/],
    [['--since', '7'], 'usage', /--since is "7", not a time such as/],
    [['--since', '7w'], 'usage', /--since is "7w"/],
    [['--camera', 'a b'], 'usage', /no name of a camera/],
    [['export', 'new'], 'harvest_unusable', /nothing to export in .*empty\.$/],
    [['export', 'new', '--since', '1h'], 'harvest_unusable', /that --camera and --since leave/],
  ])('%j', async (args, code, message) => {
    await expect(lookahead(empty, ...args)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it('a broken item is named and left out; a folder with other files is refused', async () => {
    const dir = join(folder, 'broken');
    await watch(configOf({ dir }));
    const bad = join(dir, '20261122T090000007Z_home-gate-1-2');
    mkdirSync(bad);
    writeFileSync(join(bad, 'item.json'), '{}');
    const { status, err } = await lookahead(dir, 'list');
    expect(status).toBe(1);
    expect(err).toMatch(/left out: .*20261122T090000007Z_home-gate-1-2\/item\.json is not what/);
    await expect(lookahead(dir, 'export', dir)).rejects.toThrow(/holds other files/);
  });

  it('a window of another bundle cannot be told in the schema', async () => {
    const dir = join(folder, 'foreign');
    await watch(configOf({ dir }));
    const { items } = await listItems(dir, { cameras: [], sinceMs: null });
    const scenes = join(dir, items[0]!.name, itemFiles.scenes);
    writeFileSync(
      scenes,
      readFileSync(scenes, 'utf8').replaceAll('"class":"van"', '"class":"tram"'),
    );
    const out = join(folder, 'tram');
    await expect(lookahead(dir, 'export', out)).rejects.toThrow(/has the class "tram"/);
    expect(existsSync(out)).toBe(false);
  });
});
