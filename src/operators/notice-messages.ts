/** Which messages are worth telling somebody who is not listening all the time. */
import {
  asyncScheduler,
  concatMap,
  connect,
  defaultIfEmpty,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  groupBy,
  map,
  merge,
  mergeMap,
  of,
  take,
  throttleTime,
  timer,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import type { Forecast, Message, Notice, Outcome, StateMessage, WebhookKind } from '../messages.js';
import { eventText, forecastText, outcomeText, scoreText, stateText } from './notice-text.js';

export interface NoticeRule {
  readonly kinds: readonly WebhookKind[];
  /** null: all. */
  readonly cameras: readonly string[] | null;
  /** null: all. */
  readonly labels: readonly string[] | null;
  readonly target: 'next' | 'within';
  readonly confidenceMin: number;
  readonly calibratedOnly: boolean;
  /** Between two notices of the same kind, camera and label. */
  readonly cooldownS: number;
  /** 0: forecasts do not wait for their reasons. */
  readonly waitForReasonMs: number;
}

/** Forecasts that were told and whose outcome has not come; beyond it the oldest are forgotten. */
const openMax = 1_000;

/**
 * The first message of each kind, camera and label that the rule lets pass; then none of these until the cooldown is over.
 * Another label is told meanwhile. Where forecasts and outcomes are told, outcomes are those of the told forecasts.
 *
 * ```
 * messages  -aab-a---a--      a, b: forecasts of two labels; a cooldown of 6
 * notices   -a-b-----a--
 * ```
 *
 * A forecast that waits for its reasons goes out with them, or without them when the time is over or the messages end.
 *
 * ```
 * messages  -a--A--b---B      A, B: reasons of a and b; a wait of 3
 * notices   ----A-----b-
 * ```
 *
 * The state of a camera that changes during the cooldown is told when that is over, unless it is as it was told.
 *
 * ```
 * messages  -f-o------fof----    f: offline, o: online; a cooldown of 4
 * notices   -f---o----f------
 * ```
 */
export function noticeMessages(
  rule: NoticeRule,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<Message, Notice> {
  return (message$) =>
    message$.pipe(
      filter(({ camera }) => rule.cameras?.includes(camera) ?? true),
      connect((all$) =>
        merge(
          all$.pipe(tell(rule, scheduler), withReasons(all$, rule, scheduler)),
          rule.kinds.includes('state') ? all$.pipe(tellStates(rule, scheduler)) : EMPTY,
        ),
      ),
    );
}

function tell(rule: NoticeRule, scheduler: SchedulerLike): OperatorFunction<Message, Notice> {
  return (message$) =>
    defer(() => {
      const toldAtMs = new Map<string, number>();
      const open = new Map<string, Chance>();
      const followsForecasts = rule.kinds.includes('forecast') && rule.kinds.includes('outcome');
      const isCooling = (key: string): boolean => {
        const elapsedMs = scheduler.now() - (toldAtMs.get(key) ?? -Infinity);
        // A clock that was set back must not silence anything for longer.
        return elapsedMs >= 0 && elapsedMs < rule.cooldownS * 1_000;
      };
      return message$.pipe(
        concatMap((message) => {
          if (message.schema === 'lookahead.outcome.v1' && followsForecasts) {
            const told = open.get(message.id);
            open.delete(message.id);
            return told === undefined ? EMPTY : of(outcomeNotice(message, told));
          }
          const notice = noticesOf(message, rule).find((one) => !isCooling(keyOf(one)));
          if (notice === undefined) return EMPTY;
          toldAtMs.set(keyOf(notice), scheduler.now());
          const { label, confidence } = notice;
          if (
            followsForecasts &&
            'validUntil' in message &&
            label !== null &&
            confidence !== null
          ) {
            open.set(message.id, { label, confidence });
            if (open.size > openMax) open.delete([...open.keys()][0] ?? '');
          }
          return of(notice);
        }),
      );
    });
}

function keyOf({ kind, camera, label }: Notice): string {
  return `${kind} ${camera} ${label ?? ''}`;
}

function tellStates(
  { cooldownS }: NoticeRule,
  scheduler: SchedulerLike,
): OperatorFunction<Message, Notice> {
  const both = { leading: true, trailing: true };
  return (message$) =>
    message$.pipe(
      filter((message): message is StateMessage => message.schema === 'lookahead.state.v1'),
      // Passes at once, into whatever the camera is.
      filter(({ state }) => state !== 'connecting'),
      groupBy(({ camera }) => camera),
      mergeMap((state$) =>
        state$.pipe(
          throttleTime(cooldownS * 1_000, scheduler, both),
          distinctUntilChanged((before, now) => before.state === now.state),
        ),
      ),
      map((message) => noticeOf(message, 'state', message.state, null, stateText(message))),
    );
}

function withReasons(
  message$: Observable<Message>,
  { waitForReasonMs }: NoticeRule,
  scheduler: SchedulerLike,
): OperatorFunction<Notice, Notice> {
  return mergeMap((notice) => {
    const { message, label, confidence } = notice;
    if (waitForReasonMs === 0 || message.schema !== 'lookahead.forecast.v1') return of(notice);
    // Where nothing had changed, no reasons are worked out.
    if (message.basis === 'carried' || label === null || confidence === null) return of(notice);
    const reason$ = message$.pipe(
      filter((other): other is Forecast => 'rev' in other && other.rev > 0),
      filter(({ id }) => id === message.id),
      map((reasoned) => forecastNotice(reasoned, label, confidence)),
      defaultIfEmpty(notice),
    );
    const tooLate$ = timer(waitForReasonMs, scheduler).pipe(map(() => notice));
    return merge(reason$, tooLate$).pipe(take(1));
  });
}

/** All that the rule lets pass of one message, the most likely first; states are told otherwise. */
function noticesOf(message: Message, rule: NoticeRule): Notice[] {
  const isWanted = ({ label, confidence }: Chance): boolean =>
    (rule.labels?.includes(label) ?? true) && confidence >= rule.confidenceMin;
  const tells = (kind: WebhookKind): boolean => rule.kinds.includes(kind);
  switch (message.schema) {
    case 'lookahead.forecast.v1':
      if (!tells('forecast') || message.target !== rule.target || message.rev > 0) return [];
      if (rule.calibratedOnly && !message.calibrated) return [];
      return chancesOf(message)
        .filter(isWanted)
        .map(({ label, confidence }) => forecastNotice(message, label, confidence));
    case 'lookahead.outcome.v1':
      if (!tells('outcome') || (message.target ?? 'next') !== rule.target) return [];
      if (rule.calibratedOnly && message.calibrated === false) return [];
      return (message.answers?.events ?? [])
        .filter(isWanted)
        .map((chance) => outcomeNotice(message, chance));
    case 'lookahead.event.v1': {
      const { label, probability } = message;
      if (!tells('event') || !isWanted({ label, confidence: probability })) return [];
      return [noticeOf(message, 'event', label, probability, eventText(message))];
    }
    case 'lookahead.score.v1':
      if (!tells('score') || message.target !== rule.target) return [];
      return [noticeOf(message, 'score', null, null, scoreText(message))];
    case 'lookahead.state.v1':
    case 'lookahead.scene.v1':
      return [];
  }
}

interface Chance {
  readonly label: string;
  readonly confidence: number;
}

/** The three named ones; where the chance of every label is told, all. The most likely first. */
function chancesOf({ events, chances }: Forecast): readonly Chance[] {
  if (chances === undefined) return events;
  return Object.entries(chances)
    .map(([label, confidence]) => ({ label, confidence }))
    .sort((one, other) => other.confidence - one.confidence);
}

function forecastNotice(message: Forecast, label: string, confidence: number): Notice {
  const text = forecastText(message, label, confidence);
  return noticeOf(message, 'forecast', label, confidence, text);
}

function outcomeNotice(message: Outcome, { label, confidence }: Chance): Notice {
  const text = outcomeText(message, label, confidence);
  return noticeOf(message, 'outcome', label, confidence, text);
}

function noticeOf(
  message: Message,
  kind: WebhookKind,
  label: string | null,
  confidence: number | null,
  text: string,
): Notice {
  const { camera } = message;
  return { schema: 'lookahead.webhook.v1', camera, kind, label, confidence, text, message };
}
