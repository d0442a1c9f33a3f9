import { describe, expect, it } from 'vitest';
import type { Scene, Window } from '../../src/types.js';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset } from '../../src/yard/data/schema.js';
import { SymbolicExam, type ForecastsTracks } from '../../src/yard/scoring/symbolic-exam.js';

const words = ['nothing', 'van', 'car', 'dog', 'ball', 'child', 'light'];
const prior = [0.2, 0.4, 0.1, 0.1, 0.1, 0.08, 0.02];
const bayesAt = (clip: number): number[] =>
  words.map((_, label) => (label === clip % words.length ? 0.7 : 0.05));

const dataset = {
  labels: words.map((text) => ({ text })),
  templates: [{ name: 'gate', priorNext: prior, priorWithin: prior }],
} as unknown as Dataset;

function truthOf(scene: number, clips: readonly number[]): RecordedTruth {
  const windows = clips.map((clip) => ({
    ...{ clip, next: clip % words.length, last: 0, within: [] },
    ...{ bayes: bayesAt(clip), state: bayesAt(clip), bayesWithin: bayesAt(clip) },
  }));
  const unknown = { clip: 15, next: 1, last: 0, within: [] };
  return {
    scene: { scene, template: 'gate' },
    windows: clips.includes(15) ? windows : [...windows, unknown],
  } as unknown as RecordedTruth;
}
const watched = (count: number): Scene[] =>
  Array.from({ length: count }, (_, clip) => ({ clip }) as Scene);

async function examOf(forecaster: ForecastsTracks | null, labels = words, windowsMax = 100) {
  const exam = new SymbolicExam(dataset, labels, windowsMax, forecaster);
  for (const scene of [0, 1]) await exam.add(truthOf(scene, [7, 11, 19]), watched(20));
  return exam.result();
}
const saying = (of: (clip: number) => number[]) => {
  const windows: Window[] = [];
  const chances = (window: Window): Promise<number[]> => {
    windows.push(window);
    return Promise.resolve(of(window.at(-1)!.clip));
  };
  return { windows, chances };
};

describe('SymbolicExam', () => {
  it('is 1 for who says pBayes and 0 for who says the prior, in full', async () => {
    const bayes = await examOf(saying(bayesAt));
    expect(bayes.scores?.skill).toEqual({ value: 1, interval: [1, 1] });
    expect(bayes.scores?.logScore).toEqual(bayes.scores?.logScoreBayes);
    // As published, what is not among three names would be spread by the prior.
    const entropy = -(0.7 * Math.log(0.7) + 6 * 0.05 * Math.log(0.05));
    expect(bayes.scores?.logScore?.value).toBeCloseTo(entropy, 9);
    const base = await examOf(saying(() => prior));
    expect(base.scores?.skill).toEqual({ value: 0, interval: [0, 0] });
    expect(base.scores?.templates).toMatchObject({ gate: { windows: 4 } });
  });

  it("asks for the exam's windows alone, with their last eight clips", async () => {
    const forecaster = saying(bayesAt);
    expect((await examOf(forecaster)).windows).toBe(4);
    const asked = forecaster.windows.map((window) => window.map(({ clip }) => clip));
    expect(asked.slice(0, 2)).toEqual([
      [4, 5, 6, 7, 8, 9, 10, 11],
      [12, 13, 14, 15, 16, 17, 18, 19],
    ]);
    expect((await examOf(forecaster, words, 3)).windows).toBe(3);
  });

  it("goes by a label's words, not by its place", async () => {
    const order = [0, 2, 1, 4, 3, 6, 5];
    const turned = saying((clip) => order.map((label) => bayesAt(clip)[label]!));
    const { scores } = await examOf(
      turned,
      order.map((label) => words[label]!),
    );
    expect(scores?.skill?.value).toBe(1);
  });

  it('says why there are no scores', async () => {
    expect(await examOf(null)).toEqual({
      ...{ windows: 4, scores: null, reason: 'the bundle has no trackForecaster' },
    });
    const empty = new SymbolicExam(dataset, words, 8, saying(bayesAt));
    await empty.add(truthOf(0, []), watched(40));
    expect(empty.result()).toMatchObject({ windows: 0, scores: null });
    expect(empty.result().reason).toContain('pBayes');
  });
});
