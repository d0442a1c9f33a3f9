import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { yardRecordCommand } from '../../src/commands/yard-record.js';
import { zoneAt, zonePolygons } from '../../src/yard/data/ground-zones.js';
import { showProgress } from '../../src/yard/data/progress.js';
import { readDataset, readTruth } from '../../src/yard/data/read-recording.js';
import { defaultsOf, recordScenes } from '../../src/yard/data/record-scenes.js';
import type { RecordOptions } from '../../src/yard/data/record-scenes.js';
import {
  ClipSchema,
  DatasetSchema,
  EventSchema,
  RecordingSchema,
  SceneSchema,
  TextSchema,
  WindowSchema,
} from '../../src/yard/data/schema.js';
import { openScene, sceneSeed, splits } from '../../src/yard/data/splits.js';
import { Painter } from '../../src/yard/drawing/painter.js';
import { attributes, look } from '../../src/yard/truth/look.js';
import { yardClasses, yardLabels } from '../../src/yard/world/labels.js';
import { groundRange, heightPx, project } from '../../src/yard/world/camera.js';
import { makePlace, zones } from '../../src/yard/world/place.js';
import { trainTemplates } from '../../src/yard/world/templates.js';

// Thousands of simulated minutes: how long they take says nothing, least of all on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const ffmpegPath =
  process.env['FFMPEG_PATH'] ?? (existsSync('.cache/bin/ffmpeg') ? '.cache/bin/ffmpeg' : 'ffmpeg');
const folder = mkdtempSync(join(tmpdir(), 'lookahead-data-'));
const at = (name: string): string => join(folder, name);
const seconds = 12;
const options: RecordOptions = {
  split: 'test',
  scenes: 2,
  secondsPerScene: seconds,
  seed: 3,
  outDir: at('one'),
  ffmpegPath,
  workers: 1,
  texts: 40,
  tracks: false,
  bayes: { every: 4, count: 32 },
  causes: { pairs: 16 },
};
const sceneNames = ['scene-00000', 'scene-00001'];

/** Every file of a folder, with its bytes. */
function filesOf(dir: string): Map<string, Buffer> {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(
    names
      .filter((name) => statSync(join(dir, name)).isFile())
      .map((name) => [name, readFileSync(join(dir, name))]),
  );
}

function expectSameBytes(dir: string, as = options.outDir): void {
  const [files, expected] = [filesOf(dir), filesOf(as)];
  expect([...files.keys()]).toEqual([...expected.keys()]);
  for (const [name, bytes] of files) expect(bytes.equals(expected.get(name)!), name).toBe(true);
}

function linesOf<Schema extends z.ZodType>(schema: Schema, ...path: string[]): z.output<Schema>[] {
  const text = readFileSync(join(options.outDir, ...path), 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => schema.parse(JSON.parse(line)));
}
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

