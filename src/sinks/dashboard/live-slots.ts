/** So many live pictures at once as the engine lends. */
import { signal } from '@preact/signals';

/** How many are taken; whoever waits looks again when it changes. */
export const slotsTaken = signal(0);

/** Undefined: there is none. What is returned gives it back, once. */
export function takeSlot(slotsMax: number): (() => void) | undefined {
  if (slotsTaken.peek() >= slotsMax) return undefined;
  slotsTaken.value = slotsTaken.peek() + 1;
  let isTaken = true;
  return () => {
    if (!isTaken) return;
    isTaken = false;
    slotsTaken.value = slotsTaken.peek() - 1;
  };
}
