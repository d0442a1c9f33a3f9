import { describe, expect, it } from 'vitest';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset } from '../../src/yard/data/schema.js';
import { absentNames, classesInView } from '../../src/yard/scoring/absent-names.js';
import { matchLinks, statedLinks, trueLinks } from '../../src/yard/scoring/causal-links.js';
import { ExplanationSums } from '../../src/yard/scoring/explanation-sums.js';
import { forecastReport, withoutLanguage } from '../../src/yard/scoring/forecast-report.js';
import type { ForecastedWindow } from '../../src/yard/scoring/forecast-results.js';
import { ForecastSums, own } from '../../src/yard/scoring/forecast-sums.js';
import { textLines } from '../../src/yard/scoring/forecast-texts.js';
import { judge, verdictBy } from '../../src/yard/scoring/goals.js';
import { medianOf } from '../../src/yard/scoring/median.js';
import {
  forecastRow,
  markdownForecasts,
  printForecasts,
  rowMeasures,
} from '../../src/yard/scoring/print-forecasts.js';
import type { TruthWindow } from '../../src/yard/scoring/truth-window.js';
import { WithinSums } from '../../src/yard/scoring/within-sums.js';
import { labelOf } from '../../src/yard/world/labels.js';
import { calibrationClips, planOf } from '../../src/commands/evaluate-forecasts.js';

const labels = ['nothing', 'van', 'car', 'dog', 'ball', 'child'].map((text) => ({ text }));
const prior = [0.3, 0.3, 0.1, 0.1, 0.1, 0.1];
const bayes = [0.1, 0.6, 0.2, 0.1, 0, 0];

function windowOf(scene: number, clip = 11, chances = bayes): TruthWindow {
  return {
    ...{ scene, clip, template: 'gate', next: 1, bayes: chances, state: chances, prior, last: 2 },
    ...{ within: [], bayesWithin: [], priorWithin: [] },
  };
}