beforeAll(() => recordScenes(options));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a recording', () => {
  it('has the files that its page lists, and no others', () => {
    const files = ['README.md', 'dataset.json', 'recording.json', 'texts.jsonl'];
    expect(readdirSync(options.outDir).sort()).toEqual([...files, ...sceneNames].sort());
    const ofScene = ['clips.jsonl', 'events.jsonl', 'ids.u8.gz', 'scene.json', 'video.h264'];
    for (const scene of sceneNames)
      expect(readdirSync(join(options.outDir, scene)).sort()).toEqual(
        [...ofScene, 'windows.jsonl'].sort(),
      );
    const page = readFileSync('docs/yard-data.md', 'utf8');
    for (const name of [...files, ...ofScene, 'windows.jsonl']) expect(page).toContain(`/${name}`);
  });

  it('has the fields that its page names', () => {
    const page = readFileSync('docs/yard-data.md', 'utf8');
    for (const schema of [DatasetSchema, SceneSchema, ClipSchema, EventSchema, WindowSchema])
      for (const field of Object.keys(schema.shape))
        expect(page).toMatch(new RegExp(`\\b${field}\\b`));
    const { labels, classes, attributes: names } = datasetOf();
    expect([...classes]).toEqual([...yardClasses]);
    expect(labels.map(({ text }) => text)).toEqual(yardLabels.map(({ text }) => text));
    expect([...names]).toEqual([...attributes]);
  });

  it('describes itself', () => {
    const dataset = datasetOf();
    expect(dataset).toMatchObject({
      ...{ schema: 'lookahead.yard.v2', split: 'test', seed: 3, scenes: 2 },
      ...{ secondsPerScene: seconds, framesPerSecond: 8, framesPerClip: 8 },
      ...{ widthPx: 320, heightPx: 180, horizonMs: 4000 },
    });
    expect(sum(dataset.labels.map(({ baseRate }) => baseRate))).toBeCloseTo(1, 9);
    // Only the templates of the two scenes: their priors take time.
    const met = sceneNames.map((name) => linesOf(SceneSchema, name, 'scene.json')[0]!.template);
    expect(dataset.templates.map(({ name }) => name).sort()).toEqual(met.sort());
    for (const { priorNext = [] } of dataset.templates) expect(sum(priorNext)).toBeCloseTo(1, 9);
    const recording = readFileSync(join(options.outDir, 'recording.json'), 'utf8');
    expect(RecordingSchema.parse(JSON.parse(recording)).bayesCount).toBe(32);
  });

  it('has a card with counts that are true', () => {
    const card = readFileSync(join(options.outDir, 'README.md'), 'utf8');
    const windows = sceneNames.flatMap((name) => linesOf(WindowSchema, name, 'windows.jsonl'));
    const events = sceneNames.flatMap((name) => linesOf(EventSchema, name, 'events.jsonl'));
    const quiet = windows.filter(({ next }) => next === 0).length;
    expect(card).toContain('Apache-2.0');
    expect(card).toContain('--split test --scenes 2 --seconds 12 --seed 3');
    expect(card).toContain(`| clips, and windows | ${String(windows.length)} |`);
    expect(card).toContain(`| events | ${String(events.length)} |`);
    expect(card).toContain(`within 4 s | ${((100 * quiet) / windows.length).toFixed(1)} % |`);
    const causes = sum(events.map((event) => event.causes?.length ?? 0));
    expect(causes).toBeGreaterThan(0);
    expect(card).toContain(`| causes by intervention | ${String(causes)} |`);
    for (const split of splits) expect(card).toContain(`| ${split}`);
  });

  it('holds 8 pictures a second that a decoder gives back', () => {
    const args = [
      '-v',
      'error',
      '-f',
      'h264',
      '-i',
      join(options.outDir, 'scene-00001/video.h264'),
    ];
    const pixels = execFileSync(ffmpegPath, [...args, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
      maxBuffer: 1 << 28,
    });
    expect(pixels.length).toBe(seconds * 8 * 320 * 180);
  });

  it.each(sceneNames)('holds what can be seen in each clip of %s', (scene) => {
    const clips = linesOf(ClipSchema, scene, 'clips.jsonl');
    expect(clips.map(({ clip, endS }) => [clip, endS])).toEqual(
      Array.from({ length: seconds }, (_, clip) => [clip, clip + 1]),
    );
    const ids = gunzipSync(readFileSync(join(options.outDir, scene, 'ids.u8.gz')));
    expect(ids.length).toBe(seconds * 90 * 160);
    const world = openScene('test', 3, sceneNames.indexOf(scene));
    const painter = new Painter(world.place);
    clips.forEach(({ objects, caption, description, stateBits }, i) => {
      const used = new Set(ids.subarray(i * 90 * 160, (i + 1) * 90 * 160));
      used.delete(0);
      expect([...used].sort((a, b) => a - b)).toEqual(objects.map((_, index) => index + 1));
      for (const text of [caption, description]) expect(text).toMatch(/^[a-z ,.]+ \.$/);
      expect(Object.keys(stateBits)).toEqual(Object.keys(clips[0]!.stateBits));
      // The key frame is the world 16 ticks after the one before; what is drawn of a thing is what is true of it.
      for (let tick = 0; tick < 16; tick++) world.step();
      const shown = ids.subarray(i * 90 * 160, (i + 1) * 90 * 160);
      expect(shown.equals(painter.drawIds(world).ids)).toBe(true);
      const truth = new Map(look(world).map((seen) => [seen.id, seen]));
      for (const object of objects) {
        const seen = truth.get(object.id);
        if (!seen) continue;
        expect(object.class).toBe(seen.class);
        for (const name of attributes)
          expect(object.attributes[name] ?? 0).toBeCloseTo(seen.attributes[name] ?? 0, 2);
      }
    });
  });

  it.each(sceneNames)('says what comes after each window of %s', (scene) => {
    const events = linesOf(EventSchema, scene, 'events.jsonl');
    const windows = linesOf(WindowSchema, scene, 'windows.jsonl');
    expect(windows.map(({ endS }) => endS)).toEqual(
      Array.from({ length: seconds }, (_, i) => i + 1),
    );
    for (const window of windows) {
      expect(sum(window.futures)).toBe(8);
      expect(window.futuresWithin.every((count) => count <= 8)).toBe(true);
      expect(window.reasons.map(({ label }) => label)).toEqual(
        window.futures.flatMap((count, label) => (count > 0 ? [label] : [])),
      );
      for (const { text } of window.reasons) expect(text).toMatch(/^because [a-z ,]+ \.$/);
      expect(new Set(window.tasks.map(({ task }) => task))).toEqual(
        new Set(['predict', 'question', 'probe', ...taskOf(window, events)]),
      );
      const isJudged = window.clip % 4 === 3;
      expect(window.bayes !== undefined).toBe(isJudged);
      if (isJudged) expect(sum(window.bayes!)).toBeCloseTo(1, 4);
      const past = events.filter(({ onsetS }) => onsetS <= window.endS);
      expect(window.last).toBe(past.at(-1)?.label ?? 0);
      const later = events.filter(
        ({ onsetS }) => onsetS > window.endS && onsetS <= window.endS + 4,
      );
      for (const { label } of later) expect(window.within).toContain(label);
      expect(window.next === 0).toBe(window.within.length === 0);
      expect(window.nextOnsetS === null).toBe(window.next === 0);
      // Ties within 100 ms are drawn by seed; what lies after the recording is in no file.
      const [first] = later;
      if (first) expect(Math.abs(window.nextOnsetS! - first.onsetS)).toBeLessThanOrEqual(0.1);
    }
  });

  it.each(sceneNames)('links the events of %s to their causes', (scene) => {
    const events = linesOf(EventSchema, scene, 'events.jsonl');
    const onsets = new Map(events.map(({ id, onsetS }) => [id, onsetS]));
    for (const event of events) {
      expect(event.onsetS > 0 && event.onsetS <= seconds).toBe(true);
      expect(event.because.every((id) => id < event.id)).toBe(true);
      for (const cause of event.causes!) {
        expect(onsets.get(cause.event)!).toBeLessThan(event.onsetS);
        expect(Math.abs(cause.difference)).toBeGreaterThan(0.2);
      }
    }
  });

  it('has texts, each sentence ended', () => {
    const texts = linesOf(TextSchema, 'texts.jsonl');
    expect(texts.length).toBe(40);
    for (const { text } of texts) expect(text).toMatch(/^[a-z0-9 ,.?]+ [.?]$/);
  });

  it('never shares a seed between splits', () => {
    const seeds = splits.flatMap((split) => [0, 1, 2 ** 24 - 1].map((i) => sceneSeed(split, 1, i)));
    expect(new Set(seeds).size).toBe(seeds.length);
    const { seed } = linesOf(SceneSchema, 'scene-00000', 'scene.json')[0]!;
    expect(seed).toBe(sceneSeed('test', 3, 0));
    expect(() => sceneSeed('train', 2 ** 24, 0)).toThrow('--seed is 16777216');
  });

  it('works out chances and causes where they are reported on', () => {
    expect(defaultsOf('train')).toEqual({ bayes: 'none', causes: 'none', texts: 20_000 });
    expect(defaultsOf('test')).toMatchObject({ bayes: { every: 4, count: 1024 }, texts: 0 });
    expect(defaultsOf('template').bayes).not.toBe('none');
  });
});

