/** A report as text for people: how good the forecasts of each camera were, beside what knows nothing of the picture. */
import { printable } from '../console.js';
import type { CameraReport, LeadRow, Report } from './report-sums.js';

/** What is printed for a mark that there is nothing to say from. */
export const noMark = '–';

const barWidth = 30;

export const countText = (count: number): string => count.toLocaleString('en-US');
export const markText = (mark: number | null | undefined, decimals = 2): string =>
  mark === null || mark === undefined ? noMark : mark.toFixed(decimals);
/** Of what was counted, which unlike a chance may be all. */
export const shareText = (share: number | null): string =>
  share === null ? noMark : `${Math.round(share * 100)} %`;
export const timeText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
export const targetText = { next: 'what begins next', within: 'what begins at all' } as const;
/** The names of those who stand side by side. */
export const sideText = {
  forecast: 'Lookahead',
  baseRate: 'base rate',
  persistence: 'persistence',
} as const;

/** Whole text, lines ended. */
export function reportTables({ site, from, to, cameras }: Report): string {
  const lines = [`Site ${site}, ${timeText(from)} to ${timeText(to)} UTC`];
  if (cameras.length > 1) lines.push('', ...overview(cameras));
  for (const camera of cameras) lines.push('', ...cameraLines(camera));
  return `${lines.join('\n')}\n`;
}

function overview(cameras: readonly CameraReport[]): string[] {
  return aligned([
    ['camera', 'target', 'outcomes', 'undecidable', 'hits', 'skill', 'over persistence', 'Brier'],
    ...cameras.map(({ camera, target, score }) => [
      camera,
      target,
      countText(score.outcomes),
      countText(score.undecidable),
      shareText(score.hitRate),
      markText(score.skillOverBaseRate),
      markText(score.skillOverPersistence),
      markText(score.brier),
    ]),
  ]);
}

function cameraLines(report: CameraReport): string[] {
  const { camera, target, score, leads } = report;
  const title = `${camera}: ${targetText[target]}`;
  return [
    title,
    '='.repeat(title.length),
    ...counts(report),
    '',
    ...sideRows(report),
    '',
    `calibration error ${markText(score.calibrationError, 3)}`,
    ...bothWays(report),
    '',
    ...labelRows(report),
    '',
    ...leadLines(leads, score.leadMs),
  ];
}

function counts({ score, undecidableBy }: CameraReport): string[] {
  const reasons = Object.entries(undecidableBy).map(
    ([reason, count]) => `${reason} ${countText(count)}`,
  );
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  return [
    `${countText(score.outcomes)} ${score.outcomes === 1 ? 'outcome' : 'outcomes'}, ${countText(score.undecidable)} undecidable${why}, ` +
      `${countText(score.tooLate)} told too late`,
    ...(score.uncalibrated
      ? [`${countText(score.uncalibrated)} more were not calibrated and are in no mark`]
      : []),
  ];
}

function sideRows({ score, sideBySide }: CameraReport): string[] {
  const heading = ['', 'hits', 'Brier', 'log score', 'skill of Lookahead over it'];
  if (sideBySide === null) {
    const { hitRate, brier, logScore } = score;
    const own = [sideText.forecast, shareText(hitRate), markText(brier), markText(logScore), ''];
    return [...aligned([heading, own]), 'no outcome says what the baselines would have scored'];
  }
  const skills = {
    forecast: '',
    baseRate: markText(score.skillOverBaseRate),
    persistence: markText(score.skillOverPersistence),
  };
  const rows = (['forecast', 'baseRate', 'persistence'] as const).map((name) => {
    const { hitRate, brier, logScore } = sideBySide[name];
    return [sideText[name], shareText(hitRate), markText(brier), markText(logScore), skills[name]];
  });
  return aligned([heading, ...rows]);
}

function bothWays({ score }: CameraReport): string[] {
  const { hitRate, hitRateLeast, skillOverBaseRate, skillOverBaseRateLeast } = score;
  return [
    `undecidables left out: hits ${shareText(hitRate)}, skill ${markText(skillOverBaseRate)}; ` +
      `against us: hits ${shareText(hitRateLeast)}, skill ${markText(skillOverBaseRateLeast)}`,
  ];
}

function labelRows({ score }: CameraReport): string[] {
  return aligned([
    ['label', 'came', 'expected', 'most likely', 'hits', 'Brier'],
    ...labelsOf(score.labels).map(([label, { observed, expected, predicted, hits, brier }]) => [
      printable(label),
      countText(observed),
      expected.toFixed(1),
      countText(predicted),
      countText(hits),
      markText(brier, 3),
    ]),
  ]);
}

/** Most frequent first, «nothing» last: it is no event. */
export function labelsOf<T extends { readonly observed: number }>(
  labels: Readonly<Record<string, T>>,
): [string, T][] {
  return Object.entries(labels).sort(([a, x], [b, y]) => {
    if ((a === 'nothing') !== (b === 'nothing')) return a === 'nothing' ? 1 : -1;
    return y.observed - x.observed || (a < b ? -1 : 1);
  });
}

function leadLines(leads: readonly LeadRow[], medianMs: number | null): string[] {
  if (leads.length === 0) return ['lead times: no event was called most likely before it came'];
  const most = Math.max(...leads.map(({ hits }) => hits));
  const rows = aligned(leads.map((row) => [leadText(row), countText(row.hits)]));
  return [
    `lead times of hits, median ${secondsText(medianMs ?? 0)} s`,
    ...rows.map((row, index) =>
      `${row}  ${'█'.repeat(Math.ceil((barWidth * leads[index]!.hits) / most))}`.trimEnd(),
    ),
  ];
}

export const secondsText = (ms: number): string => String(Math.round(ms / 100) / 10);

export function leadText({ fromMs, toMs }: LeadRow): string {
  return toMs <= 0
    ? `${secondsText(-toMs)} to ${secondsText(-fromMs)} s too late`
    : `${secondsText(fromMs)} to ${secondsText(toMs)} s`;
}

/** The first column to the left, all others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
