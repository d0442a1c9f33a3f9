/** What people read in the terminal: forecasts and outcomes on standard output, the engine's own words on standard error. */
import type { LogLevel } from './config.js';
import { LookaheadError, messageOf } from './errors.js';
import {
  isRevision,
  type Forecast,
  type Message,
  type Outcome,
  type Score,
  type StateName,
} from './messages.js';

/** A camera's rolling score is printed no more often. */
export const scoreLinePeriodMs = 600_000;

/** How many outcomes the score behind a tick or cross looks back on. */
export const tallyLength = 20;

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain: Paint = { good: String, bad: String, dim: String };
const coloured: Paint = {
  good: (text) => `\x1b[32m${text}\x1b[0m`,
  bad: (text) => `\x1b[31m${text}\x1b[0m`,
  dim: (text) => `\x1b[2m${text}\x1b[0m`,
};

/** https://no-color.org: any value but an empty one switches colours off. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' ? coloured : plain;
}

/** Texts come from models and configuration; none of them may move the cursor. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- Control characters are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, ' ');
}

export interface Answer {
  readonly text: string;
  readonly confidence: number;
}

/** The three most probable answers, "nothing" among them where it ranks; most probable first. */
export function answersOf(forecast: Pick<Forecast, 'events' | 'nothing'>): Answer[] {
  const events = forecast.events.map(({ label, confidence }) => ({ text: label, confidence }));
  return [...events, { text: 'nothing', confidence: forecast.nothing }]
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, 3);
}

/** A chance is never printed as certain: 0 and 100 stand for what cannot be said. */
export function percent(share: number): string {
  if (share > 0.99) return '>99 %';
  if (share < 0.01) return '<1 %';
  return `${Math.round(share * 100)} %`;
}

/**
 * `van enters 62 % · gate opens 21 % · nothing 9 %   lag 0.8 s`, «too late» past the horizon; a recording has no lag: null.
 * «carried»: nothing has changed since the language model was last asked.
 */
export function forecastLine(
  forecast: Forecast,
  lagMs: number | null,
  paint: Paint = plain,
): string {
  const answers = answersOf(forecast).map(
    ({ text, confidence }) => `${printable(text)} ${percent(confidence)}`,
  );
  const facts = [
    ...(lagMs === null ? [] : [`lag ${(lagMs / 1000).toFixed(1)} s`]),
    ...(lagMs !== null && lagMs > forecast.horizonMs ? ['too late'] : []),
    ...(forecast.basis === 'carried' ? ['carried'] : []),
  ].join(', ');
  return `${answers.join(' · ')}${facts === '' ? '' : `   ${paint.dim(facts)}`}`;
}

/**
 * `why: the gate opens, because the van stops at the gate`; null: there is no prose. Steps first; where there are none, the
 * reason of the likeliest event.
 */
export function whyLine({ explanation, events, grounded }: Forecast): string | null {
  const doubt = (verified: boolean | undefined): string => (verified ? '' : ' (unverified)');
  const steps = explanation.map(({ text, verified }) => `${tidy(text)}${doubt(verified)}`);
  const [given] = events.filter(({ justification }) => justification !== '');
  if (steps.length === 0 && given) {
    const { label, justification, justificationVerified } = given;
    steps.push(`${printable(label)}, ${tidy(justification)}${doubt(justificationVerified)}`);
  }
  if (steps.length === 0) return null;
  const habit = grounded === false ? ' (by habit: the picture hardly counted)' : '';
  return `why: ${steps.join('; ')}${habit}`;
}

/** The yard's own texts have spaces before punctuation, and a full stop at the end. */
function tidy(text: string): string {
  return printable(text)
    .replace(/\s+([,.;:!?])/g, '$1')
    .replace(/\.\s*$/, '')
    .trim();
}

/** The last outcomes of one camera that could be decided. */
export class Tally {
  readonly #last: { readonly hit: boolean; readonly baseRateHit: boolean }[] = [];

