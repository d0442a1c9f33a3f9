/**
 * How a line of a forecaster's file becomes a distribution over all labels; the only road to a score, for Bayes, the prior
 * and everyone else alike.
 *
 * A line is scored twice:
 * - **published**, the headline: nothing, three named events, and «something else» spread over the others by the base rates.
 *   This is all that a forecast message can say. If Bayes, or whoever hands in `chances`, kept his whole distribution, then
 *   a forecaster who knows as much and publishes messages would look worse than he is.
 * - **full**: all that the line says, for comparing forecasters that have more to say.
 *
 * Neither can be gamed by the way in which beliefs are cut into names and a rest. Let p be what a forecaster believes:
 * - **full** is the log score of a distribution, which is proper: no line has a lower expected score than `chances` = p.
 * - **published** is lossy: what p says of the unnamed labels is lost, and which three are named matters. The three most
 *   likely are not always the best choice: naming a label that is now impossible keeps the rest from flowing to it. Left to
 *   the forecaster, that would be a game that has nothing to do with foresight. Thus from `chances` the scorer itself takes
 *   the three names that lose least in expectation by those very chances. For given names the honest values are the best
 *   ones, and for honest values the names are, so that no line, of either form, has a lower expected score than
 *   `chances` = p. A line with `events` is scored with the names it has; that is honest, and never better.
 *
 * Both hold exactly as long as the floor touches nothing. What the floor gives anyway need not be said: in full that is worth
 * at most (K · 0.0001)² / 4 nats, 4e-6 for 40 labels. As published it can be worth more, as the rest may be misstated so that
 * less of it flows to where the floor already is: about 0.001 nats a window for someone who knows pBayes itself and misstates
 * each rest at its best, a thousandth of what a skill of 1 is worth, but 0.05 in single windows. The floor is the design's,
 * and the same for all; whoever minds compares in full.
 */
import { chanceMin, spreadOverLabels } from '../../scores.js';
import { namedEventsMax, type Labels, type NextLine, type WithinLine } from './forecast-file.js';

/** Base rates are counts over a few million windows at most: what is smaller is what rounding left of 0. */
const noRate = 1e-12;

/** What one line says of the next event, over all labels. */
export interface Said {
  readonly published: readonly number[];
  readonly full: readonly number[];
}

/** @param baseRates of the window's template */
export function saidNext(line: NextLine, baseRates: readonly number[], labels: Labels): Said {
  if (!('chances' in line)) {
    const { events, nothing, somethingElse } = line;
    const confidence = new Map(events.map((event) => [event.label, event.confidence]));
    const total = add([...confidence.values(), nothing, somethingElse]);
    const named = labels.map(({ text }, index) => {
      const share = index === 0 ? nothing : confidence.get(text);
      return share === undefined ? null : share / total;
    });
    const spread = spreadOverLabels(named, somethingElse / total, baseRates);
    return { published: spread, full: spread };
  }
  const raw = labels.map(({ text }) => line.chances[text] ?? 0);
  const total = add(raw);
  const chances = raw.map((share) => share / total);
  return {
    published: publish(chances, leastLossNames(chances, baseRates), baseRates),
    full: spreadOverLabels(chances, 0, baseRates),
  };
}

/**
 * The chance of each label to begin at all within the horizon, each a question of its own; index 0 stays 0. What a line with
 * `events` does not name keeps its base rate.
 */
export function saidWithin(
  line: WithinLine,
  baseRates: readonly number[],
  labels: Labels,
): number[] {
  const named = new Map(
    'chances' in line
      ? Object.entries(line.chances)
      : line.events.map((event) => [event.label, event.confidence]),
  );
  return labels.map(({ text }, index) => {
    if (index === 0) return 0;
    return named.get(text) ?? ('chances' in line ? 0 : (baseRates[index] ?? 0));
  });
}

/** Chances of all labels, cut down to nothing, the named ones and a rest. */
export function publish(
  chances: readonly number[],
  names: readonly number[],
  baseRates: readonly number[],
): number[] {
  const named = chances.map((share, index) =>
    index === 0 || names.includes(index) ? share : null,
  );
  const rest = Math.max(0, 1 - add(named.map((share) => share ?? 0)));
  return spreadOverLabels(named, rest, baseRates);
}

/** The events with the highest chances; of equal ones the first. */
export function mostLikelyNames(chances: readonly number[]): number[] {
  return chances
    .map((share, label) => ({ share, label }))
    .slice(1)
    .sort((a, b) => b.share - a.share || a.label - b.label)
    .slice(0, namedEventsMax)
    .map(({ label }) => label);
}

