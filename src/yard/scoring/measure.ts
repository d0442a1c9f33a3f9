/**
 * What a bundle's messages are worth against the yard's truth: forecasts, recognised events, masks, classes, outcomes.
 * Everything is read off the messages that a robot would get, so nothing of the real path is left out.
 */
import type { EventMessage, Forecast, Message, Outcome, SceneMessage } from '../../messages.js';
import { decodeRle } from '../../models/rle.js';
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset } from '../data/schema.js';
import type { NextLine } from './forecast-file.js';
import { overlapOf, trueMasks } from './mask-overlap.js';
import { matchEvents } from './match-events.js';
import { idsOf, matchIouMin, trueEvents, truthWindowOf, visibleMin } from './recorded-truth.js';
import { SceneSums, type Measure } from './scene-sums.js';
import { scoreFile } from './score-file.js';
import type { TruthWindow } from './truth-window.js';

/** One scene's truth and what was published about it while its video was replayed. */
export interface MeasuredScene {
  readonly truth: RecordedTruth;
  readonly messages: readonly Message[];
}

export interface Quality {
  /** Those with a forecast and with pBayes. */
  readonly windows: number;
  /** Intervals: 95 %, bootstrap over scenes. What could not be measured, for want of a case, is left out. */
  readonly measures: Readonly<Record<string, Measure>>;
}

/** What turns a time of the messages into a clip and a time of the truth. */
type Rhythm = Pick<Dataset, 'framesPerSecond' | 'framesPerClip'>;

/** Shares over all scenes, of the columns «up» and «down» of their names. */
const shares = [
  'eventF1',
  'outcomeAgreement',
  'outcomesDecided',
  'maskIou',
  'objectRecall',
  'classAccuracy',
  'familiarity',
] as const;
type Tally = (share: (typeof shares)[number], up: number, down: number) => void;

export function measureScenes(scenes: readonly MeasuredScene[], dataset: Dataset): Quality {
  const forecasts = measureForecasts(scenes, dataset);
  const sums = new SceneSums();
  for (const scene of scenes) {
    const tally: Tally = (share, up, down) => {
      sums.add(scene.truth.scene.scene, `${share} up`, up);
      sums.add(scene.truth.scene.scene, `${share} down`, down);
    };
    tallyEvents(scene, dataset, tally);
    tallyOutcomes(scene, dataset, tally);
    tallyObjects(scene, tally);
    for (const { familiarity } of forecastsOf(scene)) tally('familiarity', familiarity, 1);
  }
  const measured = {
    ...forecasts.measures,
    ...Object.fromEntries(shares.map((name) => [name, sums.ratio(`${name} up`, `${name} down`)])),
  };
  const known = Object.entries(measured).filter((entry): entry is [string, Measure] => !!entry[1]);
  return { windows: forecasts.windows, measures: Object.fromEntries(known) };
}

/**
 * As published, and in expectation under pBayes: against what is likely to come, not against the one future that was drawn,
 * which would be the same on average with more luck in it. Calibration alone is counted against what did come.
 */
function measureForecasts(
  scenes: readonly MeasuredScene[],
  dataset: Dataset,
): { windows: number; measures: Record<string, Measure | null> } {
  const asked = scenes.flatMap((scene) => askedOf(scene, dataset));
  if (asked.length === 0) return { windows: 0, measures: {} };
  const { windows, next } = scoreFile(
    asked.map(({ window }) => window),
    asked.map(({ line }) => line),
    { labels: dataset.labels },
  );
  if (!next) throw new TypeError('Lines of "next" have a report of "next".');
  const { forecast, prior, bayes } = next.scores.published;
  const top1 = next.hits.top1.expected;
  return {
    windows,
    measures: {
      logScore: forecast.expected.logScore,
      logScorePrior: prior.expected.logScore,
      logScoreBayes: bayes.expected.logScore,
      gain: forecast.expected.gain,
      brier: forecast.expected.brier,
      brierPrior: prior.expected.brier,
      brierBayes: bayes.expected.brier,
      skill: forecast.expected.skill,
      top1Share: top1.forecast,
      top1SharePrior: top1.prior,
      top1ShareBayes: top1.bayes,
      ece: next.calibration.ece,
    },
  };
}

