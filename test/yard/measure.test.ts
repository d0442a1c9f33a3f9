import { describe, expect, it } from 'vitest';
import type { Message, SceneMessage } from '../../src/messages.js';
import { encodeRle } from '../../src/models/rle.js';
import type { RecordedTruth } from '../../src/yard/data/read-recording.js';
import type { Dataset, WindowLine } from '../../src/yard/data/schema.js';
import { measureScenes, type MeasuredScene } from '../../src/yard/scoring/measure.js';
import { labelOf, yardLabels } from '../../src/yard/world/labels.js';
import * as message from '../support/messages.js';

const labels = yardLabels.map((label) => ({ ...label, baseRate: 1 / yardLabels.length }));
const vanEnters = labelOf('van enters');
const iso = (ms: number): string => new Date(ms).toISOString();
const onlyAt = (at: number, amount: number): number[] =>
  labels.map((_, index) => (index === at ? amount : 0));
const rates = labels.map(({ baseRate }) => baseRate);

const dataset: Dataset = {
  ...{ schema: 'lookahead.yard.v2', split: 'test', seed: 1, scenes: 1, secondsPerScene: 8 },
  ...{ framesPerSecond: 8, framesPerClip: 8, widthPx: 320, heightPx: 180, horizonMs: 4000 },
  ...{ classes: [], labels, attributes: [], splits: [], versions: { world: 1, ffmpeg: 'none' } },
  templates: [{ name: 'gate+dock', priorNext: rates, priorWithin: rates }],
};

/** A van covers rows 30 to 59 and columns 40 to 99 of the only key frame, and enters at 9 s of the truth. */
const clips = [{ objects: [{ class: 'van', visible: 1 }] }];
const windows: readonly Partial<WindowLine>[] = [
  {
    ...{ clip: 7, endS: 8, next: vanEnters, nextOnsetS: 9, within: [vanEnters], last: 0 },
    ...{ bayes: onlyAt(vanEnters, 1), state: onlyAt(vanEnters, 1), bayesWithin: rates },
  },
  { clip: 9, endS: 10, next: labelOf('gate opens'), within: [labelOf('gate opens')], last: 0 },
];

const isVan = (row: number, column: number): boolean =>
  row >= 30 && row < 60 && column >= 40 && column < 100;
const ids = Uint8Array.from({ length: 90 * 160 }, (_, at) =>
  Number(isVan(Math.floor(at / 160), at % 160)),
);

const truth = {
  scene: { scene: 0, template: 'gate+dock' },
  ...{ clips, windows, ids, events: [{ label: vanEnters, onsetS: 9 }] },
} as unknown as RecordedTruth;

/** What a camera says that is right, but for what the test changes. */
function scene(change: {
  label?: string;
  event?: string;
  onsetMs?: number;
  class?: string;
  shiftPx?: number;
  toMs?: number;
  scene?: number;
}): MeasuredScene {
  const label = change.label ?? 'van enters';
  // A replay gives the first picture the time 0 and so the last one of clip 7 this one.
  const window = { ...message.forecast(0).window, to: iso(change.toMs ?? 7875) };
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
        { ...second, label: 'car enters', confidence: 0 },
        { ...third, label: 'person enters', confidence: 0 },
      ],
    },
    {
      ...message.event(0),
      label: change.event ?? 'van enters',
      onset: iso(change.onsetMs ?? 8975),
    },
    { ...message.outcome(0), id: forecast.id, observed: change.event ?? 'van enters' },
  ];
  return { truth: { ...truth, scene: { ...truth.scene, scene: change.scene ?? 0 } }, messages };
}

const valueOf = (scenes: readonly MeasuredScene[], key: string): number | undefined =>
  measureScenes(scenes, dataset).measures[key]?.value;

describe('measureScenes', () => {
  it('gives full marks to a camera that says the truth', () => {
    const perfect = [scene({}), scene({ scene: 1 })];
    expect(valueOf(perfect, 'skill')).toBeCloseTo(1, 2);
    for (const key of ['top1Share', 'eventF1', 'outcomeAgreement', 'objectRecall', 'classAccuracy'])
      expect([key, valueOf(perfect, key)]).toEqual([key, 1]);
    expect(valueOf(perfect, 'maskIou')).toBeGreaterThan(0.9);
    expect(valueOf(perfect, 'ece')).toBeLessThan(0.005);
  });

  it('gives less than base rates to a camera that is sure of what does not come', () => {
    const wrong = [scene({ label: 'gate opens' })];
    expect(valueOf(wrong, 'skill')).toBeLessThan(0);
    expect(valueOf(wrong, 'gain')).toBeLessThan(0);
    expect(valueOf(wrong, 'top1Share')).toBe(0);
    expect(valueOf(wrong, 'ece')).toBeGreaterThan(0.3);
  });

  it('takes an event for recognised only within a second of its onset', () => {
    // 9 s of the truth is 8.875 s of a replay, whose first picture was taken after an eighth of a second.
    for (const onsetMs of [7875, 9875]) expect(valueOf([scene({ onsetMs })], 'eventF1')).toBe(1);
    for (const onsetMs of [7874, 9876]) expect(valueOf([scene({ onsetMs })], 'eventF1')).toBe(0);
    expect(valueOf([scene({ event: 'gate opens' })], 'eventF1')).toBe(0);
    expect(valueOf([scene({ event: 'gate opens' })], 'outcomeAgreement')).toBe(0);
  });

  it('scores the windows whose chances are known, and judges outcomes in all', () => {
    const later = scene({ toMs: 9875, event: 'gate opens' });
    expect(measureScenes([later], dataset).windows).toBe(0);
    expect(valueOf([later], 'skill')).toBeUndefined();
    expect(valueOf([later], 'outcomeAgreement')).toBe(1);
    expect(measureScenes([scene({}), later], dataset).windows).toBe(1);
  });

  it('measures masks by what they cover, and classes only of things that were found', () => {
    const halfOff = [scene({ shiftPx: 30 })];
    expect(valueOf(halfOff, 'maskIou')).toBeGreaterThan(0.3);
    expect(valueOf(halfOff, 'maskIou')).toBeLessThan(0.4);
    expect(valueOf(halfOff, 'objectRecall')).toBe(0);
    expect(valueOf([scene({ class: 'dog' })], 'classAccuracy')).toBe(0);
  });
});