/** «Explain» is asked where something was seen to begin in the last second. */
function taskOf(
  { tasks, endS }: z.output<typeof WindowSchema>,
  events: readonly z.output<typeof EventSchema>[],
): string[] {
  const isAsked = tasks.some(({ task }) => task === 'explain');
  const hasBegun = events.some(({ onsetS }) => onsetS > endS - 1 && onsetS <= endS);
  if (isAsked) expect(hasBegun).toBe(true);
  return isAsked ? ['explain'] : [];
}

function datasetOf(): z.output<typeof DatasetSchema> {
  return DatasetSchema.parse(
    JSON.parse(readFileSync(join(options.outDir, 'dataset.json'), 'utf8')),
  );
}

describe('reading it back', () => {
  it('gives all that was written', async () => {
    const truth = await readTruth(options.outDir, 1);
    expect(truth).toMatchObject({
      scene: linesOf(SceneSchema, 'scene-00001', 'scene.json')[0],
      clips: linesOf(ClipSchema, 'scene-00001', 'clips.jsonl'),
      events: linesOf(EventSchema, 'scene-00001', 'events.jsonl'),
      windows: linesOf(WindowSchema, 'scene-00001', 'windows.jsonl'),
    });
    expect(truth.ids.length).toBe(seconds * 90 * 160);
    expect(await readDataset(options.outDir)).toEqual(datasetOf());
  });

  it('is refused where the folder is a file', async () => {
    const outDir = at('file');
    writeFileSync(outDir, '');
    await expect(recordScenes({ ...options, outDir })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(
        `--out is ${outDir}, which cannot be used: EEXIST`,
      ) as string,
    });
  });

  it('names the file and the line that is wrong', async () => {
    const dir = at('broken');
    cpSync(options.outDir, dir, { recursive: true });
    const path = join(dir, 'scene-00000', 'clips.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [lines[0], '{"clip":-1}', ...lines.slice(2)].join('\n'));
    await expect(readTruth(dir, 0)).rejects.toMatchObject({
      code: 'recording_unusable',
      message: expect.stringMatching(/clips\.jsonl, line 2 is not .*\n[^]*clip/) as string,
    });
    rmSync(join(dir, 'scene-00000', 'ids.u8.gz'));
    rmSync(join(dir, 'dataset.json'));
    await expect(readDataset(dir)).rejects.toThrow(/dataset\.json cannot be read: ENOENT/);
  });
});

