/**
 * What a forecaster's file is worth, as the design defines it: log score and Brier score over all labels, skill between the
 * prior (0) and the best that anyone could know (1), calibration, and where the skill lies.
 *
 * Every score is given twice: against what did happen (`drawn`), and in expectation under pBayes (`expected`), which is the
 * same but for the luck of the draw. published-form.ts says how lines become distributions, and why none can be gamed.
 */
import { brierScore, chanceMin, logScore, spreadOverLabels, type Truth } from '../../scores.js';
import { isNearEven, isNothingLikeliest } from '../truth/doubt.js';
import { yardLabels } from '../world/labels.js';
import { baselines, forecastBy, forecastWithinBy, type Baseline } from './baselines.js';
import { calibrate, calibrationPairs, type Calibration } from './calibration.js';
import type { ForecastLine, Labels, NextLine, WithinLine } from './forecast-file.js';
import { keyOf, matchLines } from './match-lines.js';
import { saidNext, saidWithin, type Said } from './published-form.js';
import { SceneSums, type BootstrapOptions, type Measure } from './scene-sums.js';
import type { TruthWindow } from './truth-window.js';

export interface ScoreOptions extends BootstrapOptions {
  /** Those of the yard unless told otherwise. */
  readonly labels?: Labels | undefined;
}

/** Measures are null where they are undefined: nothing to divide by. Scores are in nats or Brier's, lower is better. */
export interface Scores {
  readonly logScore: Measure | null;
  readonly brier: Measure | null;
  /** S_prior - S, in nats: above 0 when the forecasts beat the prior. */
  readonly gain: Measure | null;
  /** (S_prior - S) / (S_prior - S_bayes), of the log score. */
  readonly skill: Measure | null;
  readonly brierSkill: Measure | null;
}

export const truths = ['drawn', 'expected'] as const;
export type ScoresByTruth = Readonly<Record<(typeof truths)[number], Scores>>;

export const forms = ['published', 'full'] as const;
export type Form = (typeof forms)[number];
export type Forecaster = 'forecast' | Baseline;
export const forecasters: readonly Forecaster[] = ['forecast', ...baselines];

/** How often the answer is among the forecaster's likeliest. Equal chances share the places. */
export interface Hits {
  readonly forecast: Measure | null;
  readonly prior: Measure | null;
  readonly bayes: Measure | null;
  /** The forecaster's as a share of Bayes' own. */
  readonly ofBayes: Measure | null;
}

export interface NextReport {
  /** The headline is `published`. */
  readonly scores: Readonly<Record<Form, Readonly<Record<Forecaster, ScoresByTruth>>>>;
  /** Answers are labels, nothing too. */
  readonly hits: Readonly<Record<'top1' | 'top3', Readonly<Record<(typeof truths)[number], Hits>>>>;
  readonly calibration: Calibration;
  /** Half the sum over all labels of |q - pBayes|: 0 the same, 1 nothing in common. Mean over windows. */
  readonly totalVariationToBayes: Measure | null;
  /** Skill as published, per template. */
  readonly templates: Readonly<
    Record<
      string,
      { readonly windows: number } & Readonly<Record<(typeof truths)[number], Measure | null>>
    >
  >;
  /** What the whole state tells beyond the visible history: S_bayes - S_state in full, nats; expected under pState. */
  readonly stateGap: Readonly<Record<(typeof truths)[number], Measure | null>>;
  /** Of all windows, by pBayes: those whose likeliest answer is nothing, and those whose two likeliest are near-even. */
  readonly nothingLikeliest: number;
  readonly nearEven: number;
}

/** Sums over the events' own yes-or-no scores, mean over windows. */
export type WithinReport = Readonly<Record<'forecast' | 'prior' | 'bayes', ScoresByTruth>>;

export interface ScoreReport {
  readonly scenes: number;
  readonly windows: number;
  /** Lines for later windows than the exam's last. */
  readonly linesLeftOut: number;
  readonly next: NextReport | null;
  readonly within: WithinReport | null;
}

