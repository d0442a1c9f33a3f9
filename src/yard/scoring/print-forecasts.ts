/** The report on forecasts as plain tables, for people, and as Markdown for docs/quality.md; `--json` is for programs. */
import { forecastMeasures, type ForecastMeasure } from './forecast-goals.js';
import type { ForecastDetail, ForecastReport, JudgedForecastMeasure } from './forecast-report.js';
import { markdownRow, markdownTable, measureText, rangeOf, table } from './plain-table.js';

const meanings: Readonly<Record<ForecastMeasure, string>> = {
  skill: 'skill on the next event, from pixels: 0 base rates, 1 the best that could be known',
  skillTrueTracks: 'the same, from true tracks',
  skillTrueMasks: "the same, true masks in place of the segmenter's",
  skillTemplates: 'the same, from pixels, rules joined in ways that training never saw',
  skillAppearance: 'the same, from pixels, poses, weather and colours that training never saw',
  skillWithin: 'skill on what begins at all within the horizon, from pixels',
  brierWithin: 'Brier score of the same, mean over labels',
  top1Share: "the first answer's chance of coming true, as a share of Bayes'",
  top3Share: "the first three answers', as a share of Bayes'; nothing is an answer",
  ece: 'calibration error by what did come, 15 equal-mass bins',
  eceBayes: 'calibration error by pBayes',
  causalPrecision: 'stated causes that are causes by intervention',
  causalRecall: 'causes by intervention within the window that are stated',
  textOnlyGain:
    "what the language model's pre-training adds to skill on rules known from text alone",
  absentNamed: 'explanations and justifications that name what is not there',
  scoreCpuMs: 'CPU ms of one core, median: scoring a forecast',
  explainCpuMs: 'CPU ms of one core, median: an explanation',
};

const forecasterNames: Readonly<Record<string, string>> = {
  own: 'the bundle',
  tracksOnly: 'vision-only classifier: the cheap head, from tracks alone',
  persistence: 'persistence: half the last event, half the base rates',
  prior: 'base rates of the template',
  bayes: 'the best that could be known',
};

export function printForecasts(report: ForecastReport): string {
  const rows = forecastMeasures.map((name) => {
    const it = report[name];
    const said = it.value === null || !it.interval ? '-' : numberOf(name, it.value);
    const range = it.interval ? rangeOf(it.interval, decimalsOf(name)) : '';
    return [name, said, range, String(it.floor), String(it.goal), it.verdict, aboutOf(name, it)];
  });
  const parts = [
    [headOf(report), ...table([['', '', '', 'floor', 'goal'], ...rows])],
    forecasterLines(report.detail),
    sightLines(report.detail),
    lossLines(report.detail),
    restLines(report.detail),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** The main table and the baselines, ready to be pasted. */
export function markdownForecasts(report: ForecastReport): string {
  const rows = forecastMeasures.map((name) => {
    const it = report[name];
    const said =
      it.value === null || !it.interval
        ? `not measured: ${it.reason ?? ''}`
        : `${numberOf(name, it.value)} ${rangeOf(it.interval, decimalsOf(name))}`;
    return [`\`${name}\``, said, String(it.floor), String(it.goal), it.verdict, String(it.windows)];
  });
  const main = markdownTable([['', 'measured', 'floor', 'goal', '', 'windows'], ...rows]);
  const base = markdownTable([
    ['forecaster', 'skill', 'log score, nats'],
    ...forecasterRows(report.detail),
  ]);
  return `${[headOf(report), '', ...main, '', ...base].join('\n')}\n`;
}

/** The measures that one row of a table of variants holds. */
export const rowMeasures = [
  'skill',
  'top1Share',
  'top3Share',
  'ece',
  'eceBayes',
  'causalPrecision',
  'causalRecall',
] as const satisfies readonly ForecastMeasure[];

/** One row for a table of variants (ablations, seeds), in the order of `rowMeasures`. */
export function forecastRow(report: ForecastReport, called: string): string {
  const cells = rowMeasures.map((name) => {
    const { value, interval } = report[name];
    return value === null || !interval ? '-' : measureText({ value, interval });
  });
  return `${markdownRow([called, ...cells, String(report.skill.windows)])}\n`;
}

function headOf(report: ForecastReport): string {
  const { bundle, seed, world } = report;
  // Of the largest part; Markdown has each figure's own.
  const windows = Math.max(...forecastMeasures.map((name) => report[name].windows));
  return (
    `bundle ${bundle.name} ${bundle.version} (${bundle.sha256.slice(0, 8)}); seed ${String(seed)}, world ${String(world)}, ` +
    `up to ${String(windows)} windows a figure; forecasts as published, in expectation under pBayes; [95 % intervals by bootstrap over scenes]`
  );
}

function forecasterRows({ forecasters }: ForecastDetail): string[][] {
  return Object.entries(forecasters)
    .filter(([, { logScore }]) => logScore !== null)
    .map(([name, { skill, logScore }]) => [
      forecasterNames[name] ?? name,
      measureText(skill),
      measureText(logScore),
    ]);
}

function forecasterLines(detail: ForecastDetail): string[] {
  const rows = forecasterRows(detail);
  return rows.length > 0 ? table([['forecaster', 'skill', 'log score, nats'], ...rows]) : [];
}

function sightLines({ sights }: ForecastDetail): string[] {
  const known = Object.entries(sights).filter(([, { skill }]) => skill !== null);
  if (known.length === 0) return [];
  return table([
    ['skill on the same windows', 'the bundle', 'the cheap head'],
    ...known.map(([name, it]) => [name, measureText(it.skill), measureText(it.tracksOnlySkill)]),
  ]);
}

function lossLines({ lost }: ForecastDetail): string[] {
  const known = Object.entries(lost).filter(([, measure]) => measure !== null);
  if (known.length === 0) return [];
  return table([
    ['skill that is lost to', ''],
    ...known.map(([where, measure]) => [where, measureText(measure)]),
  ]);
}

function restLines(detail: ForecastDetail): string[] {
  const { brierWithin, causal, absentNamedInReferences, explanations, calibration } = detail;
  const rows = [
    ['Brier score within, of the base rates', measureText(brierWithin.prior)],
    ['Brier score within, of the best that could be known', measureText(brierWithin.bayes)],
    ['causal precision, unverified steps too', measureText(causal.precisionWithUnverified)],
    ['causal recall, unverified steps too', measureText(causal.recallWithUnverified)],
    ['absent things in the reference reasons', measureText(absentNamedInReferences)],
    ...(calibration
      ? [['ece of a perfect forecaster here', calibration.eceOfPerfect.toFixed(3)]]
      : []),
    ...Object.entries(explanations ?? {}).map(([name, count]) => [name, String(count)]),
  ];
  return table(rows.filter(([, said]) => said !== '-'));
}

function aboutOf(name: ForecastMeasure, { reason, note }: JudgedForecastMeasure): string {
  if (reason !== undefined) return `because ${reason}`;
  return note === undefined ? meanings[name] : `${meanings[name]} (${note})`;
}

const decimalsOf = (name: ForecastMeasure): number => (name.endsWith('Ms') ? 1 : 3);
const numberOf = (name: ForecastMeasure, value: number): string => value.toFixed(decimalsOf(name));