describe('ForecastSums', () => {
  it('gives skill 1 to who publishes pBayes, 0 to who publishes the base rates', () => {
    const sums = new ForecastSums(labels);
    for (const scene of [0, 1, 2]) sums.add(windowOf(scene), { [own]: bayes, other: prior });
    // Three names, nothing and an empty rest say all of it.
    expect(sums.skill(own)?.value).toBeCloseTo(1, 2);
    expect(sums.skill('other')?.value).toBeCloseTo(0, 1);
    expect(sums.skill('prior')).toEqual({ value: 0, interval: [0, 0] });
    expect(sums.skill('bayes')).toEqual({ value: 1, interval: [1, 1] });
  });

  it('loses the rest that a message cannot tell', () => {
    const wide = [0.1, 0.3, 0.2, 0.2, 0.2, 0];
    const sums = new ForecastSums(labels);
    sums.add(windowOf(0, 11, wide), { [own]: wide });
    // «ball» is not named; by the base rates it gets half of the rest that it deserves all of.
    const said = -(0.1 * Math.log(0.1) + 0.3 * Math.log(0.3) + 0.4 * Math.log(0.2));
    expect(sums.logScore(own)?.value).toBeCloseTo(said - 0.2 * Math.log(0.1), 9);
  });

  it('knows no skill of who was silent in a window', () => {
    const sums = new ForecastSums(labels);
    sums.add(windowOf(0), { [own]: bayes, other: bayes });
    sums.add(windowOf(1), { [own]: bayes });
    expect(sums.skill('other')).toBeNull();
    expect(sums.skillGain(own, 'other')).toBeNull();
    expect(sums.skill(own)).not.toBeNull();
  });

  it('pairs windows where it compares: equal forecasters differ by nothing, whatever the scenes', () => {
    const sums = new ForecastSums(labels);
    const doubtful = [0.2, 0.2, 0.2, 0.2, 0.1, 0.1];
    for (const scene of [0, 1, 2, 3])
      sums.add(windowOf(scene, 11, scene % 2 ? bayes : doubtful), { [own]: prior, other: prior });
    expect(sums.skillGain(own, 'other')).toEqual({ value: 0, interval: [0, 0] });
    expect(sums.skillGain('bayes', own)?.value).toBeCloseTo(1 - (sums.skill(own)?.value ?? 0), 9);
  });

  it('pairs first answers too: what is the same in every window differs by nothing', () => {
    const sums = new ForecastSums(labels);
    // The first answer of `bayes` comes in 6 of 10 futures, that of `late` in 2.
    const late = [0.1, 0.2, 0.6, 0.1, 0, 0];
    for (const scene of [0, 1, 2]) sums.add(windowOf(scene), { a: bayes, b: bayes, late });
    expect(sums.topShare(1, 'late')?.value).toBeCloseTo(1 / 3, 9);
    expect(sums.topShareGain(1, 'a', 'b')).toEqual({ value: 0, interval: [0, 0] });
    expect(sums.topShareGain(1, 'a', 'late')?.value).toBeCloseTo(2 / 3, 9);
    sums.add(windowOf(3), { a: bayes, b: bayes });
    expect(sums.topShareGain(1, 'a', 'late'), 'who was silent once').toBeNull();
  });

  it('counts first answers by their chance to come true, nothing among them', () => {
    const sums = new ForecastSums(labels);
    const likelyNothing = [0.7, 0.1, 0.1, 0.1, 0, 0];
    sums.add(windowOf(0, 11, likelyNothing), { [own]: [0.3, 0.4, 0.2, 0.1, 0, 0] });
    // Ours is «van», 0.1 likely; Bayes' own is nothing, 0.7.
    expect(sums.topShare(1)?.value).toBeCloseTo(0.1 / 0.7, 9);
    // van, nothing, car against nothing and two of three equals.
    expect(sums.topShare(3)?.value).toBeCloseTo(1, 9);
  });

  it('calibrates the three likeliest and nothing, by what came and by pBayes', () => {
    const sums = new ForecastSums(labels);
    for (let scene = 0; scene < 30; scene++) sums.add(windowOf(scene), { [own]: bayes });
    const calibration = sums.calibration();
    expect(calibration?.pairs).toBe(120);
    expect(calibration?.eceBayes?.value).toBeCloseTo(0, 9);
    // «van» came each time and was called 60 % likely; the three others never came. One of the bins holds some of both.
    const exact = (0.4 + 0.1 + 0.2 + 0.1) / 4;
    expect(calibration?.ece?.value).toBeLessThanOrEqual(exact);
    expect(calibration?.ece?.value).toBeGreaterThan(exact - 0.01);
    expect(new ForecastSums(labels).calibration()).toBeNull();
  });
});

describe('verdicts', () => {
  const goal = { floor: 0, goal: 0.15, better: 'higher', floorBy: 'interval' } as const;
  it('asks the whole interval to lie beyond a floor that is for intervals', () => {
    expect(verdictBy(goal, { value: 0.2, interval: [-0.01, 0.4] })).toBe('below the floor');
    expect(verdictBy(goal, { value: 0.1, interval: [0.01, 0.2] })).toBe('short of the goal');
    expect(verdictBy(goal, { value: 0.2, interval: [0.01, 0.4] })).toBe('reached');
    expect(judge(goal, null, 'why')).toMatchObject({ verdict: 'not measured', reason: 'why' });
  });
});

describe('medianOf', () => {
  it('weighs by how often a scene was drawn', () => {
    const median = medianOf([
      { scene: 0, value: 9 },
      { scene: 1, value: 1 },
      { scene: 2, value: 5 },
    ]);
    expect(median(() => 1)).toBe(5);
    expect(median((scene) => (scene === 0 ? 3 : 1))).toBe(9);
    expect(median((scene) => Number(scene === 1))).toBe(1);
    expect(medianOf([])(() => 1)).toBeNaN();
  });
});

const stops = { label: 'van stops at gate', onsetMs: 2000 };
const opens = { label: 'gate opens', onsetMs: 5000 };
const leaves = { label: 'car leaves', onsetMs: 6000 };