describe('recording', () => {
  it('gives the same bytes with two workers, and after one of them was killed', async () => {
    let killed = 0;
    const redone: string[] = [];
    await recordScenes({
      ...options,
      outDir: at('two'),
      workers: 2,
      onStart: (job, pid) => {
        if (job.kind !== 'scene') return;
        redone.push(String(job.scene));
        if (killed === 0) process.kill((killed = pid), 'SIGKILL');
      },
    });
    expect(redone.sort()).toEqual(['0', '0', '1']);
    expectSameBytes(at('two'));
  });

  it('goes on where it was interrupted', async () => {
    const outDir = at('interrupted');
    const stop = new AbortController();
    const started = { ...options, outDir, signal: stop.signal };
    const stopped = recordScenes({
      ...started,
      onProgress: (done) => {
        if (done === 1) stop.abort(new Error('interrupted'));
      },
    });
    await expect(stopped).rejects.toThrow('interrupted');
    expect(existsSync(join(outDir, 'scene-00000'))).toBe(true);
    expect(existsSync(join(outDir, 'dataset.json'))).toBe(false);
    // What a process leaves that was ended while it wrote.
    mkdirSync(join(outDir, 'scene-00001.partial-7'));
    writeFileSync(join(outDir, 'scene-00001.partial-7', 'video.h264'), 'half');
    const kept = statSync(join(outDir, 'scene-00000')).ino;

    const seen: number[] = [];
    await recordScenes({ ...options, outDir, onProgress: (done) => seen.push(done) });
    expect(seen).toEqual([1, 2]);
    expect(statSync(join(outDir, 'scene-00000')).ino).toBe(kept);
    expectSameBytes(outDir);
  });

  it('leaves a whole recording as it is', async () => {
    const before = statSync(join(options.outDir, 'dataset.json')).mtimeMs;
    const jobs: string[] = [];
    await recordScenes({ ...options, onStart: ({ kind }) => jobs.push(kind) });
    expect(jobs).toEqual([]);
    expect(statSync(join(options.outDir, 'dataset.json')).mtimeMs).toBe(before);
  });

  it.each([
    [{ seed: 4 }, '--seed is 4', 'recorded with 3', '--seed 3'],
    [{ scenes: 3 }, '--scenes is 3', 'recorded with 2', '--scenes 2'],
    [{ secondsPerScene: 5 }, '--seconds is 5', 'recorded with 12', '--seconds 12'],
    [{ split: 'train' }, '--split is "train"', 'recorded with "test"', '--split test'],
    [{ bayes: 'none' }, '--bayes-count is 0', 'recorded with 32', '--bayes-count 32'],
    [{ tracks: true }, '--tracks is true', 'recorded with false', 'no --tracks'],
  ] as const)('is not mixed with another: %o', async (change, now, before, remedy) => {
    const other = recordScenes({ ...options, ...change });
    await expect(other).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(now) as string,
      remedy: expect.stringContaining(remedy) as string,
    });
    await expect(other).rejects.toThrow(before);
  });

  it('is not mixed with pictures of another ffmpeg, nor with what it does not know', async () => {
    const outDir = at('older');
    mkdirSync(outDir);
    const recording = readFileSync(join(options.outDir, 'recording.json'), 'utf8');
    const { ffmpeg } = RecordingSchema.parse(JSON.parse(recording));
    writeFileSync(join(outDir, 'recording.json'), recording.replace(ffmpeg!, '0.5'));
    await expect(recordScenes({ ...options, outDir })).rejects.toThrow('ffmpeg is');
    writeFileSync(join(outDir, 'recording.json'), '{');
    await expect(recordScenes({ ...options, outDir })).rejects.toThrow('recording.json is not');
    rmSync(join(outDir, 'recording.json'));
    writeFileSync(join(outDir, 'letters.txt'), 'dear reader');
    await expect(recordScenes({ ...options, outDir })).rejects.toMatchObject({
      message: expect.stringContaining('other files') as string,
      remedy: expect.stringContaining('empty folder') as string,
    });
  });

  it('says that ffmpeg is missing before anything is written', async () => {
    const none = recordScenes({ ...options, outDir: at('none'), ffmpegPath: at('no-ffmpeg') });
    await expect(none).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    expect(existsSync(at('none'))).toBe(false);
  });

  it('passes on what a worker says is wrong', async () => {
    const outDir = at('broken');
    cpSync(options.outDir, outDir, { recursive: true });
    rmSync(join(outDir, 'dataset.json'));
    rmSync(join(outDir, 'scene-00001'), { recursive: true });
    // Tells its version and does nothing else.
    const script = at('broken-ffmpeg');
    const version = execFileSync(ffmpegPath, ['-version'], { encoding: 'utf8' }).split('\n')[0]!;
    writeFileSync(script, `#!/bin/sh\n[ "$1" = -version ] && echo '${version}' && exit\nexit 3\n`, {
      mode: 0o755,
    });
    await expect(recordScenes({ ...options, outDir, ffmpegPath: script })).rejects.toMatchObject({
      code: 'ffmpeg_failed',
      message: expect.stringContaining('3') as string,
    });
  });
});

