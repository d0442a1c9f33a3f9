import { describe, expect, test } from 'vitest';
import { checkText } from '../../src/models/claims.js';
import { SceneEvidence } from '../../src/models/scene-evidence.js';
import { event, thing, windowOf } from '../../bench/made-up.js';
import { yardManifest } from './yard-bundle.js';

const { labels, classes } = yardManifest();
const labelOf = (text: string): number => labels.findIndex((label) => label.text === text);

/** A van drives up to the gate and stands from the third clip on; then the gate opens. A person walks by at the end. */
const gate = (open: number) => thing(1, 'gate', { attributes: { open } });
const light = thing(9, 'light', { attributes: { red: 1 } });
const drives = thing(2, 'van', { speed: 0.1 });
const stands = thing(2, 'van');
const walks = thing(5, 'person', { speed: 0.06 });
const scenes = windowOf([
  [gate(0), light, drives],
  [gate(0), light, drives],
  [gate(0), light, drives],
  [gate(0), light, stands],
  [gate(0), light, stands],
  [gate(0), light, stands],
  [gate(0.5), light, stands],
  [gate(1), light, stands, walks],
]);
const evidence = new SceneEvidence(scenes);
const check = (
  text: string,
  atMs: number,
  actors: number[],
  target: number | null = null,
  probability = 0.7,
) => {
  const said = { ...event(labelOf(text), atMs, actors, target), probability };
  return evidence.check(said, labels[labelOf(text)]!);
};

describe('a recognised event', () => {
  test('is borne out by tracks that were there, are of its classes and did what its verb says', () => {
    expect(check('van stops at gate', 3000, [2], 1)).toEqual({ verified: true, tracks: [1, 2] });
    expect(check('gate opens', 6000, [1])).toEqual({ verified: true, tracks: [1] });
    expect(check('person enters', 7200, [5])).toEqual({ verified: true, tracks: [5] });
  });

  test.each([
    ['its actor was never there', 'van stops at gate', 3000, [44], 1],
    ['its actor is of another class', 'car stops at light', 3000, [2], 9],
    ['its target is of another class', 'van stops at gate', 3000, [2], 9],
    ['its actor drives on', 'van stops at gate', 500, [2], 1],
    ['nothing changed', 'gate opens', 2000, [1], null],
    ['it went the other way', 'gate closes', 6000, [1], null],
    ['it stands', 'van leaves', 5000, [2], null],
    ['a light was red all the time', 'light turns red', 4000, [9], null],
  ] as const)('is not where %s', (_, text, atMs, actors, target) => {
    expect(check(text, atMs, [...actors], target).verified).toBe(false);
  });

  test.each([
    ['gate opens', 2000, [1], null],
    ['light turns red', 4000, [9], null],
  ] as const)(
    'of which the perceiver is sure needs no other witness of its verb: %s',
    (text, atMs, actors, target) => {
      expect(check(text, atMs, [...actors], target, 0.9).verified).toBe(true);
    },
  );

  test.each([
    ['was never there', 'van stops at gate', [44], 1],
    ['is of another class', 'car stops at light', [2], 9],
  ] as const)(
    'is not, however sure the perceiver is, where its actor %s',
    (_, text, actors, target) => {
      expect(check(text, 3000, [...actors], target, 0.99).verified).toBe(false);
    },
  );

  test('whose actor nobody pointed at may be any track of its class that did it', () => {
    expect(check('gate opens', 6000, [])).toEqual({ verified: true, tracks: [1] });
    expect(check('dog follows person', 6000, []).verified).toBe(false);
  });
});

describe('a sentence', () => {
  const say = (text: string) => checkText(text, evidence, classes, labels);

  test.each([
    'because the van waits at the gate',
    'because the gate is open and the van waits there',
    'because a person walks along the pavement',
    'because the light is red',
    'because no car is in view and the van stands at the gate',
  ])('that is seen is verified: %s', (text) => {
    expect(say(text)).toEqual({ verified: true, absent: [] });
  });

  test.each([
    'because the light is green',
    'because the gate is closed',
    'because the light opens',
    'because no van is in view',
    'because a person may come at any time',
    'because all is quiet',
    '',
  ])('that is not seen, or claims nothing, is not: %s', (text) => {
    expect(say(text)).toEqual({ verified: false, absent: [] });
  });

  test('that names a class that is not there says so, in whatever number; what only may come is no such claim', () => {
    expect(say('because the dog runs after the van').absent).toEqual(['dog']);
    expect(say('because two children play near the road').absent).toEqual(['child']);
    expect(say('because a child may come to play on the lawn').absent).toEqual([]);
  });

  test('with a tool that was never there is never verified', () => {
    for (const text of [
      'because the person picks up a torque wrench',
      'because the person holds the wrench and the van waits at the gate',
      'because the van stops at the torque wrench',
    ]) {
      expect(say(text).verified, text).toBe(false);
    }
  });
});