/** @throws LookaheadError usage: windows missing, twice, or not in the exam */
export function scoreFile(
  exam: readonly TruthWindow[],
  forecasts: readonly ForecastLine[],
  options: ScoreOptions = {},
): ScoreReport {
  if (exam.length === 0) throw new RangeError('There is no window to score.');
  const labels = options.labels ?? yardLabels;
  const { next, within, leftOut } = matchLines(exam, forecasts);
  return {
    scenes: new Set(exam.map(({ scene }) => scene)).size,
    windows: exam.length,
    linesLeftOut: leftOut,
    next: next.size > 0 ? scoreNext(exam, next, labels, options) : null,
    within: within.size > 0 ? scoreWithin(exam, within, labels, options) : null,
  };
}

function scoreNext(
  exam: readonly TruthWindow[],
  lines: ReadonlyMap<string, NextLine>,
  labels: Labels,
  options: BootstrapOptions,
): NextReport {
  const sums = new SceneSums(options);
  const pairs: ReturnType<typeof calibrationPairs> = [];
  const templates = new Map<string, number>();
  const say = rememberBaselines(labels);

  for (const window of exam) {
    const { scene, template, next, bayes, state, prior } = window;
    const add = (column: string, value: number): void => sums.add(scene, column, value);
    const line = lines.get(keyOf(window));
    if (!line) continue;
    templates.set(template, (templates.get(template) ?? 0) + 1);
    add('windows', 1);

    const said = new Map<Forecaster, Said>([['forecast', saidNext(line, prior, labels)]]);
    for (const name of baselines) said.set(name, say(name, window));
    for (const [name, distributions] of said)
      for (const form of forms)
        for (const [truth, came] of [
          ['drawn', next],
          ['expected', bayes],
        ] as const) {
          const log = logScore(distributions[form], came);
          add(`${form} ${name} ${truth} log`, log);
          add(`${form} ${name} ${truth} brier`, brierScore(distributions[form], came));
          if (form === 'published') add(`template ${template} ${name} ${truth} log`, log);
        }

    for (const name of ['forecast', 'prior', 'bayes'] as const) {
      const answers = said.get(name)?.full ?? [];
      for (const places of [1, 3] as const) {
        const shares = placesOf(answers, places);
        add(`top${places} ${name} drawn`, shares[next] ?? 0);
        add(`top${places} ${name} expected`, dot(shares, bayes));
      }
    }

    const full = said.get('forecast')?.full ?? [];
    pairs.push(...calibrationPairs(window, full));
    add('variation', half(full.map((share, label) => Math.abs(share - (bayes[label] ?? 0)))));

    const bayesSaid = said.get('bayes')?.full ?? [];
    const stateSaid = spreadOverLabels(state, 0, prior);
    const gap = (came: Truth): number => logScore(bayesSaid, came) - logScore(stateSaid, came);
    add('state drawn', gap(next));
    add('state expected', gap(state));
  }

  const byTruth = (of: (truth: (typeof truths)[number]) => Measure | null) => ({
    drawn: of('drawn'),
    expected: of('expected'),
  });
  const hits = (places: 1 | 3, truth: string): Hits => {
    const column = (name: string): string => `top${places} ${name} ${truth}`;
    return {
      forecast: sums.ratio(column('forecast'), 'windows'),
      prior: sums.ratio(column('prior'), 'windows'),
      bayes: sums.ratio(column('bayes'), 'windows'),
      ofBayes: sums.ratio(column('forecast'), column('bayes')),
    };
  };
  const scoresOf = (form: Form) =>
    mapKeys(forecasters, (name) =>
      mapKeys(truths, (truth) =>
        scoresFrom(sums, (who, what) => `${form} ${who} ${truth} ${what}`, name),
      ),
    );
  return {
    scores: { published: scoresOf('published'), full: scoresOf('full') },
    hits: {
      top1: { drawn: hits(1, 'drawn'), expected: hits(1, 'expected') },
      top3: { drawn: hits(3, 'drawn'), expected: hits(3, 'expected') },
    },
    calibration: calibrate(pairs, new SceneSums(options)),
    totalVariationToBayes: sums.ratio('variation', 'windows'),
    templates: Object.fromEntries(
      [...templates].map(([template, windows]) => [
        template,
        {
          windows,
          ...byTruth((truth) =>
            sums.measure(skill((who) => `template ${template} ${who} ${truth} log`, 'forecast')),
          ),
        },
      ]),
    ),
    stateGap: byTruth((truth) => sums.ratio(`state ${truth}`, 'windows')),
    nothingLikeliest: exam.filter(({ bayes }) => isNothingLikeliest(bayes)).length,
    nearEven: exam.filter(({ bayes }) => isNearEven(bayes)).length,
  };
}