describe('tracks', () => {
  const tracks = { ...options, tracks: true, scenes: 3 };
  const array = (dir: string, name: string): Buffer => readFileSync(join(at(dir), name));

  it('hold the same with one worker, with two, and taken up again', async () => {
    await recordScenes({ ...tracks, outDir: at('tracks') });
    await recordScenes({ ...tracks, outDir: at('tracks-two'), workers: 2 });
    expectSameBytes(at('tracks-two'), at('tracks'));
    const stop = new AbortController();
    const outDir = at('tracks-interrupted');
    const stopped = recordScenes({
      ...{ ...tracks, outDir, signal: stop.signal },
      onProgress: (done) => {
        if (done === 2) stop.abort(new Error('interrupted'));
      },
    });
    await expect(stopped).rejects.toThrow('interrupted');
    await recordScenes({ ...tracks, outDir });
    expectSameBytes(outDir, at('tracks'));
  });

  it('are arrays of the lengths that their page tells', () => {
    const about = JSON.parse(array('tracks', 'tracks.json').toString()) as {
      clips: number;
      objects: number;
      files: Record<string, string>;
      attributes: string[];
      labels: unknown[];
    };
    const { clips, objects, files, labels } = about;
    expect(clips).toBe(3 * seconds);
    const page = readFileSync('docs/yard-data.md', 'utf8');
    for (const name of Object.values(files)) expect(page).toMatch(new RegExp(`^${name} +\\[`, 'm'));
    expect(readdirSync(at('tracks')).sort()).toEqual(
      [...Object.values(files), 'recording.json', 'tracks.json'].sort(),
    );
    const bytes = (name: string): number => array('tracks', files[name]!).length;
    expect(bytes('scene')).toBe(clips * 4);
    expect(bytes('futures')).toBe(clips * labels.length);
    expect(bytes('bayes')).toBe(clips * labels.length * 4);
    expect(bytes('box')).toBe(objects * 4 * 4 * 2);
    expect(bytes('attributes')).toBe(objects * 4 * about.attributes.length);
    const ends = array('tracks', files['objectsEnd']!);
    const list = Array.from({ length: clips }, (_, i) => ends.readInt32LE(i * 4));
    expect(list).toEqual([...list].sort((a, b) => a - b));
    expect(list.at(-1)).toBe(objects);
  });

  it('look last at a clip when its last picture is taken', () => {
    const world = openScene('test', 3, 0);
    const [ends, ids, seen] = ['objects-end.i32', 'id.i32', 'seen.u8'].map((name) =>
      array('tracks', name),
    ) as [Buffer, Buffer, Buffer];
    let from = 0;
    for (let clip = 0; clip < seconds; clip++) {
      for (let tick = 0; tick < 16; tick++) world.step();
      const to = ends.readInt32LE(clip * 4);
      const tracked = Array.from({ length: to - from }, (_, i) => from + i);
      const seenLast = tracked.filter((i) => (seen[i]! & 8) !== 0);
      expect(new Set(seenLast.map((i) => ids.readInt32LE(i * 4)))).toEqual(
        new Set(look(world).map(({ id }) => id)),
      );
      from = to;
    }
  });
});

