import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeSince, know, totalVariation, type GateLimits } from '../../src/operators/gate.js';
import { defaultGate } from '../../src/pipeline-config.js';
import type { Scene, SceneObject, Window } from '../../src/types.js';
import { fakeEvent, fakeObject, fakeScene } from '../support/fakes.js';

const limits: GateLimits = { ...defaultGate, reasonEveryMaxMs: 1_000 };
/** A gate that is shut and rests. */
const gate = (change: Partial<SceneObject> = {}): SceneObject => ({
  ...fakeObject(1, 'gate'),
  attributes: { open: 0.1 },
  ...change,
});
const scene = (clip: number, objects: SceneObject[], change: Partial<Scene> = {}): Scene =>
  fakeScene(clip, { objects, ...change });
const calm: Window = [0, 1, 2].map((clip) => scene(clip, [gate()]));
const cheap = [0.6, 0.3, 0.1];

/** What has changed in a window after the calm one, which ends with clip 2. */
function changeIn(later: readonly Scene[], cheapNow: number[] | null = cheap): string | null {
  const window = [...calm, ...later].slice(-3);
  const before = know(null, calm, cheap, limits);
  return changeSince(before, know(before, window, cheapNow, limits), window, limits);
}

describe('the gate', () => {
  it('lets the first window through', () => {
    expect(changeSince(null, know(null, calm, cheap, limits), calm, limits)).toBe('first');
  });

  it.each<[string, readonly Scene[], string | null]>([
    ['nothing', [scene(3, [gate()])], null],
    ['an event', [scene(3, [gate()], { events: [fakeEvent(2, 65)] })], 'event'],
    [
      'an event in a clip whose window went for a newer one',
      [scene(3, [gate()], { events: [fakeEvent(2, 65)] }), scene(4, [gate()])],
      'event',
    ],
    ['a thing comes', [scene(3, [gate(), fakeObject(7, 'van')])], 'born'],
    ['a thing is hidden for a clip', [scene(3, [])], null],
    ['a thing is gone', [scene(3, []), scene(4, [])], 'lost'],
    ['it is found again at its place under a new id', [scene(3, [gate({ track: 9 })])], null],
    [
      'another thing stands at its place',
      [scene(3, [fakeObject(9, 'van')]), scene(4, [fakeObject(9, 'van')])],
      'born',
    ],
    ['it is called otherwise', [scene(3, [gate({ class: 'door' })])], 'class'],
    ['it starts', [scene(3, [gate({ velocity: { x: 0.06, y: 0 } })])], 'motion'],
    ['its place is not quite certain', [scene(3, [gate({ velocity: { x: 0.03, y: 0 } })])], null],
    ['it opens', [scene(3, [gate({ attributes: { open: 0.9 } })])], 'attribute'],
    ['it may have opened', [scene(3, [gate({ attributes: { open: 0.5 } })])], null],
    ['it hardly opened', [scene(3, [gate({ attributes: { open: 0.15 } })])], null],
    ['it faces left', [scene(3, [gate({ attributes: { facing: -0.8 } })])], 'attribute'],
    ['it rains', [scene(3, [gate()], { place: { rain: 0.9 } })], 'place'],
    ['time passes', [scene(3, [gate()], { toMs: 1_100 })], 'time'],
  ])('%s: %s', (_what, later, expected) => {
    expect(changeIn(later)).toBe(expected);
  });

  it('sees a thing stop and an attribute end, and not what wavers in between', () => {
    const window = (clip: number, velocity: number, open: number): Window => [
      scene(clip, [gate({ velocity: { x: velocity, y: 0 }, attributes: { open } })]),
    ];
    const before = know(null, window(0, 0.1, 0.9), null, limits);
    const later = (velocity: number, open: number): string | null => {
      const now = window(1, velocity, open);
      return changeSince(before, know(before, now, null, limits), now, limits);
    };
    expect(later(0.03, 0.5)).toBeNull();
    expect(later(0.01, 0.9)).toBe('motion');
    expect(later(0.1, 0.1)).toBe('attribute');
  });

  it('asks when the cheap head thinks otherwise than at the last reasoned forecast', () => {
    const quiet = [scene(3, [gate()])];
    expect(changeIn(quiet, [0.45, 0.45, 0.1])).toBeNull();
    expect(changeIn(quiet, [0.35, 0.55, 0.1])).toBe('distance');
    expect(changeIn(quiet, null)).toBeNull();
  });

  it('measures between 0 and 1, alike in both directions', () => {
    const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(chances, chances, (one, other) => {
        const share = (values: number[]): number[] => {
          const sum = values.reduce((a, b) => a + b, 0) || 1;
          return values.map((value) => value / sum);
        };
        const [a, b] = [share(one), share(other)];
        expect(totalVariation(a, b)).toBeGreaterThanOrEqual(0);
        expect(totalVariation(a, b)).toBeLessThanOrEqual(1 + 1e-9);
        expect(totalVariation(a, b)).toBeCloseTo(totalVariation(b, a), 12);
        expect(totalVariation(a, a)).toBe(0);
      }),
    );
  });
});
