import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs } from '../../src/commands/duration.js';
import type { Outcome } from '../../src/messages.js';
import { shortCount, skillPlot } from '../../src/outcomes/report-charts.js';
import { reportPage } from '../../src/outcomes/report-page.js';
import { leadRows, ReportSums, type Report } from '../../src/outcomes/report-sums.js';
import { reportTables } from '../../src/outcomes/report-tables.js';
import { drawing, drawnOutcome, undecidableOutcome } from '../support/outcomes.js';

const hourMs = 3_600_000;
const toMs = Date.UTC(2026, 10, 22, 9, 7, 30);

function reportOf(outcomes: readonly Outcome[], lengthMs = 24 * hourMs): Report {
  const sums = new ReportSums(toMs - lengthMs, toMs);
  for (const outcome of outcomes) sums.add(outcome);
  return sums.report('test');
}

const draw = drawing(4);
const aDay = [
  ...Array.from({ length: 1_200 }, (_, index) => drawnOutcome(draw, toMs - index * 60_000)),
  ...Array.from({ length: 40 }, (_, index) => undecidableOutcome(toMs - index * 60_000)),
  undecidableOutcome(toMs, { because: 'doubtful' }),
  drawnOutcome(draw, toMs, { calibrated: false }),
  drawnOutcome(draw, toMs, { target: 'within' }),
  drawnOutcome(draw, toMs, { camera: 'yard', baselines: null }),
];

describe('the sums of a report', () => {
  it('are by camera and target, in slices at round times that add up to the whole', () => {
    const report = reportOf(aDay);
    expect(report.cameras.map(({ camera, target }) => `${camera} ${target}`)).toEqual([
      'gate next',
      'gate within',
      'yard next',
    ]);
    expect(report).toMatchObject({ site: 'test', sliceMs: hourMs });
    const [gate] = report.cameras;
    expect(gate).toMatchObject({
      score: { outcomes: 1_200, undecidable: 41, uncalibrated: 1 },
      undecidableBy: { camera: 40, doubtful: 1 },
    });
    const { overTime, reliability, leads, score } = gate!;
    expect(overTime[0]!.from).toBe(report.from);
    expect(overTime[1]!.from).toBe('2026-11-21T10:00:00.000Z');
    expect(overTime.reduce((sum, { outcomes }) => sum + outcomes, 0)).toBe(1_200);
    expect(reliability.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(4 * 1_200);
    const hits = leads.reduce((sum, row) => sum + row.hits, 0);
    expect(hits).toBe(score.hits - score.labels['nothing']!.hits);
  });

  it('cut any length of time into at most 32 slices, and count what is of other times apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 366 * 24 * hourMs }), (lengthMs) => {
        const sums = new ReportSums(toMs - lengthMs, toMs);
        for (const atMs of [toMs - lengthMs, toMs]) sums.add(drawnOutcome(draw, atMs));
        sums.add(drawnOutcome(draw, toMs - lengthMs - 1));
        const { overTime } = sums.report('test').cameras[0]!;
        expect(sums.outside).toBe(1);
        expect(overTime.length).toBeLessThanOrEqual(32);
        expect(overTime[0]!.outcomes + overTime.at(-1)!.outcomes).toBe(
          overTime.length === 1 ? 4 : 2,
        );
      }),
    );
  });

  it('put lead times in few bars, none across 0', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -600, max: 6_000 }), { minLength: 1 }), (bins) => {
        const rows = leadRows(new Map(bins.map((bin) => [bin, 1])));
        expect(rows.length).toBeLessThanOrEqual(26);
        expect(rows.reduce((sum, { hits }) => sum + hits, 0)).toBe(new Set(bins).size);
        for (const { fromMs, toMs: end } of rows) expect(fromMs < 0 && end > 0).toBe(false);
      }),
    );
    expect(leadRows(new Map())).toEqual([]);
  });
});

describe('the tables', () => {
  const text = reportTables(reportOf(aDay));

  it('show each camera with the baselines beside it, both ways of counting, labels, lead times', () => {
    const { score, sideBySide } = reportOf(aDay).cameras[0]!;
    expect(text).toContain('Site test, 2026-11-21 09:07 to 2026-11-22 09:07 UTC');
    expect(text).toMatch(/^gate +next +1,200 +41 +\d+ %/m);
    expect(text).toContain(
      `1,200 outcomes, 41 undecidable (camera 40, doubtful 1), ${score.tooLate} told too late`,
    );
    expect(text).toContain('1 more were not calibrated and are in no mark');
    expect(text).toMatch(
      new RegExp(
        `^base rate +\\d+ % +${sideBySide!.baseRate.brier.toFixed(2)} +1\\.61 +${score.skillOverBaseRate!.toFixed(2)}$`,
        'm',
      ),
    );
    expect(text).toContain(`against us: hits ${Math.round(score.hitRateLeast! * 100)} %`);
    expect(text).toContain(`skill ${score.skillOverBaseRateLeast!.toFixed(2)}`);
    const { observed, predicted, hits } = score.labels['van enters']!;
    expect(text).toMatch(
      new RegExp(`^van enters +${observed} +[\\d.]+ +${predicted} +${hits} `, 'm'),
    );
    expect(text).toMatch(/^0 to 0\.5 s too late +\d+ {2}█+$/m);
    expect(text).toMatch(/^2 to 2\.5 s +\d+ {2}█+$/m);
  });

  it('say what is missing instead of leaving holes', () => {
    expect(text).toContain('no outcome says what the baselines would have scored');
    expect(reportTables(reportOf([undecidableOutcome(toMs)]))).toContain('hits –, skill –');
  });
});