function scoreWithin(
  exam: readonly TruthWindow[],
  lines: ReadonlyMap<string, WithinLine>,
  labels: Labels,
  options: BootstrapOptions,
): WithinReport {
  const sums = new SceneSums(options);
  for (const window of exam) {
    const { scene, priorWithin, bayesWithin } = window;
    const line = lines.get(keyOf(window));
    if (!line) continue;
    sums.add(scene, 'windows', 1);
    const drawn = window.within.map(Number);
    for (const [name, by] of [
      ['forecast', line],
      ['prior', forecastWithinBy('prior', window, labels)],
      ['bayes', forecastWithinBy('bayes', window, labels)],
    ] as const) {
      const said = saidWithin(by, priorWithin, labels);
      for (const [truth, came] of [
        ['drawn', drawn],
        ['expected', bayesWithin],
      ] as const) {
        const { log, brier } = yesNoScores(said, came);
        sums.add(scene, `${name} ${truth} log`, log);
        sums.add(scene, `${name} ${truth} brier`, brier);
      }
    }
  }
  return mapKeys(['forecast', 'prior', 'bayes'] as const, (name) =>
    mapKeys(truths, (truth) => scoresFrom(sums, (who, what) => `${who} ${truth} ${what}`, name)),
  );
}

/** Each event is asked for by itself, so that each is proper by itself; the same floor holds on both sides. */
export function yesNoScores(
  said: readonly number[],
  came: readonly number[],
): { readonly log: number; readonly brier: number } {
  let log = 0;
  let brier = 0;
  for (let label = 1; label < said.length; label++) {
    const chance = Math.min(1 - chanceMin, Math.max(chanceMin, said[label] ?? 0));
    const truth = came[label] ?? 0;
    log -= truth * Math.log(chance) + (1 - truth) * Math.log(1 - chance);
    brier += truth * (1 - chance) ** 2 + (1 - truth) * chance ** 2;
  }
  return { log, brier };
}

type ColumnOf = (who: string, what: 'log' | 'brier') => string;

function scoresFrom(sums: SceneSums, columnOf: ColumnOf, name: string): Scores {
  const column = columnOf(name, 'log');
  const prior = columnOf('prior', 'log');
  return {
    logScore: sums.ratio(column, 'windows'),
    brier: sums.ratio(columnOf(name, 'brier'), 'windows'),
    gain: sums.measure((sum) => (sum(prior) - sum(column)) / sum('windows')),
    skill: sums.measure(skill((who) => columnOf(who, 'log'), name)),
    brierSkill: sums.measure(skill((who) => columnOf(who, 'brier'), name)),
  };
}

/** Means first: the windows' sums are divided, not their skills averaged. */
function skill(columnOf: (who: string) => string, name: string) {
  const [own, prior, bayes] = [name, 'prior', 'bayes'].map(columnOf) as [string, string, string];
  return (sum: (column: string) => number): number =>
    (sum(prior) - sum(own)) / (sum(prior) - sum(bayes));
}

/** What baselines say. Three of them say the same in many windows; to find their names again each time would be slow. */
export function rememberBaselines(labels: Labels): (name: Baseline, window: TruthWindow) => Said {
  const known = new Map<string, Said>();
  return (name, window) => {
    const fresh = (): Said => saidNext(forecastBy(name, window, labels), window.prior, labels);
    if (name === 'bayes' || name === 'bayes3') return fresh();
    const about = name === 'persistence' ? String(window.last) : '';
    const key = [name, about, ...window.prior].join(' ');
    const said = known.get(key) ?? fresh();
    known.set(key, said);
    return said;
  };
}

/** Which share of a place each label has: 1 above the last place, the places left over shared among equals. */
export function placesOf(chances: readonly number[], places: number): number[] {
  const last = [...chances].sort((a, b) => b - a)[places - 1] ?? 0;
  const above = chances.filter((share) => share > last).length;
  const equal = chances.filter((share) => share === last).length;
  return chances.map((share) => (share > last ? 1 : share === last ? (places - above) / equal : 0));
}

function mapKeys<Key extends string, Value>(
  keys: readonly Key[],
  of: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<Key, Value>;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, index) => total + value * (b[index] ?? 0), 0);
}

function half(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / 2;
}
