import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logScore } from '../../src/scores.js';
import { baselines, forecastBy, forecastWithinBy } from '../../src/yard/scoring/baselines.js';
import { readForecasts } from '../../src/yard/scoring/forecast-file.js';
import type { ForecastLine, NextLine } from '../../src/yard/scoring/forecast-file.js';
import { printReport } from '../../src/yard/scoring/print-report.js';
import {
  leastLossNames,
  mostLikelyNames,
  publish,
  saidNext,
} from '../../src/yard/scoring/published-form.js';
import { scoreFile } from '../../src/yard/scoring/score-file.js';
import type { NextReport } from '../../src/yard/scoring/score-file.js';
import type { TruthWindow } from '../../src/yard/scoring/truth-window.js';
import { stream, uniform } from '../../src/yard/world/random.js';

const labels = ['nothing', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((text) => ({ text }));
const options = { labels, resamples: 200 };
const prior = [0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02];
const draw = stream('scoring test');

/** Windows in which pBayes varies and the truth is drawn from it. */
function exam(count: number, perScene = 10): TruthWindow[] {
  return Array.from({ length: count }, (_, i) => {
    const raw = prior.map((rate, k) => rate * uniform(1, draw, i, k) ** 4);
    const total = raw.reduce((a, b) => a + b, 0);
    const bayes = raw.map((value) => value / total);
    let left = uniform(1, draw, i, 90);
    const next = bayes.findIndex((share) => (left -= share) < 0);
    const bayesWithin = bayes.map((share) => Math.min(1, 1.5 * share));
    return {
      scene: Math.floor(i / perScene),
      clip: i % perScene,
      template: i % 2 === 0 ? 'gate+light' : 'lawn',
      next: Math.max(0, next),
      bayes,
      state: bayes,
      prior,
      last: i % 3 === 0 ? null : 1 + (i % 7),
      within: bayesWithin.map((share, k) => uniform(1, draw, i, 100 + k) < share),
      bayesWithin,
      priorWithin: prior,
    };
  });
}

const truth = exam(300);
const fileOf = (name: (typeof baselines)[number], windows = truth): NextLine[] =>
  windows.map((window) => forecastBy(name, window, labels));
const scoreNext = (lines: readonly ForecastLine[], windows = truth): NextReport => {
  const { next } = scoreFile(windows, lines, options);
  if (!next) throw new TypeError('no next');
  return next;
};

describe('skill', () => {
  it.each(['published', 'full'] as const)('is 1 for Bayes and 0 for the prior, %s', (form) => {
    for (const by of ['drawn', 'expected'] as const) {
      const ofBayes = scoreNext(fileOf('bayes')).scores[form].forecast[by];
      expect(ofBayes.skill).toEqual({ value: 1, interval: [1, 1] });
      expect(ofBayes.brierSkill?.value).toBe(1);
      expect(ofBayes.gain?.interval[0]).toBeGreaterThan(0);
      const ofPrior = scoreNext(fileOf('prior')).scores[form].forecast[by];
      expect(ofPrior.skill).toEqual({ value: 0, interval: [0, 0] });
      expect(ofPrior.gain).toEqual({ value: 0, interval: [0, 0] });
    }
  });

  it('is below 0 for who knows nothing, with an interval that says so and holds the value', () => {
    const { skill } = scoreNext(fileOf('uniform')).scores.published.forecast.expected;
    expect(skill?.interval[1]).toBeLessThan(0);
    expect(skill?.interval[0]).toBeLessThan(skill?.value ?? NaN);
    expect(skill?.interval[1]).toBeGreaterThan(skill?.value ?? NaN);
  });

  it('of Bayes as a message is nearly 1, and never above', () => {
    const { expected } = scoreNext(fileOf('bayes3')).scores.published.forecast;
    expect(expected.skill?.value).toBeGreaterThan(0.8);
    expect(expected.skill?.value).toBeLessThanOrEqual(1);
  });

  it('stands beside every baseline, each of which is scored as if it had handed in a file', () => {
    const { scores, templates } = scoreNext(fileOf('bayes'));
    for (const name of baselines)
      expect(scores.published[name]).toEqual(scoreNext(fileOf(name)).scores.published.forecast);
    expect(Object.keys(templates)).toEqual(['gate+light', 'lawn']);
    expect(templates['lawn']).toMatchObject({ windows: 150, drawn: { value: 1 } });
  });

  it('of "within" runs from the prior to Bayes too', () => {
    const bayes = truth.map((window) => forecastWithinBy('bayes', window, labels));
    const report = scoreFile(truth, bayes, options);
    expect(report.next).toBeNull();
    expect(report.within?.forecast.drawn.skill?.value).toBe(1);
    const named = truth.map(({ scene, clip }) => ({
      scene,
      clip,
      target: 'within' as const,
      events: [],
    }));
    const unnamed = scoreFile(truth, named, options).within;
    expect(unnamed?.forecast.expected.skill?.value).toBe(0);
  });
});

describe('an example by hand', () => {
  const base = {
    scene: 0,
    template: 't',
    bayes: [0.5, 0.5, 0, 0, 0, 0, 0, 0],
    state: [1, 0, 0, 0, 0, 0, 0, 0],
    prior,
    last: null,
    within: labels.map(() => false),
    bayesWithin: prior,
    priorWithin: prior,
  };
  const windows: TruthWindow[] = [
    { ...base, clip: 0, next: 0 },
    { ...base, clip: 1, next: 5 },
  ];
  const lines = readForecasts(
    [
      '{"scene":0,"clip":0,"events":[{"label":"a","confidence":0.4}],"nothing":0.4,"somethingElse":0.2}',
      '{"scene":0,"clip":1,"target":"next","chances":{"nothing":0.25,"a":0.25,"e":0.5}}',
    ].join('\n'),
    labels,
  );

  it('has the scores that the formulas give', () => {
    const { scores, hits, totalVariationToBayes, ...rest } = scoreNext(lines, windows);
    // Line 1 spreads 0.2 over b to g by their rates, which sum to 0.5; line 2 lifts five labels to the floor.
    const mass = 1 + 5e-4;
    const log = (-Math.log(0.4) - Math.log(0.5 / mass)) / 2;
    const { drawn, expected } = scores.published.forecast;
    expect(drawn.logScore?.value).toBeCloseTo(log, 12);
    const spread = [0.06, 0.04, 0.04, 0.032, 0.02, 0.008];
    const squares = spread.reduce((sum, share) => sum + share * share, 0);
    const brier1 = 0.6 ** 2 + 0.4 ** 2 + squares;
    const brier2 = 2 * (0.25 / mass) ** 2 + (0.5 / mass - 1) ** 2 + 5 * (1e-4 / mass) ** 2;
    expect(drawn.brier?.value).toBeCloseTo((brier1 + brier2) / 2, 12);
    expect(expected.logScore?.value).toBeCloseTo((-Math.log(0.4) - Math.log(0.25 / mass)) / 2, 12);
    expect(scores.full.forecast.drawn.logScore?.value).toBeCloseTo(log, 12);
    // In window 1 nothing and a share the first place; in window 2 it is e, and only e came.
    expect(hits.top1.drawn.forecast?.value).toBeCloseTo((0.5 + 1) / 2, 12);
    expect(hits.top1.expected.forecast?.value).toBeCloseTo((0.5 + 0) / 2, 12);
    expect(hits.top1.expected.ofBayes?.value).toBeCloseTo(0.25 / 0.5, 12);
    expect(totalVariationToBayes?.value).toBeCloseTo((0.2 + 0.5) / 2, 3);
    expect(rest).toMatchObject({ nothingLikeliest: 2, nearEven: 2 });
    expect(rest.stateGap.expected?.value).toBeCloseTo(Math.log(2), 2);
    expect(rest.calibration.pairs).toBe(8);
  });

  it('asks of each event by itself for "within"', () => {
    const [window] = windows;
    const asked = { ...window!, within: labels.map((_, k) => k === 2) };
    const [line] = readForecasts(
      '{"scene":0,"clip":0,"target":"within","events":[{"label":"b","confidence":0.7},{"label":"c","confidence":0.2}]}',
      labels,
    );
    const scores = scoreFile([asked], [line!], options).within?.forecast.drawn;
    // What is not named keeps its base rate.
    const others = [0.2, 0.1, 0.08, 0.05, 0.02];
    const log = -Math.log(0.7) - [0.2, ...others].reduce((sum, q) => sum + Math.log(1 - q), 0);
    const brier = 0.3 ** 2 + [0.2, ...others].reduce((sum, q) => sum + q * q, 0);
    expect(scores?.logScore?.value).toBeCloseTo(log, 12);
    expect(scores?.brier?.value).toBeCloseTo(brier, 12);
  });

  it('is printed as tables', () => {
    const text = printReport(scoreFile(windows, lines, options));
    expect(text).toMatch(/^2 windows of 1 scenes/);
    expect(text).toMatch(/forecast +-?\d+\.\d{3} \[.*the file/);
    for (const word of [...baselines, 'eceBayes', 'near-even', 'Skill by template'])
      expect(text).toContain(word);
    expect(text).not.toMatch(/NaN|undefined|null|-0\.000/);
  });
});

const weights = (least: number) =>
  fc
    .array(fc.double({ min: least, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 })
    .filter((raw) => raw.reduce((a, b) => a + b, 0) > 1e-3)
    .map((raw) => {
      const total = raw.reduce((a, b) => a + b, 0);
      return raw.map((value) => value / total);
    });
/** Steep, like what an exam brings: some labels likely, most of them hardly possible. */
const beliefs = weights(0).map((shares) => {
  const steep = shares.map((share) => share ** 3);
  const total = steep.reduce((a, b) => a + b, 0);
  return steep.map((share) => share / total);
});
const names = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 3 });
const moment = { scene: 0, clip: 0, target: 'next' as const };
const chancesLine = (chances: readonly number[]): NextLine => ({
  ...moment,
  chances: Object.fromEntries(labels.map(({ text }, k) => [text, chances[k] ?? 0])),
});
const eventsLine = (chances: readonly number[], named: readonly number[]): NextLine => ({
  ...moment,
  events: named.map((k) => ({ label: labels[k]?.text ?? '', confidence: chances[k] ?? 0 })),
  nothing: chances[0] ?? 0,
  somethingElse: Math.max(0, 1 - [0, ...named].reduce((total, k) => total + (chances[k] ?? 0), 0)),
});

describe('no way of cutting beliefs into names and a rest', () => {
  it('beats handing them in whole: published, where the floor touches nothing', () => {
    fc.assert(
      fc.property(weights(0.05), weights(0.05), weights(0.05), names, (p, q, rates, named) => {
        const loss = (line: NextLine): number =>
          logScore(saidNext(line, rates, labels).published, p);
        const honest = loss(chancesLine(p));
        for (const rewritten of [
          eventsLine(p, named),
          eventsLine(p, mostLikelyNames(p)),
          eventsLine(q, named),
          chancesLine(q),
          chancesLine(publish(p, named, rates)),
          chancesLine(p.map((share, k) => (named.includes(k) ? 0 : share))),
        ])
          expect(loss(rewritten)).toBeGreaterThanOrEqual(honest - 1e-9);
      }),
      { numRuns: 500 },
    );
  });

  it('beats handing them in whole: in full, where beliefs are above the floor', () => {
    fc.assert(
      fc.property(weights(0.01), beliefs, weights(0), names, (p, q, rates, named) => {
        const loss = (line: NextLine): number => logScore(saidNext(line, rates, labels).full, p);
        const honest = loss(chancesLine(p));
        for (const rewritten of [eventsLine(p, named), eventsLine(q, named), chancesLine(q)])
          expect(loss(rewritten)).toBeGreaterThanOrEqual(honest - 1e-9);
      }),
      { numRuns: 500 },
    );
  });

  it('in full wins more than the floor can lift, whatever the beliefs', () => {
    const most = (labels.length * 1e-4) ** 2 / 4;
    fc.assert(
      fc.property(beliefs, fc.double({ min: 0, max: 0.2, noNaN: true }), (p, threshold) => {
        const loss = (line: NextLine): number => logScore(saidNext(line, prior, labels).full, p);
        // What the floor gives anyway need not be said.
        const cut = p.map((share) => (share < threshold ** 4 ? 0 : share));
        const total = cut.reduce((a, b) => a + b, 0);
        const gamed = chancesLine(cut.map((share) => share / total));
        expect(loss(gamed)).toBeGreaterThanOrEqual(loss(chancesLine(p)) - most);
      }),
      { numRuns: 500 },
    );
  });

  it('finds better names than the scorer does, floor and all, even where base rates are 0', () => {
    const all = [1, 2, 3, 4, 5, 6, 7];
    const triples = all.flatMap((i) =>
      all.filter((j) => j > i).flatMap((j) => all.filter((k) => k > j).map((k) => [i, j, k])),
    );
    const holes = fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 8 });
    const only = (label: number): number[] => all.concat(0).map((_, k) => (k === label ? 1 : 0));
    fc.assert(
      fc.property(beliefs, weights(0), holes, holes, (p, r, none, impossible) => {
        const rates = r.map((rate, k) => (none.includes(k) || rate < 1e-6 ? 0 : rate));
        const raw = p.map((share, k) => (impossible.includes(k) ? 0 : share));
        const total = raw.reduce((a, b) => a + b, 0);
        fc.pre(total > 0);
        const chances = raw.map((share) => share / total);
        const loss = (named: readonly number[]): number =>
          logScore(publish(chances, named, rates), chances);
        const best = Math.min(...triples.map(loss));
        expect(loss(leastLossNames(chances, rates))).toBeCloseTo(best, 9);
      }),
      // The second label is expected a little, has no base rate, and is better left to the rest than named.
      { numRuns: 300, examples: [[[0, 0, 0, 0, 0, 1 - 5e-5, 0, 5e-5], only(5), [], []]] },
    );
  });

  it('gains by naming what is now impossible, as it would if the likeliest were always named', () => {
    // b is frequent and cannot come now: unnamed, it would take most of the rest.
    const rates = [0.2, 0.05, 0.5, 0.05, 0.05, 0.05, 0.05, 0.05];
    const p = [0.4, 0.15, 0, 0.1, 0.09, 0.09, 0.09, 0.08];
    const loss = (line: NextLine): number => logScore(saidNext(line, rates, labels).published, p);
    const likeliest = loss(eventsLine(p, mostLikelyNames(p)));
    const gamed = loss(eventsLine(p, [1, 2, 3]));
    expect(gamed).toBeLessThan(likeliest - 0.1);
    expect(loss(chancesLine(p))).toBeLessThanOrEqual(gamed + 1e-9);
  });

  it('gains more than the floor gives by misstating the rest, even for who knows pBayes', () => {
    const gains = truth.map(({ bayes, prior: rates }) => {
      const named = leastLossNames(bayes, rates);
      const honest = eventsLine(bayes, named);
      const loss = (line: NextLine): number =>
        logScore(saidNext(line, rates, labels).published, bayes);
      const rest = 'somethingElse' in honest ? honest.somethingElse : NaN;
      const tries = Array.from({ length: 40 }, (_, i) => {
        const misstated = Math.min(0.99, (rest * i) / 20);
        const scale = (1 - misstated) / (1 - rest);
        const line = eventsLine(
          bayes.map((share) => share * scale),
          named,
        );
        return loss(honest) - loss({ ...line, somethingElse: misstated });
      });
      return Math.max(...tries);
    });
    expect(gains.reduce((a, b) => a + b, 0) / gains.length).toBeLessThan(0.001);
  });

  it('gains by sums that are not 1: they are divided out', () => {
    const p = [0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0];
    const said = (line: NextLine): readonly number[] => saidNext(line, prior, labels).published;
    const bold = said(chancesLine(p.map((share) => share * 1.009)));
    said(chancesLine(p)).forEach((share, k) => expect(bold[k]).toBeCloseTo(share, 12));
    const line = { ...eventsLine(p, [1]), nothing: 0.409 };
    expect(said(line).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(said(line)[0]).toBeCloseTo(0.409 / 1.009, 12);
  });
});

