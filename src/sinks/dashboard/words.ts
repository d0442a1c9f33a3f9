/** What a picture shows, in words: for those who cannot see it, and where a word is plainer. Pure. */
import type { Forecast, Outcome, StateName } from '../../messages.js';

/** `<1 %` and `>99 %` instead of a certainty that nobody claims. The space does not break. */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return '<1\u00a0%';
  if (share < 1 && share > 0.995) return '>99\u00a0%';
  return `${Math.round(share * 100)}\u00a0%`;
}

/** `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function duration(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 99.5) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 47.5 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
}

/** Whole seconds, none of them to come. */
export function ageWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 100 ? `${seconds} s` : duration(ms);
}

/** Of the clock on the wall here: `11:01:07`. */
export function clockTime(at: string | number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

/** `11:01` today, with its date on any other day. */
export function sinceTime(at: string, nowMs: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const isToday = then.toDateString() === new Date(nowMs).toDateString();
  return isToday
    ? time
    : `${then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** Why a camera is as it is, as the engine says it, without the name that stands beside it. */
export function whyWords(camera: string, why: string): string {
  return why.startsWith(`${camera}: `) ? why.slice(camera.length + 2) : why;
}

export interface Answer {
  readonly label: string;
  readonly chance: number;
}

/** Of the three and nothing. */
export function likeliest({ events, nothing }: Pick<Forecast, 'events' | 'nothing'>): Answer {
  const first = events[0];
  return first !== undefined && first.confidence >= nothing
    ? { label: first.label, chance: first.confidence }
    : { label: 'nothing', chance: nothing };
}

export function likeliestWords(forecast: Forecast): string {
  const { label, chance } = likeliest(forecast);
  const within = `within ${forecast.horizonMs / 1000} s`;
  const doubt = forecast.calibrated ? '' : ', not calibrated';
  if (label !== 'nothing') return `Next, ${within}: ${label}, ${percent(chance)}${doubt}`;
  if (chance >= 0.5) return `Likely nothing ${within}: ${percent(chance)}${doubt}`;
  // No event is likelier than nothing, but one of them will likely come.
  const first = forecast.events[0];
  const named = first === undefined ? '' : ` (${first.label} ${percent(first.confidence)})`;
  return `Likely something ${within}: ${percent(1 - chance)}${named}${doubt}`;
}

/** All answers, and what came of them where that is known. */
export function forecastWords(forecast: Forecast, outcome: Outcome | undefined): string {
  const answers = [
    ...forecast.events.map(({ label, confidence }) => `${label} ${percent(confidence)}`),
    `something else ${percent(forecast.somethingElse)}`,
    `nothing ${percent(forecast.nothing)}`,
  ];
  const doubt = forecast.calibrated ? '' : ' Not calibrated.';
  const came = outcome === undefined ? '' : ` ${outcomeWords(outcome)}`;
  return `${clockTime(forecast.window.to)}: ${answers.join(', ')}.${doubt}${came}`;
}

export const verdictGlyphs = { hit: '✓', miss: '✗', surprise: '!', undecidable: '?' } as const;

export const becauseWords: Readonly<Record<NonNullable<Outcome['because']>, string>> = {
  camera: 'the camera gave no good picture',
  gap: 'pictures are missing',
  restart: 'the engine was away',
  doubtful: 'what was recognised is too uncertain',
  full: 'too many forecasts were waiting',
};

/** A sentence. */
export function outcomeWords(outcome: Outcome): string {
  const { verdict, observed, predicted, onsetAfterMs, because } = outcome;
  const after = onsetAfterMs === null ? '' : ` after ${duration(onsetAfterMs)}`;
  const came = observed === 'nothing' ? 'nothing began' : `${observed ?? 'something'}${after}`;
  switch (verdict) {
    case 'hit':
      return `Hit: ${came}.`;
    case 'miss':
      return `Miss: ${came}, not ${predicted}.`;
    case 'surprise':
      return `Surprise: ${came}, which was not named.`;
    case 'undecidable':
      return `Undecidable${because == null ? '' : `: ${becauseWords[because]}`}.`;
  }
}

/** `segmenterEncoder` -> `segmenter encoder`. */
export function stageWords(stage: string): string {
  return stage.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}

/** What a tile says of its camera; two more than the engine's own. */
export type ShownState = StateName | 'unfamiliar' | 'unknown';

/**
 * @param isHeard the engine has been heard of late
 * @param newest the camera's last forecast
 */
export function shownState(
  state: StateName,
  isHeard: boolean,
  newest: Pick<Forecast, 'calibrated' | 'validUntil' | 'quality'> | undefined,
  nowMs: number,
): ShownState {
  if (!isHeard) return 'unknown';
  const isFresh = newest !== undefined && Date.parse(newest.validUntil) > nowMs - 10_000;
  return state === 'online' && isFresh && !newest.calibrated ? 'unfamiliar' : state;
}

export const stateWords: Readonly<Record<ShownState, string>> = {
  online: 'online',
  offline: 'offline',
  frozen: 'frozen',
  corrupt: 'corrupt',
  connecting: 'connecting',
  unfamiliar: 'unfamiliar',
  unknown: 'not heard',
};
