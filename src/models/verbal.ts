/** The paper's own wording, chances in words, read back into a distribution. Pure. */
import type { Label } from './manifest.js';
import { asTrained } from './explanation.js';

export interface VerbalForecast {
  readonly probabilities: readonly number[];
  /** False where no event could be read out of the text: the base rates stand in. */
  readonly parsed: boolean;
}

const ordinals = ['first', 'second', 'third'];

/**
 * «first , car enters , because ... , with confidence 0.3 . second , ...». Events that are no labels, confidences that are no
 * shares and a label's second mention are passed over. What the named ones leave of 1 is spread over the others in proportion
 * to their base rates; where they say more than 1, all are scaled.
 */
export function readVerbalForecast(text: string, labels: readonly Label[]): VerbalForecast {
  const byText = new Map(labels.map((label, index) => [asTrained(label.text), index]));
  const named = new Map<number, number>();
  const parts = text.toLowerCase().split(new RegExp(`\\b(?:${ordinals.join('|')})\\b\\s*,?`));
  for (const part of parts.slice(1)) {
    const [event = ''] = part.split(',');
    const label = byText.get(event.trim().replace(/^(a|an|the) /, ''));
    const confidence = Number(
      /with confidence\s+(\d(?:\s*\.\s*\d+)?)/.exec(part)?.[1]?.replace(/\s/g, ''),
    );
    if (label === undefined || named.has(label) || !(confidence >= 0 && confidence <= 1)) continue;
    named.set(label, confidence);
  }
  const rest = labels.map(({ baseRate }, label) => (named.has(label) ? 0 : baseRate));
  const restTotal = rest.reduce((sum, rate) => sum + rate, 0);
  const said = [...named.values()].reduce((sum, confidence) => sum + confidence, 0);
  const left = Math.max(0, 1 - said);
  const weights = labels.map((_, label) => {
    const own = named.get(label) ?? 0;
    return own + (restTotal > 0 ? (left * (rest[label] ?? 0)) / restTotal : 0);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (named.size > 0 && total > 0) {
    return { probabilities: weights.map((weight) => weight / total), parsed: true };
  }
  const rates = labels.reduce((sum, { baseRate }) => sum + baseRate, 0);
  const even = 1 / labels.length;
  const probabilities = labels.map(({ baseRate }) => (rates > 0 ? baseRate / rates : even));
  return { probabilities, parsed: false };
}
