/**
 * What a bundle's messages are worth against the yard's truth: forecasts, recognised events, masks, classes, outcomes.
 * Everything is read off the messages that a robot would get, so nothing of the real path is left out.
 */
import type { EventMessage, Forecast, Message, Outcome, SceneMessage } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { decodeRle } from '../models/rle.js';
import type { ClipTruth, SceneTruth } from './record.js';
import { scoreForecasts, type Measure, type ScoredWindow } from './score.js';
import { uniform } from './random.js';

/** One scene's truth and what was published about it. */
export interface MeasuredScene {
  readonly truth: SceneTruth;
  /** uint8 [clips][90][160]: index + 1 of the object that each pixel of the key frame shows. */
  readonly ids: Uint8Array;
  readonly messages: readonly Message[];
}

export interface Quality {
  readonly windows: number;
  readonly measures: Readonly<Record<string, Measure>>;
}

const idsRows = 90;
const idsColumns = 160;
/** An event counts as recognised when its onset is this near. */
const onsetToleranceMs = 1000;
/** Hidden and half-visible things are no fair test of a mask. */
const visibleMin = 0.5;
const matchIouMin = 0.5;
const calibrationBins = 15;

/** Labels run as in the manifest; prior = its base rates. Intervals: 95 %, bootstrap over scenes. */
export function measureScenes(scenes: readonly MeasuredScene[], labels: readonly Label[]): Quality {
  const prior = labels.map((label) => label.baseRate);
  const windows = scenes.flatMap((scene, index) => scoredWindows(scene, index, labels, prior));
  const scores = scoreForecasts(windows);
  const measures: Record<string, Measure> = {
    logScore: scores.logScore,
    logScorePrior: scores.logScorePrior,
    gain: scores.gain,
    brier: scores.brier,
    brierPrior: scores.brierPrior,
    ...(scores.logScoreBayes && { logScoreBayes: scores.logScoreBayes }),
    ...(scores.brierBayes && { brierBayes: scores.brierBayes }),
    ...(scores.skill && { skill: scores.skill }),
    top1Share: ratio(windows.map((w) => topShare(w))),
    top1SharePrior: ratio(windows.map((w) => topShare({ ...w, forecast: prior }))),
    ece: bootstrap(scenes.length, (chosen) => calibrationError(chosen, windows)),
    eventF1: ratio(scenes.map((scene, index) => eventMatches(scene, index, labels))),
    outcomeAgreement: ratio(
      scenes.flatMap((scene, index) => outcomeAgreement(scene, index, labels)),
    ),
  };
  const objects = scenes.map((scene, index) => objectMatches(scene, index));
  measures['maskIou'] = ratio(objects.map(({ iou }) => iou));
  measures['objectRecall'] = ratio(objects.map(({ recall }) => recall));
  measures['classAccuracy'] = ratio(objects.map(({ accuracy }) => accuracy));
  measures['familiarity'] = ratio(
    scenes.flatMap((scene, index) =>
      ofKind<Forecast>(scene, 'forecast').map((f) => ({
        scene: index,
        up: f.familiarity,
        down: 1,
      })),
    ),
  );
  return { windows: windows.length, measures };
}

/** A share whose numerator and denominator are summed over the chosen scenes first. */
interface Part {
  readonly scene: number;
  readonly up: number;
  readonly down: number;
}

function ofKind<T extends Message>(scene: MeasuredScene, kind: string): T[] {
  return scene.messages.filter((m) => m.schema === `lookahead.${kind}.v1`) as T[];
}

function scoredWindows(
  { truth, messages }: MeasuredScene,
  scene: number,
  labels: readonly Label[],
  prior: readonly number[],
): (ScoredWindow & { readonly next: number })[] {
  const byEnd = new Map(truth.windows.map((window) => [Math.round(window.endS * 1000), window]));
  return messages
    .filter((message): message is Forecast => message.schema === 'lookahead.forecast.v1')
    .flatMap((forecast) => {
      const window = byEnd.get(Date.parse(forecast.window.to));
      if (!window) return [];
      const named = new Map(forecast.events.map((event) => [event.label, event.confidence]));
      const futures = window.futures.reduce((sum, count) => sum + count, 0);
      return [
        {
          scene,
          // Futures are drawn apart from those behind `bayes`, so Bayes has no advantage in its own exam.
          truth: window.futures.map((count) => count / futures),
          forecast: labels.map((label, index) =>
            index === 0 ? forecast.nothing : (named.get(label.text) ?? 0),
          ),
          prior,
          ...(window.bayes && { bayes: window.bayes }),
          next: window.next,
        },
      ];
    });
}

function topShare(window: ScoredWindow): Part {
  const top = window.forecast.reduce(
    (best, share, label) => (share > (window.forecast[best] ?? 0) ? label : best),
    0,
  );
  const truth = typeof window.truth === 'number' ? Number(window.truth === top) : window.truth[top];
  return { scene: window.scene, up: truth ?? 0, down: 1 };
}

