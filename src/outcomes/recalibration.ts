/**
 * One temperature T and one bias b of nothing for one camera: a map on the five cells that a forecast publishes.
 *
 * q' ∝ q^(1/T) · exp(b·[nothing]), over the three named events, nothing, and something else.
 *
 * It keeps the order of the events, and as it acts on what is published, outcomes alone hold what it is learned from: the
 * inverse of what was applied gives the bundle's own chances back.
 */
import type { Outcome, Recalibration } from '../messages.js';
import { chanceMin } from '../scores.js';

/** The chances of one forecast as published; they sum to 1. */
export interface Cells {
  /** Of the named events, in the order of the forecast. */
  readonly events: readonly number[];
  readonly nothing: number;
  readonly somethingElse: number;
}

/** What is learned; T = 1 and b = 0 are the bundle's own. */
export type RecalibrationValues = Pick<Recalibration, 'temperature' | 'nothingBias'>;

export const bundlesOwn: RecalibrationValues = { temperature: 1, nothingBias: 0 };

/** Beyond these nothing is learned: what would need more is no matter of calibration but of another bundle. */
export const recalibrationBounds = { temperature: [0.5, 3], nothingBias: [-2, 2] } as const;

/** The bundle's own cells as they are published. */
export function applyRecalibration(
  { events, nothing, somethingElse }: Cells,
  { temperature, nothingBias }: RecalibrationValues,
): Cells {
  const power = 1 / temperature;
  return divided({
    events: events.map((chance) => chance ** power),
    nothing: nothing ** power * Math.exp(nothingBias),
    somethingElse: somethingElse ** power,
  });
}

/** The bundle's own cells from those that were published: `applyRecalibration` backwards. */
export function invertRecalibration(
  { events, nothing, somethingElse }: Cells,
  { temperature, nothingBias }: RecalibrationValues,
): Cells {
  return divided({
    events: events.map((chance) => chance ** temperature),
    nothing: (nothing * Math.exp(-nothingBias)) ** temperature,
    somethingElse: somethingElse ** temperature,
  });
}

function divided({ events, nothing, somethingElse }: Cells): Cells {
  const total = events.reduce((sum, chance) => sum + chance, nothing + somethingElse);
  return {
    events: events.map((chance) => chance / total),
    nothing: nothing / total,
    somethingElse: somethingElse / total,
  };
}

/** What one outcome tells: the bundle's own chances, and which of the cells came true. */
export interface Evidence {
  readonly windowToMs: number;
  readonly horizonMs: number;
  /** Natural logarithms, floored like the scores: named events, nothing, something else. */
  readonly logChances: readonly number[];
  /** Index of nothing among them; something else is the one after. */
  readonly nothing: number;
  readonly came: number;
  /** What it counts, where outcomes of its kind come to be known more often than others; absent: 1. */
  readonly share?: number;
}

/**
 * Null where an outcome teaches nothing: undecidable, of the target within, of a forecast that was not to be trusted, or
 * without the words of its forecast.
 */
export function evidenceOf(outcome: Outcome): Evidence | null {
  const { verdict, observed, target = 'next', calibrated, answers, windowTo, horizonMs } = outcome;
  if (verdict === 'undecidable' || observed === null) return null;
  if (target !== 'next' || calibrated === false) return null;
  if (!answers || windowTo === undefined || horizonMs === undefined) return null;
  const published = {
    events: answers.events.map(({ confidence }) => confidence),
    nothing: answers.nothing,
    somethingElse: answers.somethingElse,
  };
  const own = outcome.recalibration
    ? invertRecalibration(published, outcome.recalibration)
    : published;
  const nothing = own.events.length;
  const named = answers.events.findIndex(({ label }) => label === observed);
  return evidence(own, observed === 'nothing' ? nothing : named < 0 ? nothing + 1 : named, {
    windowToMs: Date.parse(windowTo),
    horizonMs,
  });
}

/** @param came index among the named events; their number: nothing; one more: something else */
export function evidence(
  own: Cells,
  came: number,
  when: Pick<Evidence, 'windowToMs' | 'horizonMs'>,
): Evidence {
  const cells = [...own.events, own.nothing, own.somethingElse];
  const logChances = cells.map((chance) => Math.log(Math.max(chanceMin, chance)));
  return { ...when, logChances, nothing: own.events.length, came };
}

