import { distinctUntilChanged, map, Subject, type Observable } from 'rxjs';
import type { StateName } from '../messages.js';
import type { StateChange } from './camera-messages.js';

export interface CameraState {
  readonly change$: Observable<StateChange>;
  /** Whether what the camera shows can be believed. */
  readonly online$: Observable<boolean>;
  /** False while the camera shows frozen or corrupt pictures. */
  readonly isPictureGood: () => boolean;
  readonly set: (state: StateName, why: string) => void;
  readonly close: () => void;
}

/**
 * What is known of one camera's state. Several stages tell it, also unchanged; only changes go out.
 *
 * ```
 * set      c--o-o-o-f-f-o-|
 * change$  c--o-----f---o-|
 * online$  n--y-----n---y-|
 * ```
 */
export function trackState(
  now: () => number,
  onChange: (state: StateName, why: string) => void,
): CameraState {
  const changes = new Subject<StateChange>();
  let current: StateName | undefined;
  return {
    change$: changes.asObservable(),
    online$: changes.pipe(
      map(({ state }) => state === 'online'),
      distinctUntilChanged(),
    ),
    isPictureGood: () => current !== 'frozen' && current !== 'corrupt',
    set: (state, why) => {
      if (state === current) return;
      current = state;
      onChange(state, why);
      changes.next({ state, why, sinceMs: now() });
    },
    close: () => {
      changes.complete();
    },
  };
}
