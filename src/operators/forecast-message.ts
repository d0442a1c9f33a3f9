/** A window and what the reasoner says of it, as the message that robots act on; later why, as its first revision. */
import { LookaheadError } from '../errors.js';
import type { Forecast, ForecastEvent, Recalibration } from '../messages.js';
import type { Manifest } from '../models/manifest.js';
import { applyRecalibration, type Cells } from '../outcomes/recalibration.js';
import type { Explanation, Reasoning, Scene, Window } from '../types.js';
import type { Origin } from './camera-messages.js';
import { isoTime } from './iso-time.js';

/** What a forecast says of its bundle, and what is needed from the bundle to write one. */
export interface ForecastFacts {
  readonly labels: Manifest['labels'];
  readonly domain: Manifest['domain'];
  readonly framesPerClip: number;
  readonly horizonMs: number;
  readonly bundle: Forecast['bundle'];
  readonly clock: Forecast['window']['clock'];
  /** Scenes further apart than this have a gap between them. */
  readonly gapMaxMs: number;
  /** A clip that lasts longer, from first to last frame, came slower than what the bundle was trained on. */
  readonly clipMaxMs: number;
}

export interface Issue {
  readonly sequence: number;
  readonly issuedAtMs: number;
  /** False while the pictures are frozen or corrupt. */
  readonly isPictureGood: boolean;
  /** What was learned on this camera; null or absent: nothing. */
  readonly recalibration?: Recalibration | null;
}

/** Revision 0: chances without prose. Throws `model_failed` like `checkDistribution`. */
export function forecastMessage(
  { site, camera, epoch }: Origin,
  facts: ForecastFacts,
  window: Window,
  reasoning: Reasoning,
  issue: Issue,
): Forecast {
  const [oldest, newest] = [window[0], window.at(-1)];
  if (!oldest || !newest) throw new TypeError('A forecast needs a window with at least one scene.');

  const chances = normalised(reasoning.probabilities, facts.labels.length);
  const ownNothing = facts.labels.reduce(
    (sum, label, index) => sum + (label.type === 'nothing' ? (chances[index] ?? 0) : 0),
    0,
  );
  const raw = (index: number): number =>
    Math.min(1, Math.max(0, reasoning.rawProbabilities[index] ?? 0));
  const indices = mostLikelyEvents(facts.labels, chances);
  const ofEvents = indices.map((index) => chances[index] ?? 0);
  const ownRest = Math.max(0, 1 - ofEvents.reduce((sum, chance) => sum + chance, ownNothing));
  const own: Cells = { events: ofEvents, nothing: ownNothing, somethingElse: ownRest };
  const recalibration = issue.recalibration ?? null;
  const cells = recalibration ? applyRecalibration(own, recalibration) : own;
  const { nothing, somethingElse } = cells;
  const events = indices.map((index, at) =>
    forecastEvent(facts, newest, index, cells.events[at] ?? 0, raw(index)),
  );

  const familiarity = familiarityOf(window);
  const clipsMissing = newest.clip - oldest.clip + 1 - window.length;
  const isSlow = window.some(({ fromMs, toMs }) => toMs - fromMs > facts.clipMaxMs);
  const quality = !issue.isPictureGood
    ? 'corrupt'
    : clipsMissing > 0 || isSlow || hasGap(window, facts.gapMaxMs)
      ? 'gaps'
      : 'good';

  return {
    schema: 'lookahead.forecast.v1',
    id: [site, camera, epoch, issue.sequence].join('-'),
    site,
    camera,
    epoch,
    sequence: issue.sequence,
    rev: 0,
    target: 'next',
    window: {
      from: isoTime(oldest.fromMs),
      to: isoTime(newest.toMs),
      clips: window.length,
      frames: window.length * facts.framesPerClip,
      framesDropped: clipsMissing * facts.framesPerClip,
      clock: facts.clock,
    },
    horizonMs: facts.horizonMs,
    issuedAt: isoTime(issue.issuedAtMs),
    validUntil: isoTime(newest.toMs + facts.horizonMs),
    events,
    somethingElse,
    nothing,
    recalibration,
    basis: reasoning.basis,
    explanation: [],
    grounded: null,
    calibrated: quality !== 'corrupt' && !isSlow && familiarity >= facts.domain.familiarityMin,
    familiarity,
    quality,
    latencyMs: {
      ...newest.stagesMs,
      ...reasoning.stagesMs,
      total: Math.max(0, Math.round(issue.issuedAtMs - newest.toMs)),
    },
    bundle: facts.bundle,
  };
}