describe('causal links', () => {
  const dataset = {
    labels: [{ text: 'nothing' }, { text: 'van stops at gate' }, { text: 'gate opens' }],
    framesPerSecond: 8,
  } as unknown as Dataset;
  const eventOf = (id: number, label: number, onsetS: number, causes: object[] | undefined) => ({
    ...{ id, label, onsetS, causes },
  });
  const truthOf = (difference: number, causes?: null) =>
    ({
      events: [
        eventOf(1, 1, 2.125, causes === null ? undefined : []),
        eventOf(2, 2, 5.125, causes === null ? undefined : [{ event: 1, difference }]),
      ],
    }) as unknown as RecordedTruth;

  it('are true by intervention, above 0.2, with both events in the window', () => {
    const link = { cause: stops, effect: opens };
    expect(trueLinks(truthOf(0.3), dataset, 0, 5000)).toEqual([link]);
    expect(trueLinks(truthOf(0.2), dataset, 0, 5000)).toEqual([]);
    expect(trueLinks(truthOf(-0.9), dataset, 0, 5000)).toEqual([]);
    expect(trueLinks(truthOf(0.3), dataset, 2000, 9000)).toEqual([]);
    expect(trueLinks(truthOf(0.3), dataset, 0, 4999)).toEqual([]);
    expect(trueLinks(truthOf(0.3, null), dataset, 0, 5000)).toBeNull();
  });

  it('are matched by both labels and onsets within a second, each once', () => {
    const truth = [{ cause: stops, effect: opens }];
    const near = { cause: { ...stops, onsetMs: 2900 }, effect: { ...opens, onsetMs: 4000 } };
    expect(matchLinks(truth, [near])).toEqual({ truths: 1, stated: 1, hits: 1 });
    expect(matchLinks(truth, [near, { cause: stops, effect: opens }]).hits).toBe(1);
    const far = { cause: { ...stops, onsetMs: 3001 }, effect: opens };
    expect(matchLinks(truth, [far]).hits).toBe(0);
    expect(matchLinks(truth, [{ cause: leaves, effect: opens }]).hits).toBe(0);
    expect(matchLinks(truth, [{ cause: opens, effect: stops }]).hits).toBe(0);
  });

  it('count once, however often they are stated', () => {
    const step = { effect: opens, causes: [stops, leaves] };
    expect(statedLinks([step, step])).toHaveLength(2);
    expect(statedLinks([{ effect: opens, causes: [] }])).toEqual([]);
  });
});

describe('absentNames', () => {
  const present = new Set(['van', 'gate', 'person', 'stack']);
  it.each([
    ['because a dog waits at the gate .', ['dog']],
    ['the car leaves, because the light turns red', ['car', 'light']],
    ['because two bicycles pass the van .', ['bicycle']],
    ['because a driver in brown is at the gate .', []],
    ['because a brown parcel van slows down .', []],
    ['because pallets lean on the stack .', []],
    ['because no dog is in view and a van waits .', []],
    ['because a car may come at any time .', []],
    ['because cars often come along this road .', []],
    ['because a van waits and a child plays .', ['child']],
    ['because a child may run and a ball lies there .', ['ball']],
  ])('%s', (text, absent) => {
    expect(absentNames(text, present)).toEqual(absent);
  });

  it("takes what was seen in the window's clips, and who took part in its events", () => {
    const truth = {
      clips: [0, 1, 2, 3].map((clip) => ({ clip, objects: [{ class: `thing ${String(clip)}` }] })),
      events: [
        { onsetS: 1, label: labelOf('ball rolls onto road') },
        { onsetS: 3.5, label: labelOf('van stops at gate') },
        { onsetS: 4.5, label: labelOf('forklift comes out') },
      ],
    } as unknown as RecordedTruth;
    expect([...classesInView(truth, 3, 2)].sort()).toEqual(['gate', 'thing 2', 'thing 3', 'van']);
  });
});

