/** The report as plain tables, for people; `--json` is for programs. */
import type { Measure } from './scene-sums.js';
import {
  forecasters,
  type Forecaster,
  type Hits,
  type NextReport,
  type ScoreReport,
  type ScoresByTruth,
} from './score-file.js';

const meanings: Readonly<Record<Forecaster, string>> = {
  forecast: 'the file',
  prior: 'label frequencies of the template',
  bayes: 'the best that the visible history allows',
  bayes3: 'the same, naming its three most likely events',
  persistence: 'half the last event, half the prior',
  uniform: 'all labels alike',
};

export function printReport(report: ScoreReport): string {
  const { scenes, windows, linesLeftOut, next, within } = report;
  const head = [
    `${String(windows)} windows of ${String(scenes)} scenes; [95 % intervals by bootstrap over scenes]`,
    ...(linesLeftOut > 0
      ? [`${String(linesLeftOut)} lines are for later windows and were left out`]
      : []),
  ];
  const parts = [head, ...(next ? partsOfNext(next) : []), ...(within ? [withinPart(within)] : [])];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function partsOfNext(next: NextReport): string[][] {
  const { scores, hits, calibration, templates, stateGap } = next;
  const table = (of: Readonly<Record<Forecaster, ScoresByTruth>>): string[] => [
    scoreHead,
    ...forecasters.map((name) => `${scoreRow(name, of[name])}  ${meanings[name]}`),
  ];
  return [
    ['Next event, as published: three names, nothing, something else', ...table(scores.published)],
    ['Next event, in full: all that each one says', ...table(scores.full)],
    [
      `${'Answers that come true'.padEnd(24)}${['forecast', 'of Bayes', 'prior', 'Bayes'].map(cell).join('')}`,
      hitRow('top 1, drawn', hits.top1.drawn),
      hitRow('top 1, expected', hits.top1.expected),
      hitRow('top 3, drawn', hits.top3.drawn),
      hitRow('top 3, expected', hits.top3.expected),
    ],
    [
      `Calibration, ${String(calibration.pairs)} pairs in ${String(calibration.reliability.length)} bins of equal mass`,
      `${'ece'.padEnd(24)}${ranged(calibration.ece)}; luck alone gives a perfect forecaster ${calibration.eceOfPerfect.toFixed(3)}`,
      `${'eceBayes'.padEnd(24)}${ranged(calibration.eceBayes)}`,
      ['said', 'came', 'pBayes', 'pairs'].map((name) => name.padStart(9)).join(''),
      ...calibration.reliability.map(({ said, came, bayes, pairs }) =>
        [said.toFixed(3), came.toFixed(3), bayes.toFixed(3), String(pairs)]
          .map((text) => text.padStart(9))
          .join(''),
      ),
    ],
    [
      `${'Skill by template'.padEnd(24)}${['windows', 'drawn', 'expected'].map(cell).join('')}`,
      ...Object.entries(templates).map(
        ([name, { windows, drawn, expected }]) =>
          `${name.padEnd(24)}${[String(windows), ranged(drawn), ranged(expected)].map(cell).join('')}`,
      ),
    ],
    [
      'The exam itself',
      `${'S_bayes - S_state'.padEnd(24)}${ranged(stateGap.expected)} nats expected, ${ranged(stateGap.drawn)} drawn`,
      `${'nothing is likeliest'.padEnd(24)}${String(next.nothingLikeliest)} windows`,
      `${'near-even'.padEnd(24)}${String(next.nearEven)} windows`,
      `${'distance to pBayes'.padEnd(24)}${ranged(next.totalVariationToBayes)} (total variation, 0 to 1)`,
    ],
  ];
}

function withinPart(within: NonNullable<ScoreReport['within']>): string[] {
  const names = ['forecast', 'prior', 'bayes'] as const;
  return [
    'Events that begin within the horizon, each by itself, summed',
    scoreHead,
    ...names.map((name) => `${scoreRow(name, within[name])}  ${meanings[name]}`),
  ];
}

const width = 24;
const cell = (text: string): string => text.padStart(width);

const scoreHead = `${''.padEnd(12)}${['skill', 'skill, expected', 'log score', 'expected', 'Brier', 'expected'].map(cell).join('')}`;

function scoreRow(name: string, { drawn, expected }: ScoresByTruth): string {
  const cells = [
    drawn.skill,
    expected.skill,
    drawn.logScore,
    expected.logScore,
    drawn.brier,
    expected.brier,
  ];
  return `${name.padEnd(12)}${cells.map((measure) => cell(ranged(measure))).join('')}`;
}

function hitRow(name: string, { forecast, ofBayes, prior, bayes }: Hits): string {
  return `${name.padEnd(24)}${[forecast, ofBayes, prior, bayes].map((measure) => cell(ranged(measure))).join('')}`;
}

function ranged(measure: Measure | null): string {
  if (!measure) return '-';
  const [low, high] = measure.interval;
  return `${fixed(measure.value)} [${fixed(low)}, ${fixed(high)}]`;
}

/** A zero that lost its sign to rounding is a zero. */
function fixed(value: number): string {
  return value.toFixed(3).replace(/^-(0\.0+)$/, '$1');
}
