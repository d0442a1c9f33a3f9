/** dataset.json: what is true of a whole data set. */
import { attributes } from '../truth/look.js';
import type { Prior } from '../truth/prior.js';
import { heightPx, widthPx } from '../world/camera.js';
import { yardClasses, yardLabels } from '../world/labels.js';
import { framesPerClip, framesPerSecond, horizonMs } from './film-scene.js';
import { dataSchema } from './schema.js';
import type { Dataset, Recording, Totals } from './schema.js';
import { splits, splitTexts } from './splits.js';

export function datasetOf(
  { split, seed, scenes, secondsPerScene, worldVersion, ffmpeg }: Recording,
  totals: Totals,
  priors: ReadonlyMap<string, Prior>,
): Dataset {
  const rates = baseRates(totals);
  return {
    schema: dataSchema,
    ...{ split, seed, scenes, secondsPerScene },
    ...{ framesPerSecond, framesPerClip, widthPx, heightPx, horizonMs },
    classes: yardClasses,
    labels: yardLabels.map((label, index) => ({ ...label, baseRate: rates[index] ?? 0 })),
    attributes,
    templates: [...priors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, prior]) => ({ name, priorNext: prior.next, priorWithin: prior.within })),
    splits: splits.map((name) => ({ name, text: splitTexts[name] })),
    versions: { world: worldVersion, ffmpeg: ffmpeg ?? 'none' },
  };
}

/** How often each label came first, as shares of all re-simulated futures. */
export function baseRates({ futures }: Totals): number[] {
  const sum = futures.reduce((total, count) => total + count, 0);
  return futures.map((count) => count / Math.max(1, sum));
}

export function noTotals(): Totals {
  const none = yardLabels.map(() => 0);
  return {
    ...{ clips: 0, events: 0, windows: 0, futures: none, futuresWithin: none, next: none },
    ...{ judged: 0, nothingLikeliest: 0, nearEven: 0, links: 0, linksThatCause: 0, causes: 0 },
  };
}

export function addTotals(a: Totals, b: Totals): Totals {
  const sum = (of: (totals: Totals) => readonly number[]): number[] =>
    of(a).map((count, label) => count + (of(b)[label] ?? 0));
  return {
    clips: a.clips + b.clips,
    events: a.events + b.events,
    windows: a.windows + b.windows,
    futures: sum(({ futures }) => futures),
    futuresWithin: sum(({ futuresWithin }) => futuresWithin),
    next: sum(({ next }) => next),
    judged: a.judged + b.judged,
    nothingLikeliest: a.nothingLikeliest + b.nothingLikeliest,
    nearEven: a.nearEven + b.nearEven,
    links: a.links + b.links,
    linksThatCause: a.linksThatCause + b.linksThatCause,
    causes: a.causes + b.causes,
  };
}
