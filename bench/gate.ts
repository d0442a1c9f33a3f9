/**
 * What the gate saves, what it costs and how late it is, on recorded yard scenes through the real models:
 * `npm run bench -- gate [--scenes 16] [--seconds 120] [--seed 1] [--quiet 0.02] [--futures 256] [--bundle DIR] [--no-write]`.
 *
 * Two yards: one in which little comes (all rates of arrival times `--quiet`, for Bayes too), and one as training knows it.
 * Each scene is drawn, encoded as H.264, read by ffmpeg and perceived; every whole window is scored by the language model and
 * by the cheap head. The gate itself then decides over these answers, so that both rows rest on the same ones. Without a gate
 * every k-th window is scored. Alerts: moments at which the language model, were it asked at each clip, would come to give an
 * event half of all chances.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstValueFrom, from, lastValueFrom, map, of, toArray } from 'rxjs';
import { readRecording } from '../src/ingest/file.js';
import { createModelPorts } from '../src/models/model-ports.js';
import { noText } from '../src/models/text-budget.js';
import { TrackForecaster } from '../src/models/track-forecaster.js';
import { forecastMessage, type ForecastFacts } from '../src/operators/forecast-message.js';
import { predictEvery } from '../src/operators/predict-every.js';
import { remember } from '../src/operators/remember.js';
import { spreadForecast } from '../src/operators/score-forecast.js';
import { slideClips, toClip } from '../src/operators/slide-clips.js';
import { defaultGate, defaultLimits } from '../src/pipeline-config.js';
import { logScore } from '../src/scores.js';
import type { ForecastReason, Reasoning, Scene, Window } from '../src/types.js';
import { sceneSeed, templatesOf, warmUpTicks } from '../src/yard/data/splits.js';
import { Painter } from '../src/yard/drawing/painter.js';
import { encodeH264 } from '../src/yard/encode.js';
import { simulateFutures } from '../src/yard/truth/futures.js';
import { yardLabels } from '../src/yard/world/labels.js';
import { makePlace } from '../src/yard/world/place.js';
import { randomBits, stream } from '../src/yard/world/random.js';
import { ticksPerSecond } from '../src/yard/world/things.js';
import { World } from '../src/yard/world/world.js';
import { root, writeResult } from './shared.js';

const { values } = parseArgs({
  options: {
    scenes: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    /** Arrivals of the quiet yard, as a share of the usual ones. */
    quiet: { type: 'string', default: '0.02' },
    futures: { type: 'string', default: '256' },
    bundle: { type: 'string', default: `${root}/bundles/yard` },
    'no-write': { type: 'boolean', default: false },
  },
});
const [scenes, seconds, seed, futures] = [
  Number(values.scenes),
  Number(values.seconds),
  Number(values.seed),
  Number(values.futures),
];
const ffmpegPath = process.env['LOOKAHEAD_FFMPEG'] ?? 'ffmpeg';
const alertMin = 0.5;

const models = await createModelPorts({ bundleDir: values.bundle, budget: noText });
const { manifest } = models.bundle;
const { score } = models;
const forecaster = await TrackForecaster.open(models.bundle, { threads: 1 });
if (!forecaster) throw new Error('This bundle has no cheap head: there is nothing to measure.');
const { geometry, labels } = manifest;
const everyClips = geometry.forecastEveryClips;
const facts: ForecastFacts = {
  labels,
  domain: manifest.domain,
  framesPerClip: geometry.framesPerClip,
  horizonMs: geometry.horizonMs,
  bundle: { name: manifest.name, version: manifest.version, sha256: models.bundle.sha256 },
  clock: 'recording',
  gapMaxMs: defaultLimits.frameGapMaxMs,
  clipMaxMs: Infinity,
};
/** Of the manifest's labels in the yard's. */
const yardIndex = labels.map(({ text }) => yardLabels.findIndex((label) => label.text === text));
const futuresStream = stream('futures of the gate bench');

/** One whole window with all that could be said of it. */
interface Moment {
  readonly clip: number;
  readonly window: Window;
  readonly cheap: Reasoning;
  readonly reasoned: Reasoning;
  readonly ms: number;
  /** pBayes over the manifest's labels; null where it was not worked out. */
  readonly bayes: readonly number[] | null;
}