export interface FitOptions {
  /** Only the last so many outcomes count. */
  readonly outcomesMax: number;
  /** Fewer teach nothing. */
  readonly outcomesMin: number;
  /** After so many further outcomes one counts half; Infinity: never. */
  readonly halfLife: number;
  /** Standard deviation of ln T before anything was seen. */
  readonly temperatureSpread: number;
  /** Of b, nats. */
  readonly biasSpread: number;
  /** Twice the gain in log score over all counted outcomes, nats, from which the bundle's own is left. */
  readonly adoptFrom: number;
  /** The same, below which it is returned to. */
  readonly returnBelow: number;
  /** The same, over what is in force, from which another value follows it. */
  readonly moveFrom: number;
}

/**
 * Were the bundle's chances true, twice the gain of the best of two free numbers would be distributed as chi-squared of two
 * degrees: above 9.2 once in a hundred. Tuned on seed 900, which is not reported on (docs/quality.md).
 */
export const defaultFit: FitOptions = {
  outcomesMax: 500,
  outcomesMin: 100,
  halfLife: 250,
  temperatureSpread: 0.5,
  biasSpread: 1,
  adoptFrom: 9.2,
  returnBelow: 6,
  moveFrom: 1,
};

export interface Fit extends RecalibrationValues {
  /** How many outcomes it rests on. */
  readonly outcomes: number;
  /** How many independent ones they are worth. */
  readonly weight: number;
}

/**
 * Maximum a posteriori over (ln T, b), of Gaussian priors about the bundle's own, within the bounds. Deterministic.
 *
 * A forecast every two seconds with a horizon of four meets each event twice, so that its outcomes are no independent
 * witnesses. Each counts by the share of its horizon that its predecessor's had not covered: all of them together by the time
 * that they cover, in horizons.
 *
 * @param heard oldest first
 */
export function fitRecalibration(heard: readonly Evidence[], options: FitOptions): Fit {
  const weighed = weigh(heard, options);
  const weight = weighed.reduce((sum, it) => sum + it.weight, 0);
  const values = highest(weighed, options);
  return { ...values, outcomes: weighed.length, weight };
}

/**
 * What is to be in force from now on: the object `inForce` itself while nothing better is known.
 *
 * The bundle's own chances are left only for a gain in log score that chance does not explain, and returned to when the gain
 * has gone; from one value to the next it moves only where that, too, gains something, so that versions stay few.
 */
export function nextRecalibration<InForce extends RecalibrationValues>(
  heard: readonly Evidence[],
  inForce: InForce,
  options: FitOptions,
): InForce | Fit {
  const weighed = weigh(heard, options);
  if (weighed.length < options.outcomesMin) return inForce;
  const best = fitRecalibration(heard, options);
  const twiceGain = (over: RecalibrationValues): number =>
    2 * (logLikelihood(weighed, best) - logLikelihood(weighed, over));
  const isOwn = inForce.temperature === 1 && inForce.nothingBias === 0;
  const overOwn = twiceGain(bundlesOwn);
  if (isOwn) return overOwn >= options.adoptFrom ? best : inForce;
  if (overOwn < options.returnBelow) return { ...best, ...bundlesOwn };
  return twiceGain(inForce) >= options.moveFrom ? best : inForce;
}

interface Weighed extends Evidence {
  readonly weight: number;
}

function weigh(heard: readonly Evidence[], { outcomesMax, halfLife }: FitOptions): Weighed[] {
  const first = Math.max(0, heard.length - outcomesMax);
  return heard.slice(first).map((it, index, counted) => {
    const before = heard[first + index - 1];
    const freshMs = before ? it.windowToMs - before.windowToMs : it.horizonMs;
    const fresh = Math.min(1, Math.max(0, freshMs / it.horizonMs));
    return {
      ...it,
      weight: (it.share ?? 1) * fresh * 0.5 ** ((counted.length - 1 - index) / halfLife),
    };
  });
}

function logLikelihood(weighed: readonly Weighed[], values: RecalibrationValues): number {
  const power = 1 / values.temperature;
  return weighed.reduce((sum, { logChances, nothing, came, weight }) => {
    const logits = logChances.map(
      (log, cell) => power * log + (cell === nothing ? values.nothingBias : 0),
    );
    return sum + weight * ((logits[came] ?? 0) - logSum(logits));
  }, 0);
}

