/** Makes an effect run again when any of these change, though it does not need their values itself. */
import type { ReadonlySignal } from '@preact/signals';

export function touch(...signals: readonly (ReadonlySignal<unknown> | undefined)[]): void {
  signals.forEach((one) => one?.value);
}
