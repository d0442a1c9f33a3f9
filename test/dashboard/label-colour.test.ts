import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { labelOklch, looks, type ColourLook } from '../../src/sinks/dashboard/label-colour.js';
import { yardDir } from '../models/yard-bundle.js';

const manifest = JSON.parse(readFileSync(join(yardDir, 'manifest.json'), 'utf8')) as {
  readonly labels: readonly { readonly text: string }[];
};
const labels = manifest.labels.map(({ text }) => text).filter((text) => text !== 'nothing');
const all = Object.entries(looks).flatMap(([scheme, { fill, ink }]) => [
  [scheme, 'fill', fill] as const,
  [scheme, 'ink', ink] as const,
]);
/** Of OKLab: what an eye that compares two areas can just tell apart. */
const justSeen = 0.02;

describe('the colour of a label', () => {
  it.each(all)('tells each label of the yard from every other, %s %s', (_scheme, _use, look) => {
    const seen = labels.map((label) => shown(label, look));
    const near = labels.flatMap((label, i) =>
      labels
        .slice(0, i)
        .filter((_, j) => distance(seen[i]!, seen[j]!) < justSeen)
        .map((other) => `${label}, ${other}`),
    );
    expect(near).toEqual([]);
  });

  it('depends on its text alone', () => {
    const look = looks.light.fill;
    const before = labelOklch('van enters', look);
    for (const label of labels) labelOklch(label, look);
    expect(labelOklch('van enters', look)).toEqual(before);
    expect(labelOklch('van enterz', look)).not.toEqual(before);
  });

  it.each([
    ['light', looks.light, [0x14, 0x20, 0x2b], [0xff, 0xff, 0xff]],
    ['dark', looks.dark, [0xe6, 0xed, 0xf3], [0x17, 0x20, 0x29]],
  ] as const)(
    'leaves text readable and marks visible, %s',
    (_scheme, { fill, ink }, text, panel) => {
      for (const label of labels) {
        expect(contrast(linear(label, fill), ofBytes(text)), label).toBeGreaterThan(4.5);
        expect(contrast(linear(label, ink), ofBytes(panel)), label).toBeGreaterThan(3);
      }
    },
  );
});

type Triple = readonly [number, number, number];

/** Linear sRGB, cut to what a screen can show. */
function linear(label: string, look: ColourLook): Triple {
  const [lightness, chroma, degrees] = labelOklch(label, look);
  const [a, b] = [Math.cos, Math.sin].map((part) => chroma * part((degrees * Math.PI) / 180));
  const cone = (ka: number, kb: number): number => (lightness + ka * a! + kb * b!) ** 3;
  const l = cone(0.3963377774, 0.2158037573);
  const m = cone(-0.1055613458, -0.0638541728);
  const s = cone(-0.0894841775, -1.291485548);
  const channel = (x: number, y: number, z: number): number =>
    Math.min(1, Math.max(0, x * l + y * m + z * s));
  return [
    channel(4.0767416621, -3.3077115913, 0.2309699292),
    channel(-1.2684380046, 2.6097574011, -0.3413193965),
    channel(-0.0041960863, -0.7034186147, 1.707614701),
  ];
}

/** OKLab of what a screen shows. */
function shown(label: string, look: ColourLook): Triple {
  const [r, g, b] = linear(label, look);
  const cone = (x: number, y: number, z: number): number => Math.cbrt(x * r + y * g + z * b);
  const l = cone(0.4122214708, 0.5363325363, 0.0514459929);
  const m = cone(0.2119034982, 0.6806995451, 0.1073969566);
  const s = cone(0.0883024619, 0.2817188376, 0.6299787005);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function distance(one: Triple, other: Triple): number {
  return Math.hypot(...one.map((value, i) => value - other[i]!));
}

function ofBytes([r, g, b]: Triple): Triple {
  const channel = (byte: number): number =>
    byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;
  return [channel(r), channel(g), channel(b)];
}

/** WCAG 2. */
function contrast(one: Triple, other: Triple): number {
  const luminance = ([r, g, b]: Triple): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
