/** The page's colours for what is drawn on a canvas, which knows no CSS variables. */
import { signal } from '@preact/signals';
import { labelOklch, looks } from './label-colour.js';

const darkness = matchMedia('(prefers-color-scheme: dark)');
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

const narrowness = matchMedia('(max-width: 44rem)');

export const isDark = signal(darkness.matches);
export const isMotionReduced = signal(stillness.matches);
darkness.addEventListener('change', ({ matches }) => (isDark.value = matches));
/** A telephone, or a window like one. */
export const isNarrow = signal(narrowness.matches);
narrowness.addEventListener('change', ({ matches }) => (isNarrow.value = matches));
stillness.addEventListener('change', ({ matches }) => (isMotionReduced.value = matches));

const known = new Map<string, string>();
isDark.subscribe(() => known.clear());

/** @param name of a variable of style.css: `--good` */
export function colour(name: `--${string}`): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  // light-dark() is resolved where a colour is used, not where it is named.
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  known.set(name, resolved);
  return resolved;
}

/** The fill of an answer. */
export function labelColour(label: string, strength: number): string {
  const [lightness, chroma, hue] = labelOklch(label, lookNow().fill);
  return `oklch(${lightness} ${chroma} ${hue} / ${strength.toFixed(2)})`;
}

/** The same hue, where it has to stand out from the ground. */
export function labelInk(label: string): string {
  return `oklch(${labelOklch(label, lookNow().ink).join(' ')})`;
}

function lookNow(): (typeof looks)['light' | 'dark'] {
  return isDark.value ? looks.dark : looks.light;
}

/** On a picture, dark or light as it may be. Neighbouring numbers are far apart. */
export function trackColour(track: number): readonly [number, number, number] {
  return hslToRgb((track * 137.5) % 360, 0.9, 0.62);
}

function hslToRgb(hue: number, saturation: number, lightness: number): [number, number, number] {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
