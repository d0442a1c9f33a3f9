/** Numbers and times as people read them. Pure. */
import type { Outcome } from '../../messages.js';
import { becauseWords, percent } from './words.js';

export const noMark = '–';

export const chanceText = (chance: number | null): string =>
  chance === null ? noMark : percent(chance);

/** Of what was counted, which unlike a chance may be all. */
export const shareText = (share: number | null): string =>
  share === null ? noMark : `${Math.round(share * 100)} %`;

export const markText = (mark: number | null, decimals = 2): string =>
  mark === null ? noMark : mark.toFixed(decimals).replace('-', '−');

export const countText = (count: number): string => count.toLocaleString('en-GB');

export function counted(count: number, one: string, more = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : more}`;
}

export const secondsText = (ms: number): string =>
  `${(Math.round(ms / 100) / 10).toFixed(1).replace('-', '−')} s`;

/** Positive: so long before the event began. */
export function leadText(leadMs: number | null): string {
  if (leadMs === null) return noMark;
  return leadMs < 0 ? `${secondsText(-leadMs)} late` : `${secondsText(leadMs)} ahead`;
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** In the reader's own time zone; the day only where it is another one. */
export function timeText(iso: string, nowMs: number): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  return isToday ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

export const verdictWords = {
  hit: 'Hit: the likeliest answer came true',
  miss: 'Miss: another named answer came true',
  surprise: 'Surprise: an event that was not named',
  undecidable: 'Undecidable',
} as const;

/** What happened, and in quiet letters when, or why nobody knows. */
export function observedWords({ observed, onsetAfterMs, because }: Outcome): {
  readonly what: string;
  readonly more: string;
} {
  if (observed === null) return { what: 'not known', more: because ? becauseWords[because] : '' };
  return {
    what: observed,
    more: onsetAfterMs === null ? '' : `after ${secondsText(onsetAfterMs)}`,
  };
}

/** The small model writes `a van comes . it stops .`; people read `A van comes. It stops.` */
export function prose(text: string): string {
  return text
    .trimStart()
    .replace(/ +([.,;:?!])/g, '$1')
    .replace(
      /(^|[.?!] )([a-z])/g,
      (_, before: string, first: string) => before + first.toUpperCase(),
    );
}

/** Why what is stored could not be read. */
export function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'Nobody knows why.';
  switch (error.name) {
    case 'TimeoutError':
      return 'The server did not answer in time.';
    case 'NoResponders':
      return 'The server keeps nothing of this kind.';
    case 'RequestError':
      return error.cause === undefined ? error.message : whyNot(error.cause);
    default:
      return error.message;
  }
}