describe('calibration', () => {
  const windows = exam(10_000, 100);
  const perfect = scoreFile(windows, fileOf('bayes', windows), { ...options, resamples: 20 });

  it('of a perfect forecaster shows no more than luck', () => {
    const calibration = perfect.next?.calibration;
    expect(calibration?.pairs).toBe(40_000);
    expect(calibration?.ece?.value).toBeLessThan(0.008);
    expect(calibration?.ece?.value).toBeGreaterThan(0.001);
    expect(calibration?.eceBayes?.value).toBeLessThan(2e-4);
    const rows = calibration?.reliability ?? [];
    expect(rows).toHaveLength(15);
    expect(rows.every(({ pairs }) => Math.abs(pairs - 40_000 / 15) <= 1)).toBe(true);
    expect(rows.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(40_000);
  });

  it('has the luck that the design quotes: 0.017 at 6,000 pairs, 0.007 at 30,000', () => {
    const luck = (count: number): number =>
      scoreFile(windows.slice(0, count), fileOf('bayes', windows.slice(0, count)), {
        ...options,
        resamples: 1,
      }).next?.calibration.eceOfPerfect ?? NaN;
    expect(luck(1500)).toBeGreaterThan(0.012);
    expect(luck(1500)).toBeLessThan(0.019);
    expect(luck(7500)).toBeGreaterThan(0.005);
    expect(luck(7500)).toBeLessThan(0.009);
  });

  it('shows who is too sure of himself', () => {
    const bold = windows.map(({ scene, clip, bayes }) => {
      const raw = bayes.map((share) => share ** 3);
      const total = raw.reduce((a, b) => a + b, 0);
      return { ...chancesLine(raw.map((share) => share / total)), scene, clip };
    });
    const { calibration } = scoreNext(bold, windows);
    expect(calibration.ece?.value).toBeGreaterThan(0.05);
    expect(calibration.eceBayes?.value).toBeGreaterThan(0.05);
    const last = calibration.reliability.at(-1);
    expect(last?.came).toBeLessThan((last?.said ?? 0) - 0.02);
  });
});

describe('a file that is wrong', () => {
  const good = '{"scene":0,"clip":0,"chances":{"a":1}}';
  const events = (list: string, nothing = '0.5', rest = '0'): string =>
    `{"scene":0,"clip":0,"events":[${list}],"nothing":${nothing},"somethingElse":${rest}}`;
  const a = '{"label":"a","confidence":0.5}';

  it.each([
    ['{"scene":0,', 'Line 2 is no JSON: "{\\"scene\\":0,".', 'one JSON object'],
    [events(a, 'NaN'), 'Line 2 is no JSON', 'no NaN'],
    ['{}', 'Line 2: scene is missing', 'Add it'],
    ['[]', 'Line 2: object is []', 'one JSON object'],
    ['7', 'Line 2: object is 7', 'one JSON object'],
    [events(a, '1e999'), 'Line 2: nothing is Infinity', 'from 0 to 1'],
    [events(a, '-0.5'), 'Line 2: nothing is -0.5', 'from 0 to 1'],
    [events(a, '"0.5"'), 'Line 2: nothing is "0.5"', 'from 0 to 1'],
    [events('{"label":"a","confidence":1.5}'), 'events.0.confidence is 1.5', 'from 0 to 1'],
    [events(`${a},${a}`, '0'), 'events.1.label names "a" twice', 'once'],
    [events('{"label":"A","confidence":0.5}'), 'events.0.label names "A", which is no label', '8'],
    [events('{"label":"nothing","confidence":0.5}'), 'which is no event', 'as "nothing"'],
    [events(a, '0.5', '0.3'), 'events, nothing and somethingElse sum to 1.3, not to 1', 'divide'],
    [events([a, a, a, a].join()), 'Line 2: events is [', 'at most 3'],
    ['{"scene":0,"clip":0,"chances":{"a":0.5}}', 'chances sum to 0.5, not to 1', 'divide'],
    ['{"scene":0,"clip":0,"chances":{"a":-1,"b":2}}', 'chances.a is -1', 'from 0 to 1'],
    ['{"scene":0,"clip":0,"chances":{"x":1}}', 'chances names "x"', 'labels'],
    ['{"scene":0,"clip":0,"chances":{"a":1},"nothing":0.1}', 'nothing is 0.1, and no', 'either'],
    ['{"scene":0.5,"clip":0,"chances":{"a":1}}', 'scene is 0.5', 'whole number'],
    ['{"scene":0,"clip":0,"target":"soon","chances":{"a":1}}', 'target is "soon"', '"within"'],
    ['{"scene":0,"clip":0,"target":"within","chances":{"nothing":1}}', 'nothing that begins', ''],
  ])('%s', (line, message, remedy) => {
    expect(() => readForecasts(`${good}\n${line}\n`, labels)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message) as string,
        remedy: expect.stringContaining(remedy) as string,
      }) as Error,
    );
  });

  it('is an empty one, but blank lines are none', () => {
    expect(() => readForecasts('\n', labels)).toThrow('holds no forecast');
    expect(readForecasts(`${good}\r\n\n`, labels)).toMatchObject([{ line: 1, target: 'next' }]);
  });

  const lines = readForecasts(
    fileOf('bayes')
      .map((line) => JSON.stringify(line))
      .join('\n'),
    labels,
  );

  it('leaves out windows', () => {
    const gaps = lines.filter(({ line }) => line !== 11 && (line ?? 0) < 299);
    expect(() => scoreFile(truth, gaps, options)).toThrow(
      expect.objectContaining({
        message:
          '3 of 300 windows have no forecast for "next": scene 1, clip 0; scene 29, clip 8; scene 29, clip 9.',
        remedy: expect.stringContaining('--windows 10') as string,
      }) as Error,
    );
    const report = scoreFile(truth.slice(0, 10), gaps, options);
    expect(report).toMatchObject({ windows: 10, scenes: 1, linesLeftOut: 287 });
  });

  it('names a window twice, or one that is not asked for', () => {
    expect(() => scoreFile(truth, [...lines, { ...lines[4]!, line: 301 }], options)).toThrow(
      'Line 301: scene 0, clip 4 is forecast twice for "next", first in line 5.',
    );
    expect(() => scoreFile(truth, [{ ...lines[0]!, clip: 77 }, ...lines], options)).toThrow(
      'Line 1: scene 0, clip 77 is no window of this exam.',
    );
  });

  it('is for later windows alone', () => {
    expect(() => scoreFile(truth.slice(0, 10), lines.slice(10), options)).toThrow(
      'No line is for a window of this exam.',
    );
  });
});
