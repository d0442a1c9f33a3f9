/** Whether what perception saw of a horizon can decide a forecast. Pure. */
import type { FaintEvent, RecognisedEvent } from '../types.js';

export interface HorizonSeen {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Recognised, in any order; what lies outside of the horizon is left out. */
  readonly events: readonly RecognisedEvent[];
  readonly faintEvents: readonly FaintEvent[];
}

/** Of events that are less sure a third are not what they were taken for. */
const sureMin = 0.7;

/**
 * An outcome is the first event to begin in the horizon, so what matters is that event and what may have come before it. In doubt
 * are: a first event that perception is not sure of; another label that began about as early; and anything faint that would have come
 * first.
 *
 * @param onsetDoubtMs within which it can be told of no two onsets which was first
 */
export function isDoubtful(
  { fromMs, untilMs, events, faintEvents }: HorizonSeen,
  onsetDoubtMs: number,
): boolean {
  const isIn = ({ onsetMs }: FaintEvent): boolean => onsetMs >= fromMs && onsetMs <= untilMs;
  const inside = events.filter(isIn);
  const first = inside.reduce<RecognisedEvent | null>(
    (best, event) => (best && best.onsetMs <= event.onsetMs ? best : event),
    null,
  );
  if (first && first.probability < sureMin) return true;
  const isRival = (event: RecognisedEvent): boolean =>
    first !== null && event.label !== first.label && event.onsetMs - first.onsetMs < onsetDoubtMs;
  if (inside.some(isRival)) return true;
  const decidesMs = first?.onsetMs ?? untilMs;
  return faintEvents.some((event) => isIn(event) && event.onsetMs <= decidesMs);
}
