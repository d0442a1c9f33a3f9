/** Scores of one forecast against what did happen; the definitions stand in the design and are the same for every forecaster. */
import type { Forecast } from '../messages.js';
import type { Label } from '../models/manifest.js';

/** No answer is given less than this, so that one surprise does not outweigh a thousand good forecasts. */
const floor = 1e-4;

/**
 * The forecast as chances of all K labels: the three and «nothing» as they are, «something else» spread over the unnamed
 * labels in proportion to their base rates, then the floor, then a sum of 1.
 */
export function spreadForecast(forecast: Forecast, labels: readonly Label[]): number[] {
  const named = new Map(forecast.events.map((event) => [event.label, event.confidence]));
  const unnamed = labels.filter((label) => label.type !== 'nothing' && !named.has(label.text));
  const unnamedRate = unnamed.reduce((sum, label) => sum + label.baseRate, 0);

  const chances = labels.map((label) => {
    if (label.type === 'nothing') return forecast.nothing;
    const share = unnamedRate > 0 ? label.baseRate / unnamedRate : 1 / unnamed.length;
    return named.get(label.text) ?? forecast.somethingElse * share;
  });
  const floored = chances.map((chance) => Math.max(floor, chance));
  const total = floored.reduce((sum, chance) => sum + chance, 0);
  return floored.map((chance) => chance / total);
}

/** Sum over all labels of (q - 1[label came true])²: 0 is perfect, 2 the worst. */
export function brierScore(chances: readonly number[], observed: number): number {
  return chances.reduce(
    (sum, chance, label) => sum + (chance - Number(label === observed)) ** 2,
    0,
  );
}

/** -ln q(observed), in nats: 0 is perfect. */
export function logScore(chances: readonly number[], observed: number): number {
  return -Math.log(chances[observed] ?? floor);
}

/** Index of the label that is most often the answer. */
export function mostFrequent(labels: readonly Label[]): number {
  return labels.reduce(
    (best, label, index) => (label.baseRate > (labels[best]?.baseRate ?? 0) ? index : best),
    0,
  );
}
