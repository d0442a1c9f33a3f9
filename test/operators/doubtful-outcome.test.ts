import { describe, expect, test } from 'vitest';
import { isDoubtful } from '../../src/operators/doubtful-outcome.js';
import type { RecognisedEvent } from '../../src/types.js';

const onsetDoubtMs = 200;

const at = (onsetMs: number, label = 1, probability = 0.95): RecognisedEvent => ({
  ...{ label, onsetMs, probability },
  ...{ actors: [], target: null },
});
const doubt = (events: RecognisedEvent[], faint: RecognisedEvent[] = []): boolean =>
  isDoubtful({ fromMs: 10_000, untilMs: 14_000, events, faintEvents: faint }, onsetDoubtMs);

describe('is decided', () => {
  test.each([
    ['nothing was seen', [], []],
    ['one event is sure', [at(12_000)], []],
    ['another began well after the first', [at(12_000), at(12_000 + onsetDoubtMs, 2)], []],
    ['what is unsure came after the first', [at(12_000), at(12_500, 2, 0.2)], []],
    ['what is faint came after the first', [at(12_000)], [at(12_100, 3, 0.05)]],
    ['something began just before and just after', [at(9_950), at(12_000, 2), at(14_050)], []],
    ['what is faint lies outside', [at(12_000)], [at(9_990, 3, 0.05)]],
    ['the same label was seen twice', [at(12_000), at(12_050)], []],
  ])('where %s', (_, events, faint) => {
    expect(doubt(events, faint)).toBe(false);
  });
});

describe('is in doubt', () => {
  test.each([
    ['the first event is unsure', [at(12_000, 1, 0.6)], []],
    ['another label began as early', [at(12_000), at(12_150, 2)], []],
    ['something faint came first', [at(12_000)], [at(11_000, 3, 0.05)]],
    ['something faint came alone', [], [at(11_000, 3, 0.05)]],
  ])('where %s', (_, events, faint) => {
    expect(doubt(events, faint)).toBe(true);
  });
});
