/** How much of what the engine sees is drawn over pictures; this browser remembers it. */
import { effect, signal } from '@preact/signals';
import { z } from 'zod';

const SettingsSchema = z.object({
  isOn: z.boolean(),
  opacity: z.number().min(0.1).max(1),
  hasBoxes: z.boolean(),
});

const key = 'lookahead.overlay';
const remembered = read();

export const isOverlayOn = signal(remembered.isOn);
export const overlayOpacity = signal(remembered.opacity);
export const hasBoxes = signal(remembered.hasBoxes);

effect(() => {
  const now = { isOn: isOverlayOn.value, opacity: overlayOpacity.value, hasBoxes: hasBoxes.value };
  try {
    localStorage.setItem(key, JSON.stringify(now));
  } catch {
    // A browser may forbid it; then it is forgotten.
  }
});

function read(): z.infer<typeof SettingsSchema> {
  try {
    return SettingsSchema.parse(JSON.parse(localStorage.getItem(key) ?? ''));
  } catch {
    return { isOn: true, opacity: 0.45, hasBoxes: false };
  }
}
