/**
 * What a bundle's messages are worth against the yard's truth: forecasts, recognised events, masks, classes, outcomes.
 * Everything is read off the messages that a robot would get, so nothing of the real path is left out.
 */
import type { EventMessage, Forecast, Message, Outcome, SceneMessage } from '../../messages.js';
import { decodeRle } from '../../models/rle.js';
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset, WindowLine } from '../data/schema.js';
import { idsHeight, idsWidth } from '../drawing/painter.js';
import type { NextLine } from './forecast-file.js';
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

/** An event counts as recognised when its onset is this near. */
const onsetToleranceMs = 1000;
/** Hidden and half-visible things are no fair test of a mask. */
const visibleMin = 0.5;
const matchIouMin = 0.5;

/** Shares over all scenes, of the columns «up» and «down» of their names. */
const shares = [
  'eventF1',
  'outcomeAgreement',
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
    for (const { familiarity } of ofKind<Forecast>(scene, 'forecast'))
      tally('familiarity', familiarity, 1);
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
  return ofKind<Forecast>(scene, 'forecast').flatMap((forecast) => {
    const window = byClip.get(lastClipOf(forecast, dataset));
    const truth = window && truthOf(window, scene.truth, dataset);
    if (!truth) return [];
    const { nothing, somethingElse } = forecast;
    const events = forecast.events.map(({ label, confidence }) => ({ label, confidence }));
    const line = { scene: truth.scene, clip: truth.clip, target: 'next' as const };
    return [{ window: truth, line: { ...line, events, nothing, somethingElse } }];
  });
}

/** Null where the recording has no pBayes. */
function truthOf(
  window: WindowLine,
  { scene: { scene, template } }: RecordedTruth,
  { templates, labels }: Dataset,
): TruthWindow | null {
  const { clip, next, last, bayes, state, bayesWithin, within } = window;
  if (!bayes || !state || !bayesWithin) return null;
  const prior = templates.find(({ name }) => name === template);
  if (!prior) throw new TypeError(`The data set has no prior of ${template}.`);
  return {
    ...{ scene, clip, template, next, bayes, state, bayesWithin },
    prior: prior.priorNext,
    priorWithin: prior.priorWithin,
    last: last === 0 ? null : last,
    within: labels.map((_, label) => (label === 0 ? within.length === 0 : within.includes(label))),
  };
}

/** F1 = 2 TP / (recognised + true), summed over labels. */
function tallyEvents(scene: MeasuredScene, dataset: Dataset, tally: Tally): void {
  const seen = ofKind<EventMessage>(scene, 'event');
  // The truth gives a picture the time when it was taken, a replay gives the first one the time 0.
  const firstPictureMs = 1000 / dataset.framesPerSecond;
  const open = scene.truth.events.map(({ label, onsetS }) => ({
    text: dataset.labels[label]?.text,
    onsetMs: onsetS * 1000 - firstPictureMs,
  }));
  const truths = open.length;
  let hits = 0;
  for (const event of seen) {
    const at = open.findIndex(
      ({ text, onsetMs }) =>
        text === event.label && Math.abs(onsetMs - Date.parse(event.onset)) <= onsetToleranceMs,
    );
    if (at < 0) continue;
    open.splice(at, 1);
    hits++;
  }
  tally('eventF1', 2 * hits, truths + seen.length);
}

/** How often the recognised outcome of a forecast is the true one. */
function tallyOutcomes(scene: MeasuredScene, dataset: Dataset, tally: Tally): void {
  const clips = new Map(
    ofKind<Forecast>(scene, 'forecast').map((it) => [it.id, lastClipOf(it, dataset)]),
  );
  for (const { id, observed } of ofKind<Outcome>(scene, 'outcome')) {
    const window = scene.truth.windows.find(({ clip }) => clip === clips.get(id));
    if (!window || observed === null) continue;
    tally('outcomeAgreement', Number(dataset.labels[window.next]?.text === observed), 1);
  }
}

function tallyObjects(scene: MeasuredScene, tally: Tally): void {
  for (const message of ofKind<SceneMessage>(scene, 'scene')) {
    const masks = message.objects.map(({ class: name, mask }) => ({
      name,
      bits: decodeRle(mask),
      size: mask.size,
    }));
    const mapBytes = idsHeight * idsWidth;
    const map = scene.truth.ids.subarray(message.clip * mapBytes, (message.clip + 1) * mapBytes);
    scene.truth.clips[message.clip]?.objects.forEach((object, index) => {
      if (object.visible < visibleMin) return;
      const best = masks
        .map(({ name, bits, size }) => ({ name, iou: maskIou(map, index + 1, bits, size) }))
        .reduce((a, b) => (b.iou > a.iou ? b : a), { name: '', iou: 0 });
      const isFound = best.iou >= matchIouMin;
      tally('maskIou', best.iou, 1);
      tally('objectRecall', Number(isFound), 1);
      if (isFound) tally('classAccuracy', Number(best.name === object.class), 1);
    });
  }
}

/** On the mask's own grid: a cell belongs to the object when at least half of its pixels do. */
function maskIou(
  map: Uint8Array,
  id: number,
  bits: Uint8Array,
  [rows, columns]: readonly [number, number],
): number {
  const cell = idsWidth / columns;
  // The letterbox: the grid spans a little more than the picture's rows.
  const above = (rows * cell - idsHeight) / 2;
  let both = 0;
  let either = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let covered = 0;
      for (let y = 0; y < cell; y++) {
        const mapRow = row * cell + y - above;
        if (mapRow < 0 || mapRow >= idsHeight) continue;
        for (let x = 0; x < cell; x++)
          if (map[mapRow * idsWidth + column * cell + x] === id) covered++;
      }
      const isTrue = covered * 2 >= cell * cell;
      const isSaid = bits[row * columns + column] === 1;
      if (isTrue && isSaid) both++;
      if (isTrue || isSaid) either++;
    }
  }
  return either === 0 ? 0 : both / either;
}