  add(outcome: Outcome): void {
    if (outcome.verdict === 'undecidable') return;
    this.#last.push({
      hit: outcome.verdict === 'hit',
      baseRateHit: outcome.baseRateHit === true,
    });
    if (this.#last.length > tallyLength) this.#last.shift();
  }

  /** `14 of 20; base rate 7 of 20` */
  text(): string {
    const hits = this.#last.filter(({ hit }) => hit).length;
    const base = this.#last.filter(({ baseRateHit }) => baseRateHit).length;
    return `${hits} of ${this.#last.length}; base rate ${base} of ${this.#last.length}`;
  }
}

/** Why chances are not calibrated: the bundle does not know the picture, clips are missing, or no picture is worth looking at. */
type Doubt = 'unfamiliar' | 'incomplete' | 'corrupt';

function doubtOf({ calibrated, quality }: Forecast): Doubt | null {
  if (calibrated) return null;
  if (quality === 'corrupt') return 'corrupt';
  return quality === 'gaps' ? 'incomplete' : 'unfamiliar';
}

/** What recognises outcomes is the same bundle, so where it is lost, its ticks prove nothing. */
function notScored(doubt: Doubt): { text(): string } {
  return { text: () => `${doubt} picture: not scored` };
}

/** `✓ van enters after 2.3 s   (14 of 20; base rate 7 of 20)`, or null where nothing could be decided. */
export function outcomeLine(
  outcome: Outcome,
  score: { text(): string },
  paint: Paint = plain,
): string | null {
  if (outcome.verdict === 'undecidable' || outcome.observed === null) return null;
  const afterS = outcome.onsetAfterMs === null ? null : (outcome.onsetAfterMs / 1000).toFixed(1);
  const observed = printable(outcome.observed);
  const what =
    observed === 'nothing'
      ? 'nothing happened'
      : `${observed}${afterS === null ? '' : ` after ${afterS} s`}`;
  const proof = paint.dim(`(${score.text()})`);
  if (outcome.verdict === 'hit') return `${paint.good('✓')} ${what}   ${proof}`;
  return `${paint.bad('✗')} ${what}, not ${printable(outcome.predicted)}   ${proof}`;
}

/**
 * `score: last hour 62 % hits, skill 0.41 over base rate, 0.48 over persistence, Brier 0.31 (1,704 outcomes, 12 undecidable)`;
 * what cannot be said is left out.
 */
export function scoreLine({ target, periods }: Score, paint: Paint = plain): string {
  const { hitRate, brier, skillOverBaseRate, skillOverPersistence, ...counts } = periods.hour;
  const count = (number: number): string => number.toLocaleString('en-US');
  const marks = [
    ...(hitRate === null ? ['nothing could be decided'] : [`${Math.round(hitRate * 100)} % hits`]),
    ...(skillOverBaseRate === null ? [] : [`skill ${skillOverBaseRate.toFixed(2)} over base rate`]),
    ...(skillOverPersistence === null
      ? []
      : [`${skillOverPersistence.toFixed(2)} over persistence`]),
    ...(brier === null ? [] : [`Brier ${brier.toFixed(2)}`]),
  ].join(', ');
  const proof = [
    ...(counts.outcomes === 1 ? ['1 outcome'] : [`${count(counts.outcomes)} outcomes`]),
    `${count(counts.undecidable)} undecidable`,
    ...(counts.uncalibrated ? [`${count(counts.uncalibrated)} uncalibrated`] : []),
  ].join(', ');
  const name = target === 'within' ? 'score of within' : 'score';
  return `${name}: last hour ${marks} ${paint.dim(`(${proof})`)}`;
}

/** What a frozen or flat picture lacks is a picture; its state says so. */
function doubtLine(camera: string, doubt: Exclude<Doubt, 'corrupt'>): string {
  const why =
    doubt === 'unfamiliar'
      ? 'this picture is unlike anything the bundle was trained on'
      : 'clips are missing or late, from the camera or because this machine is too slow';
  return `${camera}: ${why}; its chances are not calibrated.`;
}