function logSum(logits: readonly number[]): number {
  const most = Math.max(...logits);
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

const stepsMax = 50;
const halvingsMax = 30;

/** Newton's steps in (ln T, b), by the expected curvature, each halved until it climbs; kept within the bounds. */
function highest(weighed: readonly Weighed[], options: FitOptions): RecalibrationValues {
  const temperaturePrecision = options.temperatureSpread ** -2;
  const biasPrecision = options.biasSpread ** -2;
  const posterior = (logT: number, bias: number): number =>
    logLikelihood(weighed, { temperature: Math.exp(logT), nothingBias: bias }) -
    (temperaturePrecision * logT ** 2 + biasPrecision * bias ** 2) / 2;
  const [coldest, hottest] = recalibrationBounds.temperature.map(Math.log) as [number, number];
  const [least, most] = recalibrationBounds.nothingBias;

  let [logT, bias] = [0, 0];
  let height = posterior(logT, bias);
  for (let step = 0; step < stepsMax; step++) {
    const slope = slopes(weighed, logT, bias);
    const bySlope = {
      logT: slope.logT - temperaturePrecision * logT,
      bias: slope.bias - biasPrecision * bias,
    };
    const a = slope.logTTwice + temperaturePrecision;
    const d = slope.biasTwice + biasPrecision;
    // At a bound that the slope leads out of, the other coordinate moves alone.
    const isHeldT = isBeyond(logT, bySlope.logT, coldest, hottest);
    const isHeldB = isBeyond(bias, bySlope.bias, least, most);
    const c = isHeldT || isHeldB ? 0 : slope.both;
    const determinant = a * d - c * c;
    const moveT = isHeldT ? 0 : (d * bySlope.logT - c * bySlope.bias) / determinant;
    const moveB = isHeldB ? 0 : (a * bySlope.bias - c * bySlope.logT) / determinant;

    let share = 1;
    let climbed = 0;
    for (let halving = 0; halving < halvingsMax && climbed <= 0; halving++, share /= 2) {
      const nextT = within(logT + share * moveT, coldest, hottest);
      const nextB = within(bias + share * moveB, least, most);
      climbed = posterior(nextT, nextB) - height;
      if (climbed <= 0) continue;
      [logT, bias] = [nextT, nextB];
      height += climbed;
    }
    if (climbed < 1e-10) break;
  }
  return {
    temperature: within(Math.exp(logT), ...recalibrationBounds.temperature),
    nothingBias: bias,
  };
}

interface Slopes {
  readonly logT: number;
  readonly bias: number;
  readonly logTTwice: number;
  readonly biasTwice: number;
  readonly both: number;
}

/** First derivatives of the log likelihood, and its expected curvature. */
function slopes(weighed: readonly Weighed[], logT: number, bias: number): Slopes {
  const power = Math.exp(-logT);
  let [byT, byB, byTT, byBB, byTB] = [0, 0, 0, 0, 0];
  for (const { logChances, nothing, came, weight } of weighed) {
    const logits = logChances.map((log, cell) => power * log + (cell === nothing ? bias : 0));
    const total = logSum(logits);
    const chances = logits.map((logit) => Math.exp(logit - total));
    // By ln T a logit moves by -q-logarithm over T, by b that of nothing moves by 1.
    const moves = logChances.map((log) => -power * log);
    const mean = chances.reduce((sum, chance, cell) => sum + chance * (moves[cell] ?? 0), 0);
    const square = chances.reduce((sum, chance, cell) => sum + chance * (moves[cell] ?? 0) ** 2, 0);
    const ofNothing = chances[nothing] ?? 0;
    byT += weight * ((moves[came] ?? 0) - mean);
    byB += weight * (Number(came === nothing) - ofNothing);
    byTT += weight * (square - mean * mean);
    byBB += weight * ofNothing * (1 - ofNothing);
    byTB += weight * ofNothing * ((moves[nothing] ?? 0) - mean);
  }
  return { logT: byT, bias: byB, logTTwice: byTT, biasTwice: byBB, both: byTB };
}

function isBeyond(value: number, slope: number, low: number, high: number): boolean {
  return (value <= low && slope < 0) || (value >= high && slope > 0);
}

function within(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