/** Pairs (chance, came true) of the named events and nothing, in bins of equal mass. */
function calibrationError(
  chosen: readonly number[],
  windows: readonly (ScoredWindow & { readonly next: number })[],
): number {
  const pairs = chosen.flatMap((scene) =>
    windows
      .filter((window) => window.scene === scene)
      .flatMap((window) =>
        window.forecast.flatMap((share, label) =>
          share > 0 || label === 0 ? [{ share, came: Number(window.next === label) }] : [],
        ),
      ),
  );
  pairs.sort((a, b) => a.share - b.share);
  let error = 0;
  for (let bin = 0; bin < calibrationBins; bin++) {
    const part = pairs.slice(
      Math.floor((bin * pairs.length) / calibrationBins),
      Math.floor(((bin + 1) * pairs.length) / calibrationBins),
    );
    const gap = part.reduce((sum, { share, came }) => sum + share - came, 0);
    error += Math.abs(gap) / Math.max(1, pairs.length);
  }
  return error;
}

/** F1 = 2 TP / (recognised + true), summed over labels. */
function eventMatches(scene: MeasuredScene, index: number, labels: readonly Label[]): Part {
  const seen = ofKind<EventMessage>(scene, 'event');
  const open = scene.truth.events.map((event) => ({
    text: labels[event.label]?.text,
    onsetMs: event.onsetS * 1000,
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
  return { scene: index, up: 2 * hits, down: truths + seen.length };
}

/** How often the recognised outcome of a forecast is the true one. */
function outcomeAgreement(scene: MeasuredScene, index: number, labels: readonly Label[]): Part[] {
  const endOf = new Map(
    ofKind<Forecast>(scene, 'forecast').map((f) => [f.id, Date.parse(f.window.to)]),
  );
  const byEnd = new Map(scene.truth.windows.map((w) => [Math.round(w.endS * 1000), w]));
  return ofKind<Outcome>(scene, 'outcome').flatMap((outcome) => {
    const window = byEnd.get(endOf.get(outcome.id) ?? -1);
    if (!window || outcome.observed === null) return [];
    const right = labels[window.next]?.text === outcome.observed;
    return [{ scene: index, up: Number(right), down: 1 }];
  });
}

function objectMatches(
  scene: MeasuredScene,
  index: number,
): { iou: Part; recall: Part; accuracy: Part } {
  let iouSum = 0;
  let things = 0;
  let found = 0;
  let right = 0;
  for (const message of ofKind<SceneMessage>(scene, 'scene')) {
    const clip = scene.truth.clips[message.clip];
    if (!clip) continue;
    const masks = message.objects.map(({ class: name, mask }) => ({
      name,
      bits: decodeRle(mask),
      mask,
    }));
    clip.objects.forEach((object, at) => {
      if (object.visible < visibleMin) return;
      things++;
      const best = masks
        .map(({ name, bits, mask }) => ({
          name,
          iou: maskIou(scene.ids, clip, at + 1, bits, mask.size),
        }))
        .reduce((a, b) => (b.iou > a.iou ? b : a), { name: '', iou: 0 });
      iouSum += best.iou;
      if (best.iou < matchIouMin) return;
      found++;
      if (best.name === object.class) right++;
    });
  }
  return {
    iou: { scene: index, up: iouSum, down: things },
    recall: { scene: index, up: found, down: things },
    accuracy: { scene: index, up: right, down: found },
  };
}

/** On the mask's own grid: a cell belongs to the object when at least half of its pixels do. */
function maskIou(
  ids: Uint8Array,
  clip: ClipTruth,
  id: number,
  bits: Uint8Array,
  [rows, columns]: readonly [number, number],
): number {
  const cell = idsColumns / columns;
  // The letterbox: the grid spans a little more than the picture's rows.
  const above = (rows * cell - idsRows) / 2;
  const offset = clip.index * idsRows * idsColumns;
  let both = 0;
  let either = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let covered = 0;
      for (let y = 0; y < cell; y++) {
        const idsRow = row * cell + y - above;
        if (idsRow < 0 || idsRow >= idsRows) continue;
        for (let x = 0; x < cell; x++)
          if (ids[offset + idsRow * idsColumns + column * cell + x] === id) covered++;
      }
      const isTrue = covered * 2 >= cell * cell;
      const isSaid = bits[row * columns + column] === 1;
      if (isTrue && isSaid) both++;
      if (isTrue || isSaid) either++;
    }
  }
  return either === 0 ? 0 : both / either;
}

function ratio(parts: readonly Part[]): Measure {
  const scenes = [...new Set(parts.map(({ scene }) => scene))];
  const sums = new Map(scenes.map((scene) => [scene, { up: 0, down: 0 }]));
  for (const { scene, up, down } of parts) {
    const sum = sums.get(scene);
    if (!sum) continue;
    sum.up += up;
    sum.down += down;
  }
  return bootstrap(scenes.length, (chosen) => {
    let up = 0;
    let down = 0;
    for (const index of chosen) {
      const sum = sums.get(scenes[index] ?? -1);
      up += sum?.up ?? 0;
      down += sum?.down ?? 0;
    }
    return down === 0 ? 0 : up / down;
  });
}

function bootstrap(
  count: number,
  of: (chosen: readonly number[]) => number,
  resamples = 200,
): Measure {
  const all = Array.from({ length: count }, (_, index) => index);
  const drawn = Array.from({ length: resamples }, (_, i) =>
    of(all.map((_, j) => Math.floor(uniform(2, 'bootstrap', i, j) * count))),
  ).sort((a, b) => a - b);
  const quantile = (share: number): number =>
    drawn[Math.min(drawn.length - 1, Math.floor(share * drawn.length))] ?? of(all);
  return { value: of(all), interval: [quantile(0.025), quantile(0.975)] };
}