/** An error for people: what was wrong, what to do; no stack unless it is a programming error. */
export function errorText(error: unknown): string {
  if (error instanceof LookaheadError) return `${error.message}\n${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface Console {
  message(message: Message, lagMs: number | null): void;
  state(camera: string, state: StateName, why: string): void;
  log(level: LogLevel, text: string): void;
}

const levels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

export interface ConsoleOptions {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly level: LogLevel;
  /** For the width of the first column. */
  readonly cameras: readonly string[];
  /** Nobody reads standard output any more (`| head -1`). */
  readonly onClosed?: () => void;
}

export function createConsole(options: ConsoleOptions): Console {
  const { out, err, env, level, cameras, onClosed } = options;
  const paint = paintFor(out, env);
  const column = Math.max(0, ...cameras.map((name) => name.length)) + 2;
  const tallies = new Map<string, Tally>();
  /** Of cameras whose newest forecast is not calibrated. */
  const doubts = new Map<string, Doubt>();
  /** What was last said of cameras that have not been calibrated since. */
  const warned = new Map<string, Doubt>();
  /** When the score of a camera and target was last printed, by the score's own time. */
  const scoredAtMs = new Map<string, number>();
  let isClosed = false;

  out.on('error', (error) => {
    if (isClosed) return;
    isClosed = true;
    if (error.code === 'EPIPE') onClosed?.();
  });
  err.on('error', () => undefined); // Where complaints cannot be written, none can be made about it.

  const line = (camera: string, text: string): void => {
    if (!isClosed) out.write(`${camera.padEnd(column)}${text}\n`);
  };
  const log = (of: LogLevel, text: string): void => {
    if (levels.indexOf(of) > levels.indexOf(level)) return;
    const lines = text.split('\n').map(printable);
    err.write(`${of === 'info' ? '' : `${of}: `}${lines.join('\n')}\n`);
  };

  return {
    log,
    message: (message, lagMs) => {
      const { camera } = message;
      if (isRevision(message)) {
        const why = whyLine(message as Forecast);
        if (why !== null) line(camera, paint.dim(why));
      } else if (message.schema === 'lookahead.forecast.v1' && message.target !== 'within') {
        line(camera, forecastLine(message, lagMs, paint));
        const doubt = doubtOf(message);
        if (doubt === null) {
          doubts.delete(camera);
          warned.delete(camera);
          return;
        }
        doubts.set(camera, doubt);
        if (doubt === 'corrupt' || warned.get(camera) === doubt) return;
        warned.set(camera, doubt);
        log('warn', doubtLine(camera, doubt));
      } else if (message.schema === 'lookahead.outcome.v1' && message.target !== 'within') {
        const tally = tallies.get(camera) ?? new Tally();
        tallies.set(camera, tally);
        const doubt = doubts.get(camera);
        if (doubt === undefined) tally.add(message);
        const score = doubt === undefined ? tally : notScored(doubt);
        const text = outcomeLine(message, score, paint);
        if (text !== null) line(camera, text);
      } else if (message.schema === 'lookahead.score.v1') {
        const [key, atMs] = [`${camera} ${message.target}`, Date.parse(message.at)];
        if (atMs - (scoredAtMs.get(key) ?? -Infinity) < scoreLinePeriodMs) return;
        scoredAtMs.set(key, atMs);
        line(camera, scoreLine(message, paint));
      }
    },
    state: (camera, state, why) => {
      line(camera, state === 'online' ? state : `${state}: ${printable(why)}`);
    },
  };
}

/** What failed, in one line, for the log. */
export function failureLine(camera: string, stage: string, error: unknown): string {
  return `${camera}: ${stage}: ${messageOf(error)}`;
}
