/** What measures read off a recording (docs/yard-data.md). */
import type { RecordedTruth } from '../data/read-recording.js';
import type { Dataset, EventLine, WindowLine } from '../data/schema.js';
import { idsHeight, idsWidth } from '../drawing/painter.js';
import type { TimedEvent } from './match-events.js';
import type { TruthWindow } from './truth-window.js';

/** Hidden and half-visible things are no fair test of a mask. */
export const visibleMin = 0.5;
/** A thing is found when a mask, or a box, overlaps it by this IoU. */
export const matchIouMin = 0.5;

/** uint8 [90][160]: which thing each pixel of a clip's key frame shows. */
export function idsOf({ ids }: RecordedTruth, clip: number): Uint8Array {
  const mapBytes = idsHeight * idsWidth;
  return ids.subarray(clip * mapBytes, (clip + 1) * mapBytes);
}

type Rhythm = Pick<Dataset, 'labels' | 'framesPerSecond'>;

/** A time of the truth in that of a replay: the truth gives the first picture 1 / rate, a replay gives it 0. */
export function replayMs(
  seconds: number,
  { framesPerSecond }: Pick<Rhythm, 'framesPerSecond'>,
): number {
  return seconds * 1000 - 1000 / framesPerSecond;
}

/** In the time of a replay. */
export function eventTime(
  { label, onsetS }: Pick<EventLine, 'label' | 'onsetS'>,
  rhythm: Rhythm,
): TimedEvent {
  return { label: rhythm.labels[label]?.text ?? '', onsetMs: replayMs(onsetS, rhythm) };
}

/** A recording's events in the time of a replay. */
export function trueEvents(
  { events }: Pick<RecordedTruth, 'events'>,
  rhythm: Rhythm,
): TimedEvent[] {
  return events.map((event) => eventTime(event, rhythm));
}

/** Null where the recording has no pBayes. */
export function truthWindowOf(
  window: WindowLine,
  { scene: { scene, template } }: RecordedTruth,
  { templates, labels }: Dataset,
): TruthWindow | null {
  const { clip, next, last, bayes, state, bayesWithin, within } = window;
  if (!bayes || !state || !bayesWithin) return null;
  const prior = templates.find(({ name }) => name === template);
  if (!prior?.priorNext || !prior.priorWithin)
    throw new TypeError(`The data set has no prior of ${template}.`);
  return {
    ...{ scene, clip, template, next, bayes, state, bayesWithin },
    prior: prior.priorNext,
    priorWithin: prior.priorWithin,
    last: last === 0 ? null : last,
    within: labels.map((_, label) => (label === 0 ? within.length === 0 : within.includes(label))),
  };
}