/**
 * The three events whose naming loses least: those for which the expected log score of `publish`, floor and all, is lowest by
 * the chances themselves. All sets of three are tried. Labels are sorted by base rate, so that those which the floor lifts
 * come first, and running sums make one trial cheap: there are 9,139 for 39 events.
 */
export function leastLossNames(chances: readonly number[], baseRates: readonly number[]): number[] {
  const events = chances.map((_, label) => label).slice(1);
  const chanceOf = (label: number): number => chances[label] ?? 0;
  const rateOf = (label: number): number => baseRates[label] ?? 0;
  // What neither is expected nor has a base rate is at the floor, named or not; three such labels stand for them all, as
  // names to spend where leaving an expected label to the rest is better than naming it.
  const isOpen = (label: number): boolean => chanceOf(label) > 0 || rateOf(label) > 0;
  const closed = events.filter((label) => !isOpen(label)).slice(0, namedEventsMax);
  const candidates = [...closed, ...events.filter(isOpen)].sort((a, b) => rateOf(a) - rateOf(b));
  if (candidates.length <= namedEventsMax) return candidates;

  const count = candidates.length;
  const chance = Float64Array.from(candidates, chanceOf);
  const rate = Float64Array.from(candidates, rateOf);
  // A label without base rate is always lifted by the floor, so that its logarithm is never asked for.
  const chanceLogRate = Float64Array.from(candidates, (label) =>
    rateOf(label) > 0 ? chanceOf(label) * Math.log(rateOf(label)) : 0,
  );
  const floored = (share: number): number => Math.max(chanceMin, share);
  const namedMass = Float64Array.from(chance, floored);
  const namedLoss = Float64Array.from(chance, (share) => -share * Math.log(floored(share)));
  const chanceBefore = runningSum(chance);
  const rateBefore = runningSum(rate);
  const chanceLogRateBefore = runningSum(chanceLogRate);
  const nothing = chances[0] ?? 0;
  const closedCount = events.length - count;

  const loss = (i: number, j: number, k: number): number => {
    const restChance = Math.max(0, chanceBefore[count]! - chance[i]! - chance[j]! - chance[k]!);
    const restRate = rateBefore[count]! - rate[i]! - rate[j]! - rate[k]!;
    const kept = namedLoss[i]! + namedLoss[j]! + namedLoss[k]!;
    const keptMass = floored(nothing) + namedMass[i]! + namedMass[j]! + namedMass[k]!;
    const unnamedCount = count - namedEventsMax;
    if (restRate < noRate) {
      // No base rates to go by: all unnamed labels share alike.
      const each = floored(restChance / (unnamedCount + closedCount));
      const mass = keptMass + each * (unnamedCount + closedCount);
      return kept - restChance * Math.log(each) + Math.log(mass);
    }
    const scale = restChance / restRate;
    let low = 0;
    for (let high = count; low < high;) {
      const middle = (low + high) >> 1;
      if (rate[middle]! * scale < chanceMin) low = middle + 1;
      else high = middle;
    }
    // Before `low` the floor lifts, from it on the base rates rule; the named ones are taken out of either part.
    let liftedCount = low;
    let liftedChance = chanceBefore[low]!;
    let ruledRate = rateBefore[count]! - rateBefore[low]!;
    let ruledChance = chanceBefore[count]! - liftedChance;
    let ruledLog = chanceLogRateBefore[count]! - chanceLogRateBefore[low]!;
    const takeOut = (at: number): void => {
      if (at < low) {
        liftedCount--;
        liftedChance -= chance[at]!;
      } else {
        ruledRate -= rate[at]!;
        ruledChance -= chance[at]!;
        ruledLog -= chanceLogRate[at]!;
      }
    };
    takeOut(i);
    takeOut(j);
    takeOut(k);
    const mass = keptMass + (liftedCount + closedCount) * chanceMin + scale * ruledRate;
    const ruled = scale > 0 ? ruledLog + ruledChance * Math.log(scale) : 0;
    return kept - liftedChance * Math.log(chanceMin) - ruled + Math.log(mass);
  };

  let best: [number, number, number] = [0, 1, 2];
  let bestLoss = Infinity;
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++)
      for (let k = j + 1; k < count; k++) {
        const now = loss(i, j, k);
        if (now >= bestLoss) continue;
        bestLoss = now;
        best = [i, j, k];
      }
  return best.map((at) => candidates[at]!);
}

/** Entry i is the sum of the first i values. */
function runningSum(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, index) => (sums[index + 1] = sums[index]! + value));
  return sums;
}

function add(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
