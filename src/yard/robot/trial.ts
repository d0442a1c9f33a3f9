/** Robots that differ in what they go by, over the same minutes of the same yard. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Manifest } from '../../models/manifest.js';
import type { HistoryScene } from '../../models/track-history.js';
import { trueObjects, truePlace } from '../data/true-scenes.js';
import { openScene } from '../data/splits.js';
import { simulateFutures } from '../truth/futures.js';
import { yardLabels } from '../world/labels.js';
import { randomBits, stream } from '../world/random.js';
import { tickS, ticksPerSecond } from '../world/things.js';
import { World } from '../world/world.js';
import {
  chanceOfAny,
  cruiseMPerS,
  drive,
  harmlessMPerS,
  reactionS,
  type Lane,
  type Robot,
  type Senses,
} from './drive.js';
import { crossingsOf, footprints, touches, type Footprint } from './lane.js';

/**
 * `blind`: never stops. `reacts`: brakes for what is in its lane. `creeps`: does so at a crawl, as if nothing were ever known. The
 * others react too, and look ahead.
 */
export const drivers = ['blind', 'reacts', 'creeps', 'lookahead', 'bayes'] as const;
export type Driver = (typeof drivers)[number];

export interface Tally {
  readonly seconds: number;
  readonly collisions: number;
  readonly stops: number;
  /** Seconds longer than at full speed. */
  readonly lostS: number;
}

export interface TrialOptions {
  readonly seed: number;
  readonly scene: number;
  readonly seconds: number;
  /** From this chance of something crossing on it stops; several: one trial each, over the same world. */
  readonly thresholds: readonly number[];
  /** Re-simulated futures for pBayes. */
  readonly futures: number;
  readonly manifest: Pick<Manifest, 'geometry'>;
  /** Chances of each label to begin at all, by its text. */
  readonly within: (window: readonly HistoryScene[]) => Promise<Readonly<Record<string, number>>>;
}

type Foresight = Readonly<Record<'lookahead' | 'bayes', Senses['chances']>>;

const secondsPerForecast = 2;
const futuresStream = stream('futures of the robot');

/** Tallies by threshold, in their order; those of `blind` and `reacts` are the same for all. */
export async function robotTrial(
  options: TrialOptions,
): Promise<readonly Readonly<Record<Driver, Tally>>[]> {
  const { seed, scene, seconds, thresholds, futures, manifest, within } = options;
  const world = openScene('test', seed, scene);
  const { place } = world;
  const [fromX, toX] = place.range.apron;
  const lane: Lane = { fromX, toX, crossings: crossingsOf(place) };
  const bornAt = new Map<number, number>();
  const seenPlace = truePlace(
    place.template.modules,
    place.appearance.rain,
    manifest.geometry.place,
  );
  const runs = thresholds.map((threshold) => ({
    threshold,
    robots: drivers.map((driver) => new Run(driver, (fromX + toX) / 2)),
  }));
  let window: readonly HistoryScene[] = [];
  let chances: Foresight = { lookahead: 'unknown', bayes: 'unknown' };
  const past: (readonly Footprint[])[] = [];
  const pastTicks = Math.round(reactionS * ticksPerSecond);
  const { clipsPerWindow } = manifest.geometry;
  for (let clip = 0; clip < seconds; clip++) {
    // The same second twice: a copy steps alike, tick by tick, for the robots to drive through.
    const copy = new World(world.seed, place, world);
    const frames = Array.from({ length: ticksPerSecond }, () => {
      copy.step();
      return footprints(copy);
    });
    const objects = trueObjects(world, clip, bornAt, manifest);
    window = [...window, { clip, objects, place: seenPlace }].slice(-clipsPerWindow);
    for (const things of frames) {
      past.push(things);
      const seen = past.length > pastTicks ? past.shift()! : [];
      for (const { threshold, robots } of runs)
        for (const run of robots) run.step(lane, things, seen, chances, threshold);
    }
    if ((clip + 1) % secondsPerForecast !== 0 || window.length < clipsPerWindow) continue;
    const bits = randomBits(world.seed, futuresStream, world.tick);
    const known = { count: futures, seed: bits, knows: 'seen', target: 'both' } as const;
    const { within: counts } = simulateFutures(world, known);
    const bayes = Object.fromEntries(
      yardLabels.map(({ text }, label) => [text, (counts[label] ?? 0) / futures]),
    );
    const byCrossing = (of: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
      new Map(lane.crossings.map(({ name, labels }) => [name, chanceOfAny(of, labels)]));
    chances = { lookahead: byCrossing(await within(window)), bayes: byCrossing(bayes) };
    if (clip % 200 === 0) await turn();
  }
  return runs.map(
    ({ robots }) =>
      Object.fromEntries(robots.map((run) => [run.driver, run.tally])) as Record<Driver, Tally>,
  );
}

class Run {
  readonly driver: Driver;
  #robot: Robot;
  #touched: ReadonlySet<number> = new Set();
  #ticks = 0;
  #collisions = 0;
  #stops = 0;
  #drivenM = 0;

  constructor(driver: Driver, x: number) {
    this.driver = driver;
    this.#robot = { x, speedMPerS: 0, direction: 1 };
  }

  step(
    lane: Lane,
    things: readonly Footprint[],
    seen: readonly Footprint[],
    chances: Foresight,
    threshold: number,
  ): void {
    const { driver } = this;
    const isForesighted = driver === 'lookahead' || driver === 'bayes';
    const senses: Senses = {
      things: driver === 'blind' ? null : seen,
      chances: isForesighted ? chances[driver] : driver === 'creeps' ? 'unknown' : null,
    };
    const before = this.#robot;
    const robot = drive(before, lane, senses, threshold, tickS);
    this.#robot = robot;
    this.#ticks += 1;
    this.#drivenM += robot.speedMPerS * tickS;
    const hasTurned = robot.direction !== before.direction;
    if (before.speedMPerS > harmlessMPerS && robot.speedMPerS <= harmlessMPerS && !hasTurned)
      this.#stops += 1;
    const touched = new Set(things.filter((it) => touches(it, robot.x)).map(({ id }) => id));
    const isHarmful = robot.speedMPerS > harmlessMPerS;
    for (const id of touched) if (isHarmful && !this.#touched.has(id)) this.#collisions += 1;
    // Who is touched while it creeps is hit when it drives on.
    this.#touched = isHarmful ? touched : new Set();
  }

  get tally(): Tally {
    const seconds = this.#ticks * tickS;
    return {
      seconds,
      collisions: this.#collisions,
      stops: this.#stops,
      lostS: seconds - this.#drivenM / cruiseMPerS,
    };
  }
}