describe('zones of the ground', () => {
  const place = makePlace(5, { template: trainTemplates[2] });

  it('say where a thing stands', () => {
    expect(zoneAt(place, 0, 7)).toBe('lawn');
    expect(zoneAt(place, 0, 10)).toBe('road');
    expect(zoneAt(place, 0, 8.5)).toBeNull();
    expect(zoneAt(place, place.gateX, 13)).toBe('drive');
    expect(zoneAt(place, place.gateX, 15)).toBe('gate');
    expect(zoneAt(place, place.doorX, 14.5)).toBe('door');
    expect(zoneAt(place, place.dockX, 13)).toBe('dock');
    const without = makePlace(5, { template: trainTemplates[6] });
    expect(zoneAt(without, without.gateX, 15)).toBeNull();
  });

  it('are polygons in the picture, cut at its edges', () => {
    const polygons = zonePolygons(place);
    expect(Object.keys(polygons).sort()).toEqual(['dock', 'door', 'drive', 'gate', 'lawn', 'road']);
    for (const corners of Object.values(polygons)) {
      expect(corners.length).toBeGreaterThanOrEqual(3);
      for (const corner of corners.flat()) expect(corner >= 0 && corner <= 1).toBe(true);
    }
    const [left, right] = [0, 1].map((edge) => polygons.road!.filter(([x]) => x === edge).length);
    expect([left, right]).toEqual([2, 2]);

    const { camera } = place;
    const [edgeX] = groundRange(camera, zones.front);
    const cut = zonePolygons({ ...place, gateX: edgeX }).gate!;
    const [near = NaN] = cut
      .filter(([x]) => x === 0)
      .map(([, y]) => y)
      .sort((a, b) => b - a);
    const nearZ = zones.front - 1.2;
    const expected = project(camera, groundRange(camera, nearZ)[0], 0, nearZ).v / heightPx;
    expect(Math.abs(camera.pan)).toBeGreaterThan(0.02);
    expect(near).toBeCloseTo(expected, 3);
  });
});

