/** What a forecaster is held against. Each of them hands in lines like everyone else. */
import { yardLabels } from '../world/labels.js';
import type { Labels, NextLine, WithinLine } from './forecast-file.js';
import { mostLikelyNames } from './published-form.js';
import type { TruthWindow } from './truth-window.js';

/**
 * `prior`: the template's label frequencies. `bayes`: the best that the visible history allows. `bayes3`: Bayes as a message,
 * with the three most likely events, which is what a robot wants and nearly what scores best: the most that messages can
 * reach. `persistence`: what happened last happens again. `uniform`: knows nothing.
 */
export const baselines = ['prior', 'bayes', 'bayes3', 'persistence', 'uniform'] as const;
export type Baseline = (typeof baselines)[number];

/**
 * Half the last label, half the prior. So it loses at most ln 2 nats a window to the prior, which is the price of naivety and
 * not of false certainty; the best weight would have to be fitted to the answers.
 */
const persistenceWeight = 0.5;

export function forecastBy(
  name: Baseline,
  window: TruthWindow,
  labels: Labels = yardLabels,
): NextLine {
  const { scene, clip, bayes, prior, last } = window;
  const line = { scene, clip, target: 'next' as const };
  const chances = (of: readonly number[]): NextLine => ({ ...line, chances: named(of, labels) });
  switch (name) {
    case 'prior':
      return chances(prior);
    case 'bayes':
      return chances(bayes);
    case 'bayes3':
      return messageLine(window, bayes, labels);
    case 'persistence':
      if (last === null) return chances(prior);
      return chances(
        prior.map(
          (share, label) =>
            (1 - persistenceWeight) * share + (label === last ? persistenceWeight : 0),
        ),
      );
    case 'uniform':
      return chances(labels.map(() => 1 / labels.length));
  }
}

/** Chances of all labels cut down to what a forecast message says: the three most likely events, nothing, and the rest. */
export function messageLine(
  { scene, clip }: Pick<TruthWindow, 'scene' | 'clip'>,
  all: readonly number[],
  labels: Labels = yardLabels,
): NextLine {
  const events = mostLikelyNames(all).map((label) => ({
    label: labels[label]?.text ?? '',
    confidence: all[label] ?? 0,
  }));
  const nothing = all[0] ?? 0;
  const said = events.reduce((sum, { confidence }) => sum + confidence, nothing);
  const somethingElse = Math.max(0, 1 - said);
  return { scene, clip, target: 'next', events, nothing, somethingElse };
}

export function forecastWithinBy(
  name: 'prior' | 'bayes',
  window: TruthWindow,
  labels: Labels = yardLabels,
): WithinLine {
  const { scene, clip, bayesWithin, priorWithin } = window;
  const of = name === 'bayes' ? bayesWithin : priorWithin;
  const chances = named(of.slice(1), labels.slice(1));
  return { scene, clip, target: 'within', chances };
}

function named(chances: readonly number[], labels: Labels): Record<string, number> {
  return Object.fromEntries(labels.map(({ text }, index) => [text, chances[index] ?? 0]));
}