/** A window of clips 0 to 7: the gate opened because the van stopped before it. */
const dataset = {
  labels: [{ text: 'nothing' }, { text: stops.label }, { text: opens.label }],
  ...{ framesPerSecond: 8, framesPerClip: 8 },
} as unknown as Dataset;
const truth = {
  scene: { scene: 4, template: 'gate' },
  clips: Array.from({ length: 8 }, (_, clip) => ({
    ...{ clip, objects: [{ class: 'van' }, { class: 'gate' }] },
    description: 'a van has stopped at the gate .',
  })),
  events: [
    { id: 1, label: 1, onsetS: 2.125, causes: [] },
    { id: 2, label: 2, onsetS: 5.125, causes: [{ event: 1, difference: 0.9, stderr: 0 }] },
  ],
  windows: [
    {
      clip: 7,
      reasons: [{ label: 2, text: 'because the dog is let in .' }],
      tasks: [
        { task: 'question', prompt: '', answer: 'no' },
        { task: 'explain', prompt: '', answer: 'at first a van stops . so the gate opens .' },
      ],
    },
  ],
} as unknown as RecordedTruth;
const explained: NonNullable<ForecastedWindow['explained']> = {
  cpuMs: 30,
  justifications: [
    { label: opens.label, text: 'because a van waits .', verified: true },
    { label: stops.label, text: 'because a dog waits .', verified: true },
    { label: stops.label, text: 'because a child waits .', verified: false },
    { label: stops.label, text: '', verified: true },
  ],
  steps: [
    {
      text: 'the gate opens, because the van stops at the gate',
      ...{ verified: true, effect: opens, causes: [stops] },
    },
    {
      text: 'the gate opens, because the car leaves',
      ...{ verified: false, effect: opens, causes: [leaves] },
    },
  ],
};
const forecast: ForecastedWindow = {
  ...{ clip: 7, chances: [], tracksOnly: null, scoreCpuMs: 20, explained },
};

describe('ExplanationSums', () => {
  const sums = new ExplanationSums(dataset, 8);
  sums.add(truth, forecast);

  it('counts the causes of verified steps, and beside them those of all', () => {
    expect(sums.causalPrecision()?.value).toBe(1);
    expect(sums.causalRecall()?.value).toBe(1);
    expect(sums.causalPrecision('all')?.value).toBe(0.5);
    expect(sums.counts()).toEqual({ explained: 1, texts: 3, trueLinks: 1, statedLinks: 1 });
  });

  it('takes the shares of texts that name what is not there, ours and the references', () => {
    expect(sums.absentNamed()?.value).toBeCloseTo(1 / 3, 9);
    expect(sums.absentNamedInReferences()?.value).toBe(1);
  });

  it('takes the median of CPU', () => {
    const three = new ExplanationSums(dataset, 8);
    for (const scoreCpuMs of [10, 90, 20])
      three.add(truth, { ...forecast, scoreCpuMs, explained: null });
    expect(three.scoreCpuMs()?.value).toBe(20);
    expect(three.explainCpuMs()).toBeNull();
    expect(three.counts().explained).toBe(0);
  });

  it('knows no causal figure where the recording has no causes', () => {
    const unknown = new ExplanationSums(dataset, 8);
    const events = truth.events.map((event) => ({ ...event, causes: undefined }));
    unknown.add({ ...truth, events }, forecast);
    expect(unknown.causalRecall()).toBeNull();
    expect(unknown.absentNamed()).not.toBeNull();
  });
});

describe('WithinSums', () => {
  const window = {
    ...windowOf(0),
    bayesWithin: [0, 0.8, 0.5, 0, 0, 0],
    priorWithin: [0, 0.4, 0.4, 0, 0, 0],
  };
  const sumsOf = (...said: readonly (readonly number[])[]): WithinSums => {
    const sums = new WithinSums(labels);
    said.forEach((chances, scene) => sums.add({ ...window, scene }, chances));
    return sums;
  };

  it('gives skill 1 to who says what could be known, 0 to who says the base rates', () => {
    expect(sumsOf(window.bayesWithin).skill()?.value).toBeCloseTo(1, 9);
    expect(sumsOf(window.priorWithin).skill()?.value).toBeCloseTo(0, 9);
    expect(sumsOf(window.bayesWithin, window.priorWithin).skill()?.value).toBeCloseTo(0.5, 9);
  });

  it('asks of each label by itself, and takes the mean over labels but nothing', () => {
    const sums = sumsOf([1, 0.6, 0, 0, 0, 0]);
    const certain = 0.8 * 0.4 ** 2 + 0.2 * 0.6 ** 2 + 0.5;
    expect(sums.brier('own')?.value).toBeCloseTo(certain / 5, 3);
    expect(sums.brier('bayes')?.value).toBeCloseTo((0.8 * 0.2 + 0.25) / 5, 3);
  });
});