describe('progress', () => {
  class Screen extends Writable {
    readonly isTTY: boolean;
    text = '';
    constructor(isTTY: boolean) {
      super();
      this.isTTY = isTTY;
    }
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text += chunk.toString();
      done();
    }
  }
  const run = (isTTY: boolean): string => {
    let nowMs = 0;
    const out = new Screen(isTTY);
    const progress = showProgress({ out, total: 1000, unit: 'scenes', nowMs: () => nowMs });
    for (const [ms, done] of [
      [0, 500],
      [4000, 502],
      [10_000, 505],
      [12_000, 506],
      [1_000_000, 1000],
    ] as const) {
      nowMs = ms;
      progress.note(done);
    }
    progress.end();
    return out.text;
  };

  it('is one line on a terminal, rewritten', () => {
    const text = run(true);
    expect(text.split('\n').length).toBe(2);
    expect(text).toContain('\r505 of 1000 scenes, 0.50 a second, 17 min left\u001b[K');
  });

  it('is a line every 10 s elsewhere, and one at the end', () => {
    expect(run(false).split('\n')).toEqual([
      '500 of 1000 scenes',
      '505 of 1000 scenes, 0.50 a second, 17 min left',
      '1000 of 1000 scenes, 0.50 a second',
      '',
    ]);
  });
});

describe('yard record', () => {
  const err = new Writable({ write: (_chunk, _encoding, done) => done() });
  const command = (...args: string[]): Promise<number> =>
    yardRecordCommand(args, { ffmpegPath, err });

  it('says what is wrong with a command line', async () => {
    const args = ['--split', 'train', '--out', at('never')];
    await expect(command()).rejects.toMatchObject({
      message: '--split is missing.',
      remedy: expect.stringContaining(
        'train|validation|test|template|appearance|text-only',
      ) as string,
    });
    await expect(command('--split', 'exam')).rejects.toThrow('--split is "exam"');
    await expect(command('--split', 'train')).rejects.toThrow('--out is missing');
    await expect(command(...args, '--scenes', 'many')).rejects.toThrow('"many"');
    await expect(command(...args, '--workers', '0')).rejects.toThrow('--workers is "0"');
    await expect(command(...args, '--scene', '2')).rejects.toThrow('--scene');
    await expect(command(...args, 'twice')).rejects.toThrow('"twice"');
    expect(existsSync(at('never'))).toBe(false);
  });

  it('records tracks with the options that are given', async () => {
    const args = ['--split', 'template', '--scenes', '1', '--seconds', '2', '--seed', '9'];
    const counts = ['--bayes-count', '16', '--bayes-every', '2', '--workers', '1'];
    expect(await command(...args, ...counts, '--tracks', '--out', at('command'))).toBe(0);
    const about = readFileSync(at('command/recording.json'), 'utf8');
    expect(RecordingSchema.parse(JSON.parse(about))).toMatchObject({
      ...{ tracks: true, split: 'template', seed: 9, scenes: 1, secondsPerScene: 2 },
      ...{ bayesCount: 16, bayesEvery: 2, causesPairs: 0, texts: 0, ffmpeg: null },
    });
    const bayes = readFileSync(at('command/bayes.f32'));
    expect([bayes.readFloatLE(0), bayes.readFloatLE(40 * 4)].map(Number.isNaN)).toEqual([
      true,
      false,
    ]);
  });
});
