/** `yard robot`: what forecasts are worth to a robot that must not hit anybody: collisions and stops an hour. */
import { openBundle } from '../models/bundle.js';
import { LookaheadError } from '../errors.js';
import { followTable, withinChances } from '../outcomes/within.js';
import { bundleDirOf } from '../places.js';
import { drivers, robotTrial, type Driver, type Tally } from '../yard/robot/trial.js';
import { SceneSums, type Measure } from '../yard/scoring/scene-sums.js';
import { progressOf } from './held-out-scenes.js';
import { openTrackForecaster } from './open-track-forecaster.js';
import { readOptions, wholeNumber, wholeNumberOr, type Context } from './options.js';

const usage =
  './lookahead yard robot [--hours 2] [--seed 1] [--threshold 0.2] [--futures 32] [--bundle NAME|DIR] [--json]';

const flags = {
  hours: { type: 'string', default: '2' },
  seed: { type: 'string' },
  threshold: { type: 'string', default: '0.2' },
  futures: { type: 'string', default: '32' },
  bundle: { type: 'string', default: 'yard' },
  json: { type: 'boolean', default: false },
} as const;

/** Worlds are drawn anew each quarter of an hour, so that many places count. */
const secondsPerWorld = 900;
const worldsPerHour = 3600 / secondsPerWorld;
/** What `--json` tells beside the threshold that was asked for. */
const curve = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7];

const texts: Readonly<Record<Driver, string>> = {
  blind: 'never stops',
  reacts: 'brakes for what is in its way',
  creeps: 'the same, always at a crawl',
  lookahead: 'brakes, and stops for what Lookahead says may cross',
  bayes: 'the same, by the best chances that could be known',
};

/**
 * By the bundle's track forecaster over true tracks: hours go by in seconds.
 * @throws LookaheadError usage, bundle_invalid
 */
export async function yardRobotCommand(
  args: readonly string[],
  { out, err }: Pick<Context, 'out' | 'err'>,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const hours = wholeNumber(options, 'hours', usage, 1);
  const futures = wholeNumber(options, 'futures', usage, 1);
  const seed = wholeNumberOr(options, 'seed', 1, usage);
  const threshold = Number(options.values['threshold']);
  if (!(threshold > 0 && threshold < 1))
    throw new LookaheadError(
      'usage',
      `--threshold is "${String(options.values['threshold'])}"; give a chance between 0 and 1.`,
      usage,
    );
  const bundle = await openBundle(bundleDirOf({ bundle: String(options.values['bundle']) }));
  const { manifest } = bundle;
  const model = await openTrackForecaster(bundle);
  const table = followTable(bundle);
  const thresholds = [threshold, ...curve.filter((one) => one !== threshold)];
  const sums = thresholds.map(() => new SceneSums());
  const worlds = hours * worldsPerHour;
  const progress = progressOf(err, worlds, 'quarters of an hour driven');
  try {
    for (let scene = 0; scene < worlds; scene++) {
      const tallies = await robotTrial({
        ...{ seed, scene, seconds: secondsPerWorld, thresholds, futures, manifest },
        within: async (window) => {
          const { chances } = withinChances(await model.chances(window), table);
          return Object.fromEntries(
            manifest.labels.map(({ text }, label) => [text, chances[label] ?? 0]),
          );
        },
      });
      tallies.forEach((tally, at) => {
        for (const driver of drivers) addTally(sums[at]!, scene, driver, tally[driver]);
      });
      progress.note(scene + 1);
    }
  } finally {
    progress.end();
    await model.dispose();
  }
  const rows = thresholds.map((of, at) => ({ threshold: of, drivers: ratesOf(sums[at]!) }));
  const report = { seed, hours, rows };
  out.write(options.values['json'] === true ? `${JSON.stringify(report)}\n` : printed(report));
  return 0;
}

function addTally(sums: SceneSums, scene: number, driver: Driver, tally: Tally): void {
  sums.add(scene, `${driver} hours`, tally.seconds / 3600);
  sums.add(scene, `${driver} collisions`, tally.collisions);
  sums.add(scene, `${driver} stops`, tally.stops);
  sums.add(scene, `${driver} lost`, tally.lostS / 60);
}

interface Rates {
  readonly collisionsPerHour: Measure | null;
  readonly stopsPerHour: Measure | null;
  readonly minutesLostPerHour: Measure | null;
  /** Collisions an hour that one who reacts alone has and this one has not: of the same minutes. */
  readonly collisionsSaved: Measure | null;
}

function ratesOf(sums: SceneSums): Readonly<Record<Driver, Rates>> {
  const of = (driver: Driver): Rates => ({
    collisionsPerHour: sums.ratio(`${driver} collisions`, `${driver} hours`),
    stopsPerHour: sums.ratio(`${driver} stops`, `${driver} hours`),
    minutesLostPerHour: sums.ratio(`${driver} lost`, `${driver} hours`),
    collisionsSaved: sums.measure(
      (sum) => (sum('reacts collisions') - sum(`${driver} collisions`)) / sum(`${driver} hours`),
    ),
  });
  return Object.fromEntries(drivers.map((driver) => [driver, of(driver)])) as Record<Driver, Rates>;
}

function printed({
  hours,
  rows,
}: {
  readonly hours: number;
  readonly rows: readonly { threshold: number; drivers: Readonly<Record<Driver, Rates>> }[];
}): string {
  const [asked] = rows;
  if (!asked) return '';
  const cell = (measure: Measure | null): string => {
    if (!measure) return '-'.padEnd(22);
    const { value, interval } = measure;
    return `${value.toFixed(1)} [${interval.map((it) => it.toFixed(1)).join(', ')}]`.padEnd(22);
  };
  const lines = drivers.map((driver) => {
    const rates = asked.drivers[driver];
    const cells = [
      rates.collisionsPerHour,
      driver === 'reacts' ? null : rates.collisionsSaved,
      rates.stopsPerHour,
      rates.minutesLostPerHour,
    ].map(cell);
    return `${driver.padEnd(11)}${cells.join('')}${texts[driver]}`;
  });
  const head = `${'an hour'.padEnd(11)}${'collisions'.padEnd(22)}${'fewer than reacts'.padEnd(22)}${'stops'.padEnd(22)}${'minutes lost'.padEnd(22)}`;
  const about = `${String(hours)} simulated hours, stops from ${String(asked.threshold * 100)} % on; [95 %, bootstrap over quarters of an hour]`;
  return `${[about, head.trimEnd(), ...lines].join('\n')}\n`;
}
