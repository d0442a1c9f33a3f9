/** The forecast of what begins at all in the horizon, beside its twin of what begins first: the same look, another question. */
import type { Forecast, ForecastEvent } from '../messages.js';
import { withinChances, type FollowTable } from '../outcomes/within.js';
import type { Reasoning, Window } from '../types.js';
import { forecastEvent, mostLikelyEvents, type ForecastFacts } from './forecast-message.js';

/** @param table null: the bundle has none, and hazards are taken to be constant */
export function withinMessage(
  next: Forecast,
  facts: ForecastFacts,
  window: Window,
  reasoning: Pick<Reasoning, 'probabilities' | 'rawProbabilities'>,
  table: FollowTable | null,
): Forecast {
  const newest = window.at(-1);
  if (!newest) throw new TypeError('A forecast needs a window with at least one scene.');
  const { labels } = facts;
  const { chances, anyOf } = withinChances(reasoning.probabilities, table);
  const raw = withinChances(reasoning.rawProbabilities, table).chances;
  const named = mostLikelyEvents(labels, chances);
  const unnamed = labels.flatMap(({ type }, index) =>
    type === 'nothing' || named.includes(index) ? [] : [index],
  );
  return {
    ...next,
    id: `${next.id}-within`,
    target: 'within',
    events: named.map((index): ForecastEvent =>
      forecastEvent(facts, newest, index, shareOf(chances[index]), shareOf(raw[index])),
    ),
    somethingElse: shareOf(anyOf(new Set(unnamed))),
    nothing: shareOf(chances[0]),
    chances: Object.fromEntries(
      labels.flatMap(({ type, text }, index) =>
        type === 'nothing' ? [] : [[text, shareOf(chances[index])]],
      ),
    ),
    recalibration: null,
  };
}

/** Sums of shares may pass their bounds by rounding. */
function shareOf(chance = 0): number {
  return Math.min(1, Math.max(0, chance));
}
