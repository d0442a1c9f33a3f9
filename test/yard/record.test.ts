import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { yardClasses, yardLabels } from '../../src/yard/labels.js';
import { recordYard } from '../../src/yard/record.js';
import type { RecordOptions, SceneTruth } from '../../src/yard/record.js';

const ffmpegPath =
  process.env['FFMPEG_PATH'] ?? (existsSync('.cache/bin/ffmpeg') ? '.cache/bin/ffmpeg' : 'ffmpeg');
const folder = mkdtempSync(join(tmpdir(), 'lookahead-yard-'));
const outDir = join(folder, 'test');
const options: RecordOptions = {
  split: 'test',
  scenes: 2,
  seconds: 6,
  seed: 3,
  outDir,
  ffmpegPath,
  texts: 4000,
};
const read = (...path: string[]): Buffer => readFileSync(join(outDir, ...path));
const truthOf = (scene: string): SceneTruth =>
  JSON.parse(read(scene, 'truth.json').toString()) as SceneTruth;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

beforeAll(() => recordYard(options));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a recording of the yard', () => {
  it('has the files that evaluate reads, and no others', () => {
    expect(readdirSync(outDir).sort()).toEqual([
      'dataset.json',
      'scene-00000',
      'scene-00001',
      'texts.jsonl',
    ]);
    expect(readdirSync(join(outDir, 'scene-00001')).sort()).toEqual([
      'ids.u8.gz',
      'truth.json',
      'video.h264',
    ]);
  });

  it('describes itself', () => {
    const dataset = JSON.parse(read('dataset.json').toString()) as Record<string, unknown> & {
      labels: { text: string; baseRate: number }[];
    };
    expect(dataset).toMatchObject({
      ...{ schema: 'lookahead.yard.v1', split: 'test', seed: 3, scenes: 2, secondsPerScene: 6 },
      ...{ framesPerSecond: 8, framesPerClip: 8, widthPx: 320, heightPx: 180, horizonMs: 4000 },
      classes: [...yardClasses],
    });
    expect(dataset.labels.map((label) => label.text)).toEqual(yardLabels.map(({ text }) => text));
    expect(sum(dataset.labels.map((label) => label.baseRate))).toBeCloseTo(1, 9);
  });

  it('holds 8 pictures a second that a decoder gives back', () => {
    const args = ['-v', 'error', '-f', 'h264', '-i', join(outDir, 'scene-00000', 'video.h264')];
    const pixels = execFileSync(ffmpegPath, [...args, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
      maxBuffer: 1 << 28,
    });
    expect(pixels.length).toBe(48 * 320 * 180);
  });

  it('holds the truth of every clip and window', () => {
    for (const scene of ['scene-00000', 'scene-00001']) {
      const truth = truthOf(scene);
      expect(truth.frames).toBe(48);
      expect(truth.clips.map((clip) => clip.index)).toEqual([0, 1, 2, 3, 4, 5]);
      const ids = gunzipSync(read(scene, 'ids.u8.gz'));
      expect(ids.length).toBe(6 * 90 * 160);
      truth.clips.forEach((clip, i) => {
        const used = new Set(ids.subarray(i * 90 * 160, (i + 1) * 90 * 160));
        used.delete(0);
        expect(used.size).toBe(clip.objects.length);
        expect(Math.max(...used)).toBe(clip.objects.length);
        for (const object of clip.objects) {
          expect(yardClasses).toContain(object.class);
          expect([...object.box, object.visible].every((value) => value >= 0 && value <= 1)).toBe(
            true,
          );
        }
        expect(clip.description).toMatch(/^[a-z .]+ \.$/);
      });
      expect(truth.windows.map((window) => window.clip)).toEqual([1, 2, 3, 4, 5]);
      for (const window of truth.windows) {
        expect(window.endS).toBe(window.clip + 0.875);
        expect(sum(window.futures)).toBe(8);
        expect(sum(window.bayes ?? [])).toBeCloseTo(1, 9);
        expect(window.reasons.map((reason) => reason.label)).toEqual(
          window.futures.flatMap((count, label) => (count > 0 ? [label] : [])),
        );
        for (const { text } of window.reasons) expect(text).toMatch(/^because [a-z ]+ \.$/);
        if (window.next === 0) expect(window.nextOnsetS).toBeNull();
        else {
          expect(window.nextOnsetS).toBeGreaterThan(window.endS);
          expect(window.nextOnsetS).toBeLessThanOrEqual(window.endS + 4);
        }
        // An event of the log that lies in the horizon is what came next, or tied with it.
        const first = truth.events.find(({ onsetS }) => onsetS > window.endS);
        if (first && first.onsetS <= window.endS + 4)
          expect(Math.abs((window.nextOnsetS ?? 0) - first.onsetS)).toBeLessThan(0.1);
      }
    }
  });

  it('gives the same bytes again, and takes up where it was interrupted', async () => {
    const files = ['truth.json', 'ids.u8.gz', 'video.h264'];
    const before = files.map((file) => read('scene-00001', file));
    const kept = files.map((file) => read('scene-00000', file));
    rmSync(join(outDir, 'scene-00001'), { recursive: true });
    rmSync(join(outDir, 'dataset.json'));
    await recordYard(options);
    expect(files.map((file) => read('scene-00001', file))).toEqual(before);
    expect(files.map((file) => read('scene-00000', file))).toEqual(kept);
  });

  it('is not mixed with another', async () => {
    await expect(recordYard({ ...options, seed: 4 })).rejects.toMatchObject({
      code: 'usage',
      remedy: expect.stringContaining('empty folder') as string,
    });
  });

  it('never shares a seed between splits', async () => {
    const other = join(folder, 'train');
    await recordYard({ ...options, split: 'train', scenes: 1, seconds: 2, outDir: other });
    const truth = JSON.parse(
      readFileSync(join(other, 'scene-00000', 'truth.json'), 'utf8'),
    ) as SceneTruth;
    expect(truth.seed).not.toBe(truthOf('scene-00000').seed);
    expect(truth.windows[0]).not.toHaveProperty('bayes');
  });

  it('teaches few words, each sentence ended', () => {
    const lines = read('texts.jsonl').toString().trimEnd().split('\n');
    expect(lines.length).toBe(4000);
    const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
    expect(texts.every((text) => /^[a-z ]+( \. [a-z ]+)* \.$/.test(text))).toBe(true);
    expect(new Set(texts.flatMap((text) => text.split(' '))).size).toBeLessThan(300);
    expect(new Set(texts).size).toBeGreaterThan(800);
  });
});
