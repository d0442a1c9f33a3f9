import { concat, defer, retry, tap, throwError, timer, type MonoTypeOperatorFunction } from 'rxjs';
import { LookaheadError, messageOf, type ErrorCode } from '../errors.js';
import type { StateName } from '../messages.js';

export interface ReconnectLimits {
  /** Pauses before the first, second, ... new try; the last one is repeated for ever. Empty: an end is an end. */
  readonly pausesMs: readonly number[];
  /** A pause is drawn from pause x (1 - jitter, 1 + jitter), so that cameras behind one switch do not return in step. */
  readonly jitter: number;
}

export interface ReconnectPorts {
  /** 0 <= random() < 1. */
  readonly random: () => number;
  readonly onState: (state: Extract<StateName, 'connecting' | 'offline'>, why: string) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Another try a second later would not help, and many cameras lock an account after a few refused logins. */
const slowCodes: readonly ErrorCode[] = [
  'camera_refused',
  'camera_not_found',
  'camera_no_video',
  'source_refused',
  'credential_unknown',
];

/**
 * Subscribes anew when the source fails, for ever, after a growing pause. An end is a failure too: a camera that was
 * switched off arrives as a clean end. The pauses start anew after the first value, so it stands behind `slideClips`:
 * only a whole clip proves that a camera is back, and no clip holds frames of two connections.
 *
 * ```
 * tries    a-#          pauses 2, 4
 *             --b|
 *                 --c-
 * result   a-----b---c-
 * ```
 */
export function reconnect<T>(
  { pausesMs, jitter }: ReconnectLimits,
  { random, onState, onFailure }: ReconnectPorts,
): MonoTypeOperatorFunction<T> {
  const pauseMs = (error: unknown, tries: number): number => {
    const isSlow = error instanceof LookaheadError && slowCodes.includes(error.code);
    const pause = (isSlow ? undefined : pausesMs[tries - 1]) ?? pausesMs.at(-1) ?? 0;
    return Math.round(pause * (1 - jitter + 2 * jitter * random()));
  };

  return (source) => {
    const connected$ = defer(() => {
      onState('connecting', 'Opening the camera.');
      return source;
    });
    if (pausesMs.length === 0) {
      return connected$.pipe(
        tap({
          error: (error: unknown) => onState('offline', messageOf(error)),
          complete: () => onState('offline', 'The recording has ended.'),
        }),
      );
    }
    return concat(
      connected$,
      throwError(() => cameraEnded()),
    ).pipe(
      retry({
        resetOnSuccess: true,
        delay: (error: unknown, tries) => {
          // A camera cannot cause these; they are bugs, and hiding a bug behind a retry would keep it for ever.
          if (error instanceof TypeError || error instanceof ReferenceError) throw error;
          onFailure(error);
          onState('offline', messageOf(error));
          return timer(pauseMs(error, tries));
        },
      }),
    );
  };
}

function cameraEnded(): LookaheadError {
  return new LookaheadError(
    'camera_ended',
    'The camera ended its stream.',
    'Check that the camera is switched on and reachable; it is tried again by itself.',
  );
}