describe('the page', () => {
  const report = reportOf(aDay);
  const page = reportPage(report, []);

  it('needs nothing but itself, and runs nothing', () => {
    expect(page).not.toMatch(
      /<script|<link|<img|<iframe|javascript:|\son\w+=|https?:|@import|url\(/i,
    );
    expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('has for each camera and target three plots with words in their place, and the tables', () => {
    const sections = page.split('<section').slice(1);
    expect(sections).toHaveLength(3);
    for (const section of sections) {
      expect(section.match(/<svg[^>]* role="img" aria-label="[^"]{10,}"/g)).toHaveLength(3);
      expect(section).toMatch(/<caption>By label<\/caption>/);
    }
    const [gate = ''] = sections;
    const { reliability, score, leads, overTime } = report.cameras[0]!;
    expect(gate).toContain(`<dt>Brier score</dt><dd>${score.brier!.toFixed(2)}</dd>`);
    for (const { pairs } of reliability) expect(gate).toContain(`>${shortCount(pairs)}</text>`);
    expect(gate.match(/class="base-rate dot"/g)).toHaveLength(
      overTime.filter(({ outcomes }) => outcomes > 0).length,
    );
    expect(gate.match(/class="late"/g)).toHaveLength(leads.filter((row) => row.toMs <= 0).length);
    expect(gate).toContain('<th scope="row">van enters</th>');
    expect(gate).toContain('<th scope="row">persistence</th>');
  });

  it('is well-formed: every element that is opened is closed', () => {
    const open: string[] = [];
    const isVoid = /^(meta|br)$/;
    for (const [, closes, name, selfCloses] of page.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
      if (closes === '/') expect(open.pop()).toBe(name);
      else if (selfCloses !== '/' && !isVoid.test(name!)) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  it('shows a label as it is called, and lets it do nothing', () => {
    const label = '<img src=x onerror="alert(1)">';
    const sly = drawnOutcome(draw, toMs, { verdict: 'hit', observed: label, predicted: label });
    const shown = reportPage(reportOf([sly]), []);
    expect(shown).not.toContain('<img');
    expect(shown).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;');
  });

  it('counts so briefly that neighbours do not touch', () => {
    expect(
      [7, 999, 1_000, 9_949, 9_950, 43_210, 999_499, 999_500, 12_345_678].map(shortCount),
    ).toEqual(['7', '999', '1.0k', '9.9k', '10k', '43k', '999k', '1.0M', '12M']);
  });

  it('breaks its lines where nothing was decided', () => {
    const slice = (skill: number | null) => ({
      from: '2026-11-22T09:00:00.000Z',
      outcomes: 1,
      skillOverBaseRate: skill,
      skillOverPersistence: null,
    });
    const plot = skillPlot([0.5, 0.4, null, 0.3, 0.2].map(slice), hourMs);
    expect(plot.match(/<polyline class="base-rate"/g)).toHaveLength(2);
    expect(plot).not.toContain('<polyline class="persistence"');
    expect(plot).toContain('aria-label="Skill over time: from 0.20 to 0.50."');
  });

  it('says of an empty time what it was told to say', () => {
    const empty = reportPage(reportOf([]), ['There is no outcome.', 'Start <it>.']);
    expect(empty).toContain('<p>There is no outcome.</p>\n<p>Start &#60;it&#62;.</p>');
    expect(empty).not.toContain('<section');
  });
});

describe('a duration', () => {
  it.each([
    ['90m', 90 * 60_000],
    ['24h', 24 * hourMs],
    ['7d', 7 * 24 * hourMs],
  ])('%s', (text, ms) => expect(durationMs('since', text, 'usage')).toBe(ms));

  it.each(['', '24', 'h', '0h', '-1h', '1.5h', '24 h', '1w', '367d', '24hh'])(
    'is not %j, and the error says what is',
    (text) => {
      expect(() => durationMs('since', text, 'usage')).toThrow(/--since is ".*minutes as 90m/);
    },
  );
});