/** Revision 1: the same forecast, chances and all, with its reasons. */
export function explainedForecast(
  forecast: Forecast,
  { labels }: Pick<ForecastFacts, 'labels'>,
  { justifications, steps, grounded, stagesMs }: Explanation,
): Forecast {
  const textOf = (label: number): string => labels[label]?.text ?? '';
  return {
    ...forecast,
    rev: 1,
    events: forecast.events.map((event) => {
      const given = justifications.find(({ label }) => textOf(label) === event.label);
      if (!given) return event;
      return { ...event, justification: given.text, justificationVerified: given.verified };
    }),
    explanation: steps.map(({ text, label, causes, verified, evidence }) => ({
      text,
      label: textOf(label),
      causes: causes.map((cause) => ({
        label: textOf(cause.label),
        onset: isoTime(cause.onsetMs),
      })),
      verified,
      evidence: {
        tracks: [...evidence.tracks],
        from: isoTime(evidence.fromMs),
        to: isoTime(evidence.toMs),
      },
    })),
    grounded,
    latencyMs: { ...forecast.latencyMs, ...stagesMs },
  };
}

/** Indices of the three most likely labels of events, most likely first; of equals the first. */
export function mostLikelyEvents(
  labels: ForecastFacts['labels'],
  chances: readonly number[],
): number[] {
  return labels
    .map((label, index) => ({ label, index, chance: chances[index] ?? 0 }))
    .filter(({ label }) => label.type !== 'nothing')
    .sort((one, other) => other.chance - one.chance || one.index - other.index)
    .slice(0, 3)
    .map(({ index }) => index);
}

/** One named event with its live candidates. */
export function forecastEvent(
  { labels, horizonMs }: ForecastFacts,
  newest: Scene,
  index: number,
  confidence: number,
  rawConfidence: number,
): ForecastEvent {
  const label = labels[index];
  if (!label) throw new TypeError(`The bundle has no label ${String(index)}.`);
  const tracksOf = (className: string | null): number[] =>
    newest.objects.filter((object) => object.class === className).map(({ track }) => track);
  return {
    label: label.text,
    type: label.type,
    actor: label.actor,
    target: label.target,
    actors: tracksOf(label.actor),
    targetTracks: tracksOf(label.target),
    text: `${label.text} within ${String(horizonMs / 1000)} s`,
    justification: '',
    confidence,
    rawConfidence,
  };
}

/**
 * Float32 sums are off by a few 1e-7; more than a thousandth is no rounding but a broken answer.
 *
 * @throws LookaheadError `model_failed` where it is no distribution over the bundle's labels
 */
export function checkDistribution(probabilities: readonly number[], labelCount: number): void {
  normalised(probabilities, labelCount);
}

function normalised(probabilities: readonly number[], labelCount: number): number[] {
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  const isDistribution =
    probabilities.length === labelCount &&
    probabilities.every((probability) => probability >= 0) &&
    Math.abs(sum - 1) < 1e-3;
  if (!isDistribution) {
    throw new LookaheadError(
      'model_failed',
      `The reasoner gave ${String(probabilities.length)} chances with sum ${String(sum)} for ${String(labelCount)} labels.`,
      'Check that the bundle is whole: ./lookahead check.',
    );
  }
  return probabilities.map((probability) => probability / sum);
}

/**
 * The mean over the window. A scene's familiarity is a rank among held-out scenes, so that at home it is spread evenly
 * over 0 to 1: the least of eight would be low even there, their mean is not.
 */
function familiarityOf(window: Window): number {
  return window.reduce((sum, scene) => sum + scene.familiarity, 0) / window.length;
}

function hasGap(window: Window, gapMaxMs: number): boolean {
  return window.some((scene, index) => {
    const before = window[index - 1];
    return before !== undefined && scene.fromMs - before.toMs > gapMaxMs;
  });
}