function ofKind<T extends Message>(scene: MeasuredScene, kind: string): T[] {
  return scene.messages.filter((m) => m.schema === `lookahead.${kind}.v1`) as T[];
}

/** Of what begins first, each once: a message may come twice, and a revision says nothing new of chances. */
function forecastsOf(scene: MeasuredScene): Forecast[] {
  const first = ofKind<Forecast>(scene, 'forecast').filter(
    ({ rev, target }) => rev === 0 && target === 'next',
  );
  return [...new Map(first.map((forecast) => [forecast.id, forecast])).values()];
}

/** A recording's frame f has the time f / rate; its clips are cut without a gap. */
function clipOf(timeMs: number, { framesPerSecond, framesPerClip }: Rhythm): number {
  return Math.floor(Math.round((timeMs * framesPerSecond) / 1000) / framesPerClip);
}

const lastClipOf = (forecast: Forecast, rhythm: Rhythm): number =>
  clipOf(Date.parse(forecast.window.to), rhythm);

/** The windows that were forecast and whose chances are known, each with its forecast. */
function askedOf(
  scene: MeasuredScene,
  dataset: Dataset,
): { readonly window: TruthWindow; readonly line: NextLine }[] {
  const byClip = new Map(scene.truth.windows.map((window) => [window.clip, window]));
  return forecastsOf(scene).flatMap((forecast) => {
    const window = byClip.get(lastClipOf(forecast, dataset));
    const truth = window && truthWindowOf(window, scene.truth, dataset);
    if (!truth) return [];
    const { nothing, somethingElse } = forecast;
    const events = forecast.events.map(({ label, confidence }) => ({ label, confidence }));
    const line = { scene: truth.scene, clip: truth.clip, target: 'next' as const };
    return [{ window: truth, line: { ...line, events, nothing, somethingElse } }];
  });
}

/** F1 = 2 TP / (recognised + true), summed over labels. */
function tallyEvents(scene: MeasuredScene, dataset: Dataset, tally: Tally): void {
  const seen = ofKind<EventMessage>(scene, 'event').map(({ label, onset }) => ({
    label,
    onsetMs: Date.parse(onset),
  }));
  for (const { truths, found, hits } of matchEvents(
    trueEvents(scene.truth, dataset),
    seen,
  ).values())
    tally('eventF1', 2 * hits, truths + found);
}

/** How often the recognised outcome of a forecast is the true one, and how often there is one where nothing but doubt stood against it. */
function tallyOutcomes(scene: MeasuredScene, dataset: Dataset, tally: Tally): void {
  const clips = new Map(forecastsOf(scene).map((it) => [it.id, lastClipOf(it, dataset)]));
  for (const { id, observed, because, target } of ofKind<Outcome>(scene, 'outcome')) {
    if (target === 'within') continue;
    if (observed !== null || because === 'doubtful')
      tally('outcomesDecided', Number(observed !== null), 1);
    const window = scene.truth.windows.find(({ clip }) => clip === clips.get(id));
    if (!window || observed === null) continue;
    tally('outcomeAgreement', Number(dataset.labels[window.next]?.text === observed), 1);
  }
}

function tallyObjects(scene: MeasuredScene, tally: Tally): void {
  for (const { clip, objects } of ofKind<SceneMessage>(scene, 'scene')) {
    const masks = objects.map(({ class: name, mask }) => ({ name, cells: decodeRle(mask) }));
    const things = scene.truth.clips[clip]?.objects ?? [];
    const size = objects[0]?.mask.size ?? [0, 0];
    const cells =
      masks.length === 0 ? [] : trueMasks(idsOf(scene.truth, clip), things.length, size);
    things.forEach((thing, index) => {
      if ((thing.visible ?? 0) < visibleMin) return;
      const best = masks
        .map((mask) => ({ ...mask, iou: overlapOf(mask.cells, cells[index]!).iou }))
        .reduce((a, b) => (b.iou > a.iou ? b : a), { name: '', iou: 0 });
      const isFound = best.iou >= matchIouMin;
      tally('maskIou', best.iou, 1);
      tally('objectRecall', Number(isFound), 1);
      if (isFound) tally('classAccuracy', Number(best.name === thing.class), 1);
    });
  }
}
