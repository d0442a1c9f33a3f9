/** The report on perception as plain tables, for people; `--json` is for programs. */
import { perceptionMeasures, type PerceptionMeasure } from './perception-goals.js';
import type { PerceptionReport } from './perception-report.js';
import { measureText, rangeOf, table } from './plain-table.js';

const meanings: Readonly<Record<PerceptionMeasure, string>> = {
  maskIou: 'mean IoU of the best mask of each thing',
  ap50: 'average precision of masks at IoU 0.5',
  idf1: 'tracks that stay with their things',
  classAccuracy: 'found things whose class is right',
  eventF1: 'recognised events, F1 at 1 s',
  symbolicSkill: 'skill of forecasts from the tracks alone, in full',
  backboneCpuMs: 'CPU ms a clip, one thread',
  segmenterCpuMs: 'CPU ms a clip: encoder, decoder, selection',
};

export function printPerception(report: PerceptionReport, withDetail: boolean): string {
  const { bundle, split, seed, world, scenes, pictures, windows } = report;
  const head =
    `bundle ${bundle.name} ${bundle.version}; split ${split}, seed ${seed}, world ${world}: ` +
    `${scenes} scenes, ${pictures} pictures, ${windows} windows; [95 % intervals by bootstrap over scenes]`;
  const columns = ['', '', '', 'floor', 'goal'];
  const rows = perceptionMeasures.map((name) => {
    const { value, interval, floor, goal, verdict, reason } = report[name];
    const decimals = name.endsWith('Ms') ? 1 : 3;
    const said = value === null || !interval ? '-' : value.toFixed(decimals);
    const range = interval ? rangeOf(interval, decimals) : '';
    const why = reason === undefined ? meanings[name] : `because ${reason}`;
    return [name, said, range, String(floor), String(goal), verdict, why];
  });
  const parts = [[head, ...table([columns, ...rows])], ...(withDetail ? detailOf(report) : [])];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function detailOf({ detail }: PerceptionReport): string[][] {
  const { classes, events, attributes, place, stagesCpuMs, confusions, symbolic } = detail;
  const whole = [
    ['things', String(detail.things), 'sightings that count: at least half visible'],
    ['recall', measureText(detail.recall), 'found at IoU 0.5'],
    ['tooSmall', measureText(detail.tooSmall), "cover no cell of the masks' grid"],
    ['spuriousMasks', measureText(detail.spuriousMasks), 'a picture'],
    ['ignoredMasks', measureText(detail.ignoredMasks), 'a picture, of things that do not count'],
    ['idSwitches', measureText(detail.idSwitches), 'a scene'],
  ];
  const parts: string[][][] = [
    whole,
    [
      ['class', 'things', 'recall', 'maskIou', 'ap50', 'classAccuracy'],
      ...Object.entries(classes).map(([name, it]) => [
        ...[name, String(it.things)],
        ...[it.recall, it.maskIou, it.ap50, it.classAccuracy].map(measureText),
      ]),
    ],
    [
      ['true class', 'said', 'times'],
      ...confusions.slice(0, 10).map(({ truth, said, count }) => [truth, said, String(count)]),
    ],
    [
      ['event', 'truths', 'found', 'F1', 'precision', 'recall'],
      ...Object.entries(events).map(([name, it]) => [
        ...[name, String(it.truths), String(it.found)],
        ...[it.f1, it.precision, it.recall].map(measureText),
      ]),
    ],
    [
      ['attribute', 'shown', 'accuracy', 'when shown'],
      ...Object.entries(attributes).map(([name, it]) => [
        ...[name, String(it.shown)],
        ...[it.accuracy, it.whenShown].map(measureText),
      ]),
    ],
    [['place', 'accuracy'], ...Object.entries(place).map(([name, it]) => [name, measureText(it)])],
    [
      ['stage', 'CPU ms a clip'],
      ...Object.entries(stagesCpuMs).map(([name, it]) => [name, it?.value.toFixed(1) ?? '-']),
    ],
    symbolic === null
      ? []
      : [
          ['nats, in full', measureText(symbolic.logScore)],
          ['of the prior', measureText(symbolic.logScorePrior)],
          ['of Bayes', measureText(symbolic.logScoreBayes)],
          ...Object.entries(symbolic.templates).map(([name, { skill }]) => [
            `skill as published, ${name}`,
            measureText(skill),
          ]),
        ],
  ];
  // A heading without a row tells nothing.
  return parts.filter((rows) => rows.length > 1).map(table);
}