interface Yard {
  readonly title: string;
  readonly rate: number;
}

/** Sums of one scene. */
interface Tally {
  readonly rhythmRuns: number;
  readonly gatedRuns: number;
  readonly losses: readonly { gated: number; always: number; prior: number; bayes: number }[];
  readonly delays: readonly number[];
  readonly scoreMs: readonly number[];
  readonly reasons: readonly ForecastReason[];
}

const yards: readonly Yard[] = [
  { title: 'quiet yard', rate: Number(values.quiet) },
  { title: 'usual yard', rate: 1 },
];
const folder = mkdtempSync(join(tmpdir(), 'lookahead-gate-'));
const rows: string[] = [];
const reasonLines: string[] = [];
try {
  for (const yard of yards) {
    const tallies: Tally[] = [];
    for (let scene = 0; scene < scenes; scene++) {
      tallies.push(tallyOf(await watch(yard, scene)));
      process.stderr.write(`\r${yard.title}: ${String(scene + 1)} of ${String(scenes)} scenes`);
    }
    process.stderr.write('\n');
    rows.push(rowOf(yard.title, tallies));
    reasonLines.push(`${yard.title}: ${reasonsOf(tallies)}.`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
  await forecaster.dispose();
  await models.close();
}

const lines = [
  `Bundle ${manifest.name} ${manifest.version}; ${String(scenes)} scenes of ${String(seconds)} s each, in the quiet yard with ${values.quiet} of the usual arrivals; Bayes from ${String(futures)} futures. 95 % intervals by bootstrap over scenes.`,
  '',
  '| yard | runs saved | skill, all scored | skill, with the gate | skill lost | nats lost | alerts | within one clip | time to say it, ms, median and 95 % |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
  '',
  'Why forecasts were made, in shares: ' + reasonLines.join(' '),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (!values['no-write'])
  writeResult(
    'gate',
    `npm run bench -- gate --scenes ${values.scenes} --seconds ${values.seconds} --seed ${values.seed} --quiet ${values.quiet}`,
    ['## The gate', '', ...lines],
  );

/** Draws, encodes, reads, perceives and scores one scene. */
async function watch({ rate, title }: Yard, index: number): Promise<Moment[]> {
  const path = join(folder, 'scene.h264');
  const bayes = await film(path, index, rate);
  const camera = `${title.replace(' ', '-')}-${String(index)}`;
  const { widthPx, heightPx } = manifest.preprocessing;
  const { framesPerSecond, framesPerClip, clipsPerWindow } = geometry;
  const options = { camera, ffmpegPath, widthPx, heightPx, framesPerSecond, privacyMasks: [] };
  const clips = await lastValueFrom(
    from(readRecording(path, options)).pipe(
      slideClips({ framesPerClip, gapMaxMs: defaultLimits.frameGapMaxMs }, () => undefined),
      map((frames, clip) => toClip(camera, clip, frames)),
      toArray(),
    ),
    { defaultValue: [] },
  );
  const seen: Scene[] = [];
  for (const clip of clips) seen.push(await models.perceive(clip));
  const windows = await lastValueFrom(
    from(seen).pipe(remember({ clipsPerWindow, gapMaxMs: Infinity }), toArray()),
    { defaultValue: [] },
  );
  const moments: Moment[] = [];
  for (const window of windows.filter(({ length }) => length === clipsPerWindow)) {
    const clip = window.at(-1)?.clip ?? 0;
    const startedAtMs = performance.now();
    const chances = await forecaster!.chances(window);
    const reasoned = await firstValueFrom(from(score(window)), { defaultValue: null });
    if (!reasoned) throw new Error('The reasoner gave no answer.');
    const ms = performance.now() - startedAtMs;
    const cheap: Reasoning = {
      probabilities: chances,
      rawProbabilities: chances,
      basis: 'carried',
      stagesMs: {},
    };
    moments.push({ clip, window, cheap, reasoned, ms, bayes: bayes[clip] ?? null });
  }
  return moments;
}

/** Writes the scene's video; gives pBayes at the end of each clip. */
async function film(path: string, index: number, rate: number): Promise<number[][]> {
  const world = openYard(index, rate);
  const painter = new Painter(world.place);
  const encoder = encodeH264(ffmpegPath, path, geometry.framesPerSecond);
  const ticksPerFrame = ticksPerSecond / geometry.framesPerSecond;
  const bayes: number[][] = [];
  try {
    for (let clip = 0; clip < seconds; clip++) {
      for (let frame = 0; frame < geometry.framesPerClip; frame++) {
        for (let tick = 0; tick < ticksPerFrame; tick++) world.step();
        await encoder.write(painter.frame(world));
      }
      const { next } = simulateFutures(world, {
        ...{ count: futures, knows: 'seen', target: 'next' },
        seed: randomBits(world.seed, futuresStream, world.tick),
      });
      const total = futures + 0.5 * next.filter((count) => count > 0).length;
      const shares = [...next].map((count) => (count > 0 ? (count + 0.5) / total : 0));
      bayes.push(yardIndex.map((at) => shares[at] ?? 0));
    }
  } finally {
    await encoder.end();
  }
  return bayes;
}

/** A scene of the split test, in which things come at another rate. */
function openYard(index: number, rate: number): World {
  const templates = templatesOf('test');
  const worldSeed = sceneSeed('test', seed, index);
  const place = makePlace(worldSeed, { template: templates[index % templates.length]! });
  const rates = Object.fromEntries(
    Object.entries(place.rates).map(([name, perS]) => [name, (perS as number) * rate]),
  ) as unknown as typeof place.rates;
  const world = new World(worldSeed, { ...place, rates });
  for (let tick = 0; tick < warmUpTicks; tick++) world.step();
  world.events = [];
  return world;
}

function tallyOf(moments: readonly Moment[]): Tally {
  const byClip = new Map(moments.map((moment) => [moment.clip, moment]));
  const momentOf = (window: Window): Moment => byClip.get(window.at(-1)?.clip ?? -1)!;
  const reasons: ForecastReason[] = [];
  const predicted: { clip: number; reasoning: Reasoning }[] = [];
  from(moments.map(({ window }) => window))
    .pipe(
      predictEvery(
        { everyClips, clipsMin: geometry.clipsPerWindow, gate: defaultGate },
        {
          carry: (window) => of(momentOf(window).cheap),
          score: (window) => of(momentOf(window).reasoned),
          onDrop: () => undefined,
          onDecided: (reason) => void reasons.push(reason),
        },
      ),
    )
    .subscribe(({ window, reasoning }) =>
      predicted.push({ clip: window.at(-1)?.clip ?? -1, reasoning }),
    );
  const inForce = (clip: number): Reasoning =>
    predicted.findLast((one) => one.clip <= clip)!.reasoning;

  const rhythm = moments.filter((_, index) => index % everyClips === 0);
  const prior = meanOf(moments.flatMap(({ bayes }) => (bayes ? [bayes] : [])));
  const losses = rhythm.flatMap(({ clip, window, reasoned, bayes }) => {
    if (!bayes) return [];
    return {
      gated: logScore(published(window, inForce(clip)), bayes),
      always: logScore(published(window, reasoned), bayes),
      prior: logScore(floored(prior), bayes),
      bayes: logScore(floored(bayes), bayes),
    };
  });
  return {
    rhythmRuns: rhythm.length,
    gatedRuns: predicted.filter(({ reasoning }) => reasoning.basis === 'reasoned').length,
    losses,
    delays: delaysOf(moments, predicted),
    scoreMs: moments.map(({ ms }) => ms),
    reasons,
  };
}

/** Clips from each alert to the first forecast that says it; Infinity: none did while it held. */
function delaysOf(
  moments: readonly Moment[],
  predicted: readonly { clip: number; reasoning: Reasoning }[],
): number[] {
  return labels.flatMap((_, label) => {
    if (label === 0) return [];
    const isSaid = ({ probabilities }: Reasoning): boolean =>
      (probabilities[label] ?? 0) >= alertMin;
    return moments.flatMap(({ clip, reasoned }, index) => {
      const before = moments[index - 1];
      if (!before || !isSaid(reasoned) || isSaid(before.reasoned)) return [];
      const end = moments.slice(index).findIndex((later) => !isSaid(later.reasoned));
      const untilClip = end < 0 ? Infinity : clip + end;
      const said = predicted.find((one) => one.clip >= clip && isSaid(one.reasoning));
      const wasSaid = predicted.findLast((one) => one.clip < clip);
      if (wasSaid && isSaid(wasSaid.reasoning)) return [0]; // Said already, by the cheap head.
      return [said && said.clip < untilClip ? said.clip - clip : Infinity];
    });
  });
}

function published(window: Window, reasoning: Reasoning): number[] {
  const issue = { sequence: 0, issuedAtMs: 0, isPictureGood: true };
  const origin = { site: 'bench', camera: 'gate', epoch: 0 };
  return spreadForecast(forecastMessage(origin, facts, window, reasoning, issue), labels);
}

/** As every published forecast is scored. */
function floored(chances: readonly number[]): number[] {
  const lifted = chances.map((chance) => Math.max(1e-4, chance));
  const sum = lifted.reduce((total, chance) => total + chance, 0);
  return lifted.map((chance) => chance / sum);
}

function meanOf(rowsOfChances: readonly (readonly number[])[]): number[] {
  return labels.map(
    (_, label) =>
      rowsOfChances.reduce((sum, row) => sum + (row[label] ?? 0), 0) / rowsOfChances.length,
  );
}

interface Summary {
  readonly saved: number;
  readonly always: number;
  readonly gated: number;
  /** For each forecast. Where little comes, Bayes and the prior are nearly one, and skill says little; this still does. */
  readonly natsLost: number;
}

function summaryOf(tallies: readonly Tally[]): Summary {
  const total = (of: (tally: Tally) => number): number =>
    tallies.reduce((sum, tally) => sum + of(tally), 0);
  const loss = (name: keyof Tally['losses'][number]): number =>
    total(({ losses }) => losses.reduce((sum, one) => sum + one[name], 0));
  const skill = (name: 'gated' | 'always'): number =>
    (loss('prior') - loss(name)) / (loss('prior') - loss('bayes'));
  return {
    saved: 1 - total(({ gatedRuns }) => gatedRuns) / total(({ rhythmRuns }) => rhythmRuns),
    always: skill('always'),
    gated: skill('gated'),
    natsLost: (loss('gated') - loss('always')) / total(({ losses }) => losses.length),
  };
}

function rowOf(title: string, tallies: readonly Tally[]): string {
  const whole = summaryOf(tallies);
  const draws = Array.from({ length: 1_000 }, (_, draw) =>
    summaryOf(
      tallies.map(
        (__, at) => tallies[randomBits(draw, futuresStream, at) % tallies.length] ?? tallies[0]!,
      ),
    ),
  );
  const withInterval = (of: (summary: Summary) => number, digits: number): string => {
    const sorted = draws.map(of).sort((a, b) => a - b);
    const [low, high] = [sorted[25] ?? NaN, sorted[974] ?? NaN];
    return `${of(whole).toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
  };
  const delays = tallies.flatMap((tally) => tally.delays);
  const inTime = delays.filter((clips) => clips <= 1).length;
  const ms = tallies.flatMap(({ scoreMs }) => scoreMs).sort((a, b) => a - b);
  const at = (share: number): string => (ms[Math.floor(share * ms.length)] ?? NaN).toFixed(0);
  const cells = [
    title,
    withInterval(({ saved }) => saved, 3),
    withInterval(({ always }) => always, 3),
    withInterval(({ gated }) => gated, 3),
    withInterval(({ always, gated }) => always - gated, 4),
    withInterval(({ natsLost }) => natsLost, 4),
    String(delays.length),
    delays.length === 0 ? '-' : (inTime / delays.length).toFixed(3),
    `${at(0.5)}, ${at(0.95)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function reasonsOf(tallies: readonly Tally[]): string {
  const all = tallies.flatMap(({ reasons }) => reasons);
  const counts = new Map<ForecastReason, number>();
  for (const reason of all) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${(count / all.length).toFixed(3)}`)
    .join(', ');
}
