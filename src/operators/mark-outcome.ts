/** What came of a forecast, as the message that is published under its id. Pure. */
import type { Forecast, Outcome, UndecidableReason } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { marksOf, type BaselineChances } from '../outcomes/baselines.js';
import { brierScore, chanceMin, logScore } from '../scores.js';
import type { RecognisedEvent } from '../types.js';
import { isoTime } from './iso-time.js';
import { mostFrequent, spreadForecast } from './score-forecast.js';

/** Where it has a label, it counts. */
export type Begun = Pick<RecognisedEvent, 'label' | 'onsetMs' | 'probability'>;

/** Onsets closer than this cannot be told apart; the more probable event then counts as the first. */
const tieMs = 100;

const unmarked = {
  observed: null,
  onset: null,
  onsetAfterMs: null,
  leadMs: null,
  brier: null,
  logScore: null,
  baseRateHit: null,
  late: null,
  began: null,
  baselines: null,
} as const satisfies Partial<Outcome>;

export function undecidableOutcome(
  forecast: Forecast,
  because: UndecidableReason,
  nowMs: number,
): Outcome {
  return {
    ...headerOf(forecast),
    ...unmarked,
    verdict: 'undecidable',
    because,
    predicted: mostLikely(forecast),
    decidedAt: isoTime(nowMs),
  };
}

/**
 * @param begun what was recognised in the horizon, in any order
 * @param baselines what they said when the forecast was issued; null: they were not asked
 */
export function decidedOutcome(
  forecast: Forecast,
  begun: readonly Begun[],
  labels: readonly Label[],
  baselines: BaselineChances | null,
  nowMs: number,
): Outcome {
  const inOrder = [...begun].sort((one, other) => one.onsetMs - other.onsetMs);
  const began = [...new Set(inOrder.map(({ label }) => nameOf(labels, label)))];
  const decided = { because: null, began, decidedAt: isoTime(nowMs) };
  return forecast.target === 'within'
    ? { ...headerOf(forecast), ...ofWithin(forecast, inOrder, began, labels), ...decided }
    : { ...headerOf(forecast), ...ofNext(forecast, begun, labels, baselines), ...decided };
}

type Marked = Omit<Outcome, keyof ReturnType<typeof headerOf> | 'because' | 'began' | 'decidedAt'>;

function ofNext(
  forecast: Forecast,
  begun: readonly Begun[],
  labels: readonly Label[],
  baselines: BaselineChances | null,
): Marked {
  const event = firstEvent(begun);
  const nothing = labels.findIndex(({ type }) => type === 'nothing');
  const observed = event?.label ?? nothing;
  const observedText = nameOf(labels, observed);
  const isNamed =
    observed === nothing || forecast.events.some(({ label }) => label === observedText);
  const chances = spreadForecast(forecast, labels);
  const predicted = mostLikely(forecast);
  return {
    verdict: predicted === observedText ? 'hit' : isNamed ? 'miss' : 'surprise',
    observed: observedText,
    predicted,
    ...timesOf(forecast, event),
    brier: brierScore(chances, observed),
    logScore: logScore(chances, observed),
    baseRateHit: observed === mostFrequent(labels),
    baselines: baselines && marksOf(baselines, observed),
  };
}

/**
 * Each label is a question of its own: Brier score and log score are means over the labels but «nothing», with the floor of
 * every score at both ends. A label that the forecast says nothing of has its share of «something else».
 */
function ofWithin(
  forecast: Forecast,
  inOrder: readonly Begun[],
  began: readonly string[],
  labels: readonly Label[],
): Marked {
  const named = new Map(forecast.events.map(({ label, confidence }) => [label, confidence]));
  const asked = labels.filter(({ type }) => type !== 'nothing').map(({ text }) => text);
  const unnamed = forecast.somethingElse / Math.max(1, asked.length - named.size);
  const chanceOf = (text: string): number => forecast.chances?.[text] ?? named.get(text) ?? unnamed;
  const losses = asked.map((text) => {
    const chance = Math.min(1 - chanceMin, Math.max(chanceMin, chanceOf(text)));
    const came = began.includes(text);
    return { brier: (chance - Number(came)) ** 2, log: -Math.log(came ? chance : 1 - chance) };
  });
  const mean = (of: 'brier' | 'log'): number =>
    losses.reduce((sum, loss) => sum + loss[of], 0) / Math.max(1, losses.length);
  const predicted = mostLikely(forecast);
  const isHit = predicted === 'nothing' ? began.length === 0 : began.includes(predicted);
  const isNamed = began.length === 0 || began.some((text) => named.has(text));
  return {
    verdict: isHit ? 'hit' : isNamed ? 'miss' : 'surprise',
    observed: began[0] ?? 'nothing',
    predicted,
    ...timesOf(forecast, inOrder[0]),
    brier: mean('brier'),
    logScore: mean('log'),
    baseRateHit: null,
    baselines: null,
  };
}

function timesOf(
  forecast: Forecast,
  event: Begun | undefined,
): Pick<Outcome, 'onset' | 'onsetAfterMs' | 'leadMs' | 'late'> {
  if (!event) return { onset: null, onsetAfterMs: null, leadMs: null, late: null };
  const leadMs = Math.round(event.onsetMs - Date.parse(forecast.issuedAt));
  return {
    onset: isoTime(event.onsetMs),
    onsetAfterMs: Math.round(event.onsetMs - Date.parse(forecast.window.to)),
    leadMs,
    late: leadMs < 0,
  };
}

function firstEvent(events: readonly Begun[]): Begun | undefined {
  const earliestMs = Math.min(...events.map(({ onsetMs }) => onsetMs));
  return events
    .filter(({ onsetMs }) => onsetMs - earliestMs < tieMs)
    .reduce<Begun | undefined>(
      (best, event) => (best && best.probability >= event.probability ? best : event),
      undefined,
    );
}

function headerOf({
  id,
  site,
  camera,
  target,
  window,
  horizonMs,
  basis,
  calibrated,
  recalibration,
  bundle,
  events,
  somethingElse,
  nothing,
}: Forecast) {
  return {
    schema: 'lookahead.outcome.v1',
    ...{ id, site, camera, target, horizonMs, calibrated, bundle },
    windowTo: window.to,
    basis: basis ?? 'reasoned',
    recalibration: recalibration ?? null,
    answers: {
      events: events.map(({ label, confidence }) => ({ label, confidence })),
      ...{ somethingElse, nothing },
    },
  } as const satisfies Partial<Outcome>;
}

/** «nothing» is one word in every message, whatever text the bundle's language model has for it. */
function nameOf(labels: readonly Label[], index: number): string {
  const label = labels[index];
  if (!label) throw new TypeError(`The bundle has no label ${String(index)}.`);
  return label.type === 'nothing' ? 'nothing' : label.text;
}

function mostLikely({ events: [best], nothing }: Forecast): string {
  return best && best.confidence >= nothing ? best.label : 'nothing';
}
