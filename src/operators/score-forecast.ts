/** A published forecast as the scores want it; the scores themselves stand in `scores.ts`. */
import type { Forecast } from '../messages.js';
import type { Label } from '../models/manifest.js';
import { spreadOverLabels } from '../scores.js';

/** The forecast as chances of all K labels: the three and «nothing» as they are, «something else» over the others. */
export function spreadForecast(forecast: Forecast, labels: readonly Label[]): number[] {
  const named = new Map(forecast.events.map((event) => [event.label, event.confidence]));
  return spreadOverLabels(
    labels.map(({ type, text }) =>
      type === 'nothing' ? forecast.nothing : (named.get(text) ?? null),
    ),
    forecast.somethingElse,
    labels.map(({ baseRate }) => baseRate),
  );
}

/** The label that a message names: «nothing» is one word there, whatever text the bundle has for it. @returns -1: none */
export function labelNamed(labels: readonly Pick<Label, 'type' | 'text'>[], text: string): number {
  return labels.findIndex((label) =>
    label.type === 'nothing' ? text === 'nothing' : text === label.text,
  );
}

/** Index of the label that is most often the answer. */
export function mostFrequent(labels: readonly Label[]): number {
  return labels.reduce(
    (best, label, index) => (label.baseRate > (labels[best]?.baseRate ?? 0) ? index : best),
    0,
  );
}
