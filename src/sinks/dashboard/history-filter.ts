/** What of the history is looked at, as the address of the page holds it, so that it can be sent to a colleague. Pure. */
import { TokenSchema, type Outcome } from '../../messages.js';
import type { Span } from './read-history.js';

export const verdicts = ['hit', 'miss', 'surprise', 'undecidable'] as const;
export type Verdict = (typeof verdicts)[number];

export const lengthsMs = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;
export type Length = keyof typeof lengthsMs;

export interface HistoryFilter {
  /** null: every camera. */
  readonly camera: string | null;
  /** Part of a label, or a whole one; '': any. */
  readonly label: string;
  readonly verdict: Verdict | null;
  /** Least chance of the likeliest answer, 0 to 1. */
  readonly min: number;
  /** The last hour, day or week, or a moment in ISO 8601; null: as far back as there is. */
  readonly from: string | null;
  /** A moment in ISO 8601; null: up to now. */
  readonly to: string | null;
}

const labelMax = 80;

/** What in the address is of no use is as if it were not there. */
export function filterOf(query: URLSearchParams): HistoryFilter {
  const min = Number(query.get('min') ?? 0);
  const from = query.get('from');
  return {
    camera: TokenSchema.safeParse(query.get('camera')).data ?? null,
    label: (query.get('label') ?? '').trim().slice(0, labelMax),
    verdict: verdicts.find((verdict) => verdict === query.get('verdict')) ?? null,
    min: min > 0 && min <= 1 ? min : 0,
    from: from !== null && isLength(from) ? from : momentOf(from),
    to: momentOf(query.get('to')),
  };
}

/** Without what says nothing; '' where nothing is filtered. */
export function queryOf(filter: HistoryFilter): string {
  const query = new URLSearchParams();
  for (const key of ['camera', 'label', 'verdict', 'min', 'from', 'to'] as const) {
    const value = filter[key];
    if (value !== null && value !== '' && value !== 0) query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

export function isLength(text: string): text is Length {
  return Object.hasOwn(lengthsMs, text);
}

function momentOf(text: string | null): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** In milliseconds since 1970. */
export function spanOf({ from, to }: Pick<HistoryFilter, 'from' | 'to'>, nowMs: number): Span {
  return {
    fromMs: from === null ? undefined : isLength(from) ? nowMs - lengthsMs[from] : Date.parse(from),
    toMs: to === null ? undefined : Date.parse(to),
  };
}

/** The chance of the likeliest answer; null: the outcome does not tell it. */
export function chanceOf({ predicted, answers }: Outcome): number | null {
  if (answers === undefined) return null;
  if (predicted === 'nothing') return answers.nothing;
  return answers.events.find(({ label }) => label === predicted)?.confidence ?? null;
}

/** Whether an outcome passes all but camera and time, by which the server finds it. */
export function passes(outcome: Outcome, { label, verdict, min }: HistoryFilter): boolean {
  const { observed, predicted, target } = outcome;
  if (target === 'within') return false;
  if (verdict !== null && outcome.verdict !== verdict) return false;
  if (min > 0 && (chanceOf(outcome) ?? 0) < min) return false;
  const wanted = label.toLowerCase();
  return (
    wanted === '' || [observed ?? '', predicted].some((text) => text.toLowerCase().includes(wanted))
  );
}
