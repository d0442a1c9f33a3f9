/** One yard watched for an hour and longer, whose rules may change meanwhile: what is forecast of it, what comes, and how likely that was. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Manifest } from '../../models/manifest.js';
import type { HistoryScene } from '../../models/track-history.js';
import { firstEvent, horizonTicks, simulateFutures } from '../truth/futures.js';
import { yardLabels } from '../world/labels.js';
import { randomBits, stream, uniform } from '../world/random.js';
import { shiftWorld, type Shift } from '../world/shift.js';
import { ticksPerSecond } from '../world/things.js';
import { World } from '../world/world.js';
import { openScene, type Split } from './splits.js';
import { trueObjects, truePlace } from './true-scenes.js';

/** A forecast is made after every second clip of one second. */
export const clipsPerForecast = 2;
export const forecastPeriodMs = 1000 * clipsPerForecast;

/** One forecast of the target next with its truth; labels are those of the yard. */
export interface WatchedForecast {
  /** Since the first one. */
  readonly windowToMs: number;
  /** Of all labels. */
  readonly chances: readonly number[];
  /** The first label to begin within the horizon; 0: none. */
  readonly came: number;
  /** pBayes of all labels under the rules of that moment; null where it was not asked for. */
  readonly bayes: readonly number[] | null;
}

export interface WatchedYard {
  readonly template: string;
  readonly before: readonly WatchedForecast[];
  /** Each goes on from the end of `before`. */
  readonly after: Readonly<Partial<Record<Shift, readonly WatchedForecast[]>>>;
}

export interface WatchOptions {
  readonly split: Split;
  readonly seed: number;
  readonly scene: number;
  readonly forecastsBefore: number;
  readonly forecastsAfter: number;
  readonly shifts: readonly Shift[];
  /** Re-simulated futures for each pBayes. */
  readonly futures: number;
  /** pBayes is asked for of every so many forecasts. */
  readonly bayesEvery: number;
  readonly manifest: Pick<Manifest, 'geometry'>;
  /** Over the yard's labels. */
  readonly forecast: (window: readonly HistoryScene[]) => Promise<readonly number[]>;
}

const futuresStream = stream('futures of a watched yard');
const tieStream = stream('tie of a watched yard');

export async function watchYardShift(options: WatchOptions): Promise<WatchedYard> {
  const world = openScene(options.split, options.seed, options.scene);
  const first: Watch = { world, startTick: world.tick, clip: 0, window: [], bornAt: new Map() };
  const before = await watch(first, options.forecastsBefore, options);
  const after: Partial<Record<Shift, readonly WatchedForecast[]>> = {};
  for (const shift of options.shifts) {
    const { end } = before;
    const shifted = {
      ...end,
      world: shiftWorld(end.world, shift),
      bornAt: new Map(end.bornAt),
    };
    after[shift] = (await watch(shifted, options.forecastsAfter, options)).forecasts;
  }
  return { template: world.place.template.name, before: before.forecasts, after };
}

interface Watch {
  readonly world: World;
  readonly startTick: number;
  readonly clip: number;
  readonly window: readonly HistoryScene[];
  readonly bornAt: Map<number, number>;
}

/** Watches on: the given world is stepped. What comes after the last forecasts is seen in a copy. */
async function watch(
  begin: Watch,
  count: number,
  options: WatchOptions,
): Promise<{ readonly end: Watch; readonly forecasts: readonly WatchedForecast[] }> {
  const { world, startTick, bornAt } = begin;
  const { manifest, forecast, futures, bayesEvery } = options;
  const { appearance, template } = world.place;
  const place = truePlace(template.modules, appearance.rain, manifest.geometry.place);
  let { clip, window } = begin;
  const asked: Omit<WatchedForecast, 'came'>[] = [];
  for (let index = 0; index < count; index++) {
    for (let i = 0; i < clipsPerForecast; i++, clip++) {
      const objects = trueObjects(world, clip, bornAt, manifest);
      window = [...window, { clip, objects, place }].slice(-manifest.geometry.clipsPerWindow);
    }
    asked.push({
      windowToMs: ((world.tick - startTick) * 1000) / ticksPerSecond,
      chances: await forecast(window),
      bayes: index % bayesEvery === 0 ? bayesOf(world, futures) : null,
    });
    // So that a signal is heard.
    if (index % 100 === 0) await turn();
  }
  const end = { world, startTick, clip, window, bornAt };
  const later = new World(world.seed, world.place, world);
  for (let tick = 0; tick < horizonTicks; tick++) later.step();
  const events = [...world.events, ...later.events];
  const forecasts = asked.map((it) => {
    const tick = startTick + (it.windowToMs * ticksPerSecond) / 1000;
    const next = firstEvent(events, tick, uniform(world.seed, tieStream, tick));
    return { ...it, came: next?.label ?? 0 };
  });
  return { end, forecasts };
}

/** Plain shares: for a mean over many windows, few futures do, as long as they err to neither side. */
function bayesOf(world: World, count: number): number[] {
  const seed = randomBits(world.seed, futuresStream, world.tick);
  const { next } = simulateFutures(world, { count, seed, knows: 'seen', target: 'next' });
  return yardLabels.map((_, label) => (next[label] ?? 0) / count);
}
