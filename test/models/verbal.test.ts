import { expect, test } from 'vitest';
import { readVerbalForecast } from '../../src/models/verbal.js';

const label = (text: string, baseRate: number) => ({
  type: text,
  actor: null,
  target: null,
  text,
  baseRate,
});
const labels = [
  label('nothing', 0.4),
  label('car enters', 0.3),
  label('van leaves', 0.2),
  label('gate opens', 0.1),
];
const read = (text: string) => {
  const { probabilities, parsed } = readVerbalForecast(text, labels);
  return { parsed, chances: probabilities.map((chance) => Number(chance.toFixed(4))) };
};

test("the paper's wording is read, and the rest goes to the others by their base rates", () => {
  const text =
    'first , car enters , because cars often come , with confidence 0.3 . second , nothing , ' +
    'because all is quiet , with confidence 0.4 .';
  expect(read(text)).toEqual({ parsed: true, chances: [0.4, 0.3, 0.2, 0.1] });
});

test('confidences that say more than 1 are scaled; 1 leaves nothing to others', () => {
  expect(
    read('first , car enters , with confidence 1 . second , gate opens , with confidence 1 .'),
  ).toEqual({
    parsed: true,
    chances: [0, 0.5, 0, 0.5],
  });
});

test('what is no label, no share or said twice is passed over', () => {
  const text =
    'first , torque wrench falls , with confidence 0.9 . second , car enters , with confidence 7 . ' +
    'third , van leaves , with confidence 0.5 . third , van leaves , with confidence 0.1 .';
  expect(read(text)).toEqual({ parsed: true, chances: [0.25, 0.1875, 0.5, 0.0625] });
});

test.each(['', 'the the the', 'first , second , third ,', 'car enters with confidence 0.5'])(
  'what cannot be read gives the base rates and says so: %s',
  (text) => {
    expect(read(text)).toEqual({ parsed: false, chances: [0.4, 0.3, 0.2, 0.1] });
  },
);
