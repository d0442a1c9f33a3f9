/** What online recalibration is worth on yards whose rules shift, and what it costs where nothing does. */
import {
  applyRecalibration,
  bundlesOwn,
  evidence,
  type Cells,
} from '../../outcomes/recalibration.js';
import { Recalibrator } from '../../outcomes/recalibrator.js';
import type { WatchedForecast, WatchedYard } from '../data/shifted-yard.js';
import { stream, uniform } from '../world/random.js';
import type { Shift } from '../world/shift.js';
import { mostLikelyNames } from './published-form.js';
import type { Measure } from './scene-sums.js';

const horizonMs = 4000;
/** Forecasts that are issued before the outcome of one is known. */
const openForecasts = 2;
const bins = 15;
const resamples = 400;
const resampling = stream('resamples of recalibrated yards');

/** A chance that was published with what it would have been, and what it should have been. */
interface Pair {
  readonly own: number;
  readonly recalibrated: number;
  readonly bayes: number;
}

export interface ProofRow {
  readonly shift: Shift;
  readonly yards: number;
  /** eceBayes of the hour before. */
  readonly before: Measure;
  /** After the shift, of the bundle's own chances. */
  readonly own: Measure;
  /** The same, of those that were published. */
  readonly recalibrated: Measure;
  /** recalibrated / own. */
  readonly ratio: Measure;
  /** recalibrated - own. */
  readonly rise: Measure;
}

/**
 * @param from forecasts after the shift that are left out: in them it is learned
 * @param shift of which `after` is looked at
 */
export function proofOf(yards: readonly WatchedYard[], shift: Shift, from: number): ProofRow {
  const ofYard = yards.map(({ before, after }) => {
    const all = recalibrate([...before, ...(after[shift] ?? [])]);
    return {
      before: all.slice(0, before.length).flat(),
      after: all.slice(before.length + from).flat(),
    };
  });
  const error = (part: keyof (typeof ofYard)[number], of: 'own' | 'recalibrated') =>
    eceBayesOf(
      ofYard.map((yard) => yard[part]),
      of,
    );
  const [before, own, recalibrated] = [
    error('before', 'own'),
    error('after', 'own'),
    error('after', 'recalibrated'),
  ];
  const measure = (of: (picked: readonly number[]) => number): Measure => {
    const drawn = Array.from({ length: resamples }, (_, round) =>
      of(yards.map((_yard, at) => Math.floor(uniform(1, resampling, round, at) * yards.length))),
    ).sort((a, b) => a - b);
    const at = (share: number): number => drawn[Math.round(share * (resamples - 1))] ?? NaN;
    return { value: of(yards.map((_yard, index) => index)), interval: [at(0.025), at(0.975)] };
  };
  return {
    ...{ shift, yards: yards.length },
    before: measure(before),
    own: measure(own),
    recalibrated: measure(recalibrated),
    ratio: measure((picked) => recalibrated(picked) / own(picked)),
    rise: measure((picked) => recalibrated(picked) - own(picked)),
  };
}

/** Pairs by forecast; none where pBayes was not asked for. */
function recalibrate(forecasts: readonly WatchedForecast[]): (readonly Pair[])[] {
  const recalibrator = new Recalibrator();
  let inForce = bundlesOwn;
  return forecasts.map((forecast, index) => {
    const known = forecasts[index - openForecasts];
    if (known && recalibrator.note(evidenceOf(known))) inForce = recalibrator.next(inForce);
    const { names, cells } = published(forecast);
    const now = applyRecalibration(cells, inForce);
    const { bayes } = forecast;
    if (!bayes) return [];
    return [
      { own: cells.nothing, recalibrated: now.nothing, bayes: bayes[0] ?? 0 },
      ...names.map((label, at) => ({
        own: cells.events[at] ?? 0,
        recalibrated: now.events[at] ?? 0,
        bayes: bayes[label] ?? 0,
      })),
    ];
  });
}

function published({ chances }: WatchedForecast): { names: readonly number[]; cells: Cells } {
  const names = mostLikelyNames(chances);
  const events = names.map((label) => chances[label] ?? 0);
  const nothing = chances[0] ?? 0;
  const named = events.reduce((sum, chance) => sum + chance, nothing);
  return { names, cells: { events, nothing, somethingElse: Math.max(0, 1 - named) } };
}

function evidenceOf(forecast: WatchedForecast): ReturnType<typeof evidence> {
  const { names, cells } = published(forecast);
  const { came, windowToMs } = forecast;
  const at = came === 0 ? names.length : names.indexOf(came);
  return evidence(cells, at < 0 ? names.length + 1 : at, { windowToMs, horizonMs });
}

/**
 * Mean gap to pBayes over bins of equal mass, for any pick of the yards. As in `calibrate` the bins are those of all pairs, and
 * resamples keep them.
 */
function eceBayesOf(
  yards: readonly (readonly Pair[])[],
  of: 'own' | 'recalibrated',
): (picked: readonly number[]) => number {
  const sorted = yards
    .flatMap((pairs, yard) => pairs.map((pair) => ({ yard, pair })))
    .sort((a, b) => a.pair[of] - b.pair[of]);
  const gaps = yards.map(() => new Float64Array(bins));
  sorted.forEach(({ yard, pair }, index) => {
    const bin = Math.floor((index * bins) / sorted.length);
    const gapsOfYard = gaps[yard];
    if (gapsOfYard) gapsOfYard[bin] = (gapsOfYard[bin] ?? 0) + pair[of] - pair.bayes;
  });
  return (picked) => {
    const pairs = picked.reduce((count, yard) => count + (yards[yard]?.length ?? 0), 0);
    let total = 0;
    for (let bin = 0; bin < bins; bin++)
      total += Math.abs(picked.reduce((gap, yard) => gap + (gaps[yard]?.[bin] ?? 0), 0));
    return total / Math.max(1, pairs);
  };
}
