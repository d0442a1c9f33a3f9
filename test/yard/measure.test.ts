import { describe, expect, it } from 'vitest';
import type { Message, SceneMessage } from '../../src/messages.js';
import type { Label } from '../../src/models/manifest.js';
import { encodeRle } from '../../src/models/rle.js';
import { yardLabels } from '../../src/yard/labels.js';
import { measureScenes, type MeasuredScene } from '../../src/yard/measure.js';
import type { SceneTruth } from '../../src/yard/record.js';
import * as message from '../support/messages.js';

const labels: readonly Label[] = yardLabels.map((label) => ({
  ...label,
  baseRate: 1 / yardLabels.length,
}));
const vanEnters = 1;
const iso = (ms: number): string => new Date(ms).toISOString();
const onlyAt = (at: number, amount: number): number[] =>
  labels.map((_, index) => (index === at ? amount : 0));

/** A van covers rows 30 to 59 and columns 40 to 99 of the only key frame, and enters at 9 s. */
const truth: SceneTruth = {
  seed: 1,
  frames: 64,
  events: [{ label: vanEnters, onsetS: 9, actors: [3], target: null }],
  clips: [
    {
      index: 0,
      objects: [
        { id: 3, class: 'van', colour: 'blue', box: [0, 0, 1, 1], firstBox: null, visible: 1 },
      ],
      description: '',
      stateBits: {},
    },
  ] as unknown as SceneTruth['clips'],
  windows: [
    {
      clip: 7,
      endS: 7.875,
      next: vanEnters,
      nextOnsetS: 9,
      futures: onlyAt(vanEnters, 8),
      bayes: onlyAt(vanEnters, 1),
      reasons: [],
    },
  ],
};
const isVan = (row: number, column: number): boolean =>
  row >= 30 && row < 60 && column >= 40 && column < 100;
const ids = Uint8Array.from({ length: 90 * 160 }, (_, at) =>
  Number(isVan(Math.floor(at / 160), at % 160)),
);

/** What a camera says that is right, but for what the test changes. */
function scene(change: {
  label?: string;
  event?: string;
  onsetMs?: number;
  class?: string;
  shiftPx?: number;
}): MeasuredScene {
  const label = change.label ?? 'van enters';
  const window = { ...message.forecast(0).window, to: iso(7875) };
  const forecast = message.forecast(0, { window, nothing: 0, somethingElse: 0 });
  const [first, second, third] = forecast.events;
  if (!first || !second || !third) throw new Error('A forecast names three events.');
  const mask = Uint8Array.from({ length: 48 * 80 }, (_, at) =>
    Number(isVan(2 * Math.floor(at / 80) - 3, 2 * (at % 80) + (change.shiftPx ?? 0))),
  );
  const seen: SceneMessage = {
    ...message.scene(0),
    clip: 0,
    objects: [
      {
        track: 1,
        class: change.class ?? 'van',
        classProbability: 1,
        box: { x: 0, y: 0, width: 1, height: 1 },
        velocity: { x: 0, y: 0 },
        ageClips: 0,
        mask: { size: [48, 80], counts: [...encodeRle(mask, 48, 80).counts] },
      },
    ],
  };
  const messages: Message[] = [
    seen,
    {
      ...forecast,
      events: [
        { ...first, label, confidence: 1 },
        { ...second, label: 'dog enters', confidence: 0 },
        { ...third, label: 'person enters', confidence: 0 },
      ],
    },
    {
      ...message.event(0),
      label: change.event ?? 'van enters',
      onset: iso(change.onsetMs ?? 9100),
    },
    { ...message.outcome(0), id: forecast.id, observed: change.event ?? 'van enters' },
  ];
  return { truth, ids, messages };
}

const valueOf = (scenes: readonly MeasuredScene[], key: string): number | undefined =>
  measureScenes(scenes, labels).measures[key]?.value;

describe('measureScenes', () => {
  it('gives full marks to a camera that says the truth', () => {
    const perfect = [scene({}), scene({})];
    expect(valueOf(perfect, 'skill')).toBeCloseTo(1, 2);
    for (const key of ['top1Share', 'eventF1', 'outcomeAgreement', 'objectRecall', 'classAccuracy'])
      expect([key, valueOf(perfect, key)]).toEqual([key, 1]);
    expect(valueOf(perfect, 'maskIou')).toBeGreaterThan(0.9);
    expect(valueOf(perfect, 'ece')).toBeLessThan(0.001);
  });

  it('gives less than base rates to a camera that is sure of what does not come', () => {
    const wrong = [scene({ label: 'gate opens' })];
    expect(valueOf(wrong, 'skill')).toBeLessThan(0);
    expect(valueOf(wrong, 'gain')).toBeLessThan(0);
    expect(valueOf(wrong, 'top1Share')).toBe(0);
    expect(valueOf(wrong, 'ece')).toBeGreaterThan(0.3);
  });

  it('takes an event for recognised only within a second of its onset', () => {
    expect(valueOf([scene({ onsetMs: 10_000 })], 'eventF1')).toBe(1);
    expect(valueOf([scene({ onsetMs: 10_001 })], 'eventF1')).toBe(0);
    expect(valueOf([scene({ event: 'gate opens' })], 'eventF1')).toBe(0);
    expect(valueOf([scene({ event: 'gate opens' })], 'outcomeAgreement')).toBe(0);
  });

  it('measures masks by what they cover, and classes only of things that were found', () => {
    const halfOff = [scene({ shiftPx: 30 })];
    expect(valueOf(halfOff, 'maskIou')).toBeGreaterThan(0.3);
    expect(valueOf(halfOff, 'maskIou')).toBeLessThan(0.4);
    expect(valueOf(halfOff, 'objectRecall')).toBe(0);
    expect(valueOf([scene({ class: 'dog' })], 'classAccuracy')).toBe(0);
  });
});