describe('textLines', () => {
  it('pairs verified texts with the references of the same label and event', () => {
    const at = { context: 'a van has stopped at the gate .', scene: 4, clip: 7 };
    expect(textLines(truth, forecast, dataset.labels)).toEqual([
      {
        ...{ kind: 'justification', hypothesis: 'because a van waits .', ...at },
        references: ['because the dog is let in .'],
      },
      {
        ...{ kind: 'explanation', hypothesis: explained.steps[0]?.text, ...at },
        references: ['at first a van stops . so the gate opens .'],
      },
    ]);
  });
});

describe('the report on forecasts', () => {
  const bundle = { manifest: { name: 'yard', version: '4.0.0' }, sha256: '0123456789abcdef' };
  const sumsOf = (said: Readonly<Record<string, readonly number[]>>): ForecastSums => {
    const sums = new ForecastSums(labels);
    for (const scene of [0, 1, 2]) sums.add(windowOf(scene), said);
    return sums;
  };
  const explanations = new ExplanationSums(dataset, 8);
  explanations.add(truth, forecast);
  const report = forecastReport(
    bundle,
    { seed: 5, world: 1 },
    {
      ...{ main: sumsOf({ [own]: bayes, tracksOnly: prior }), explanations, calibration: null },
      within: null,
      sights: sumsOf({ pixels: prior, trueTracks: bayes }),
      ...{ templates: null, appearance: sumsOf({ [own]: bayes }) },
      textOnly: sumsOf({ [own]: bayes, [withoutLanguage]: prior }),
    },
  );

  it('judges each figure beside its floor and goal, and says why one is missing', () => {
    expect(report.skill).toMatchObject({ floor: 0.65, goal: 0.8, windows: 3, verdict: 'reached' });
    expect(report.skillTrueTracks.value).toBeCloseTo(1, 2);
    expect(report.skillTrueMasks).toMatchObject({ value: null, verdict: 'not measured' });
    expect(report.skillTemplates.reason).toMatch('--parts');
    expect(report.textOnlyGain.value).toBeCloseTo(1, 1);
    expect(report.causalPrecision.value).toBe(1);
    expect(report.ece.note).toMatch('10000 windows');
    expect(report.detail.forecasters['tracksOnly']?.skill?.value).toBeLessThan(0.1);
    expect(report.detail.lost.language?.value).toBeCloseTo(0, 2);
    expect(report.detail.lost.masks).toBeNull();
  });

  it('prints tables for people and rows that can be pasted', () => {
    const text = printForecasts(report);
    expect(text).toMatch(/^skill +\S+ +\[.*\] +0.65 +0.8 +reached/m);
    expect(text).toMatch(/^skillTemplates +- .*not measured +because that part/m);
    const markdown = markdownForecasts(report).split('\n');
    expect(markdown).toContainEqual(
      expect.stringMatching(/^\| `skill` \| \d\.\d{3} \[.*\| reached \| 3 \|$/),
    );
    const row = forecastRow(report, 'without fusion core');
    expect(row).toMatch(/^\| without fusion core \| /);
    expect(row.trim().split(' | ')).toHaveLength(rowMeasures.length + 2);
  });
});

describe('the plan of windows', () => {
  it('gives calibration a part of its own where many windows are asked for', () => {
    expect(planOf(720)).toEqual({ main: 720, calibration: 0, half: 360, textOnly: 500 });
    expect(planOf(16)).toEqual({ main: 16, calibration: 0, half: 8, textOnly: 8 });
    expect(planOf(10_000)).toEqual({ main: 720, calibration: 10_000, half: 360, textOnly: 500 });
  });

  it('asks for full windows whose pBayes the recording has', () => {
    expect(calibrationClips(2)).toEqual([
      11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39,
    ]);
    expect(calibrationClips(4)).toEqual([11, 15, 19, 23, 27, 31, 35, 39]);
    expect(calibrationClips(1)).toHaveLength(29);
    expect(calibrationClips(3).every((clip) => clip % 3 === 2 || clip === 39)).toBe(false);
  });
});
