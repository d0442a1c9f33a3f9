import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logSoftmaxAt, softmax } from '../../src/models/confidence.js';
import {
  beamSearch,
  decodeTexts,
  greedy,
  nucleus,
  type BeamLimits,
} from '../../src/models/decode.js';
import { seededRandom } from '../../src/models/seeded-random.js';
import { chooseSlots, fillFree } from '../../src/models/slots.js';
import { readText } from '../../src/models/token-tree.js';
import { scoreTexts, TokenTrie } from '../../src/models/token-trie.js';
import { MadeUpTree, only } from '../../bench/made-up.js';

/** Tokens are letters: 0 ends, 1 is «a», 2 is «b», ... */
const letters = 'ENDabcdefg'.replace('END', '.');
const vocabulary = letters.length;
const end = 0;
const decode = (ids: readonly number[]): string => ids.map((id) => letters[id]).join('');
const idsOf = (text: string): number[] => Array.from(text, (letter) => letters.indexOf(letter));
const limits = (more: Partial<BeamLimits> = {}): BeamLimits => ({
  endOfText: end,
  tokensMax: 20,
  untilMs: Infinity,
  now: () => 0,
  decode,
  beams: 1,
  ...more,
});

/** Says one text and ends. */
function speaker(text: string): MadeUpTree {
  const ids = idsOf(text);
  return new MadeUpTree(vocabulary, (path) => only(vocabulary, ids[path.length - 1] ?? end));
}

async function say(tree: MadeUpTree, more: Partial<BeamLimits> = {}) {
  const begun = await readText(tree, -1, idsOf('g'));
  const [decoded] = await decodeTexts(tree, [begun], greedy, limits(more));
  return decoded;
}

describe('greedy decoding', () => {
  test('takes the likeliest token until the end of text, which is none of the text', async () => {
    expect(await say(speaker('abcde'))).toEqual({
      ids: [1, 2, 3, 4, 5],
      text: 'abcde',
      end: 'stop',
    });
  });

  test('ends behind the first stop that the text contains', async () => {
    expect(await say(speaker('abcde'), { stops: ['e', 'bc'] })).toMatchObject({
      text: 'abc',
      end: 'stop',
    });
  });

  test('ends with its tokens and with its time, and says which', async () => {
    expect(await say(speaker('abcde'), { tokensMax: 2 })).toMatchObject({
      text: 'ab',
      end: 'tokens',
    });
    let time = 0;
    const now = () => time++;
    expect(await say(speaker('abcde'), { now, untilMs: 2 })).toMatchObject({
      end: 'time',
      text: 'abc',
    });
  });

  test('says nothing that may not be said, but may always end', async () => {
    const sayable = Uint8Array.from(letters, (letter) => +(letter !== 'c' && letter !== '.'));
    const spoken = await say(speaker('abcde'), { sayable });
    expect(spoken?.text).not.toContain('c');
    expect(spoken).toMatchObject({ end: 'stop', text: 'ab' });
  });

  test('of several texts takes one run a token, and each ends by itself', async () => {
    const texts: Record<string, string> = { a: 'bcdef', b: 'c', c: '' };
    const tree = new MadeUpTree(vocabulary, (path) => {
      const own = texts[decode(path.slice(0, 1))] ?? '';
      return only(vocabulary, idsOf(own)[path.length - 1] ?? end);
    });
    const starts = ['a', 'b', 'c'].map((text) => ({ parent: -1, ids: idsOf(text) }));
    const found = await fillFree(tree, starts, greedy, limits());
    expect(found.map(({ text }) => text)).toEqual(['bcdef', 'c', '']);
    expect(tree.runs).toBe(1 + 5);
  });
});

describe('nucleus sampling', () => {
  const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);

  test('draws only among the likeliest that make up its share, in their proportion', () => {
    const choose = nucleus({ temperature: 1, topP: 0.75, random: seededRandom(3) });
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 8000; draw++) counts[choose(logits)]!++;
    expect(counts.slice(2)).toEqual([0, 0]);
    expect(counts[0]! / 8000).toBeCloseTo(0.5 / 0.8, 1);
  });

  test('draws the same for the same seed, and nothing that may not be said', () => {
    const draws = (seed: number): number[] => {
      const choose = nucleus({ temperature: 2, topP: 1, random: seededRandom(seed) });
      return Array.from({ length: 50 }, () => choose(logits.with(1, -Infinity)));
    };
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
    expect(draws(1)).not.toContain(1);
  });
});

test('a beam search finds what greed walks past', async () => {
  // «a» looks best at first and leads to a coin toss; «b» is certain of its way.
  const chances: Record<string, Record<string, number>> = {
    '': { a: 0.55, b: 0.45 },
    a: { c: 0.5, d: 0.5 },
    b: { e: 1 },
    ac: { '.': 1 },
    ad: { '.': 1 },
    be: { '.': 1 },
  };
  const tree = (): MadeUpTree =>
    new MadeUpTree(vocabulary, (path) => {
      const next = chances[decode(path.slice(1))] ?? { '.': 1 };
      return Float32Array.from(letters, (letter) => Math.log(next[letter] ?? 1e-6));
    });
  const found = async (beams: number) => {
    const one = tree();
    return beamSearch(one, await readText(one, -1, idsOf('g')), limits({ beams }));
  };
  expect(await found(1)).toMatchObject({ text: 'ac', end: 'stop' });
  const best = await found(3);
  expect(best).toMatchObject({ text: 'be', end: 'stop' });
  expect(best.meanLogLikelihood).toBeCloseTo(Math.log(0.45) / 3, 3);
});

/** Any numbers, the same for the same path. */
function numbersOf(path: readonly number[], seed: number): Float32Array {
  const random = seededRandom(path.reduce((hash, id) => Math.imul(hash, 31) + id + 1, seed));
  return Float32Array.from({ length: vocabulary }, () => random() * 8 - 4);
}

test('a trie gives each text the likelihood that it has alone, in one run', async () => {
  const word = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { minLength: 1, maxLength: 12 }),
      fc.nat(),
      async (texts, seed) => {
        const tree = new MadeUpTree(vocabulary, (path) => numbersOf(path, seed));
        const { last } = await readText(tree, -1, [5, 4]);
        tree.runs = 0;
        const scores = await scoreTexts(tree, last, [6, 7], new TokenTrie(texts), end);
        expect(tree.runs).toBe(1);
        texts.forEach((text, row) => {
          const whole = [5, 4, 6, 7, ...text, end];
          const alone = [...text, end].reduce((sum, id, at) => {
            const logits = numbersOf(whole.slice(0, 4 + at), seed);
            return sum + logSoftmaxAt(logits, 0, vocabulary, id);
          }, 0);
          expect(scores[row]).toBeCloseTo(alone, 3);
        });
      },
    ),
  );
});

test('closed slots are chosen by likelihood, all of them in one run', async () => {
  const tree = new MadeUpTree(vocabulary, (path) => numbersOf(path, 9));
  const { last } = await readText(tree, -1, [5]);
  tree.runs = 0;
  const slots = [
    { parent: last, ids: [1], options: [[2], [3, 4]] },
    { parent: last, ids: [6, 6], options: [[3, 4], [2], [7]] },
  ];
  const found = await chooseSlots(tree, slots);
  expect(tree.runs).toBe(1);
  for (const [row, { ids, options }] of slots.entries()) {
    const scores = options.map((option) =>
      option.reduce((sum, id, at) => {
        const path = [5, ...ids, ...option.slice(0, at)];
        return sum + logSoftmaxAt(numbersOf(path, 9), 0, vocabulary, id);
      }, 0),
    );
    softmax(scores).forEach((chance, at) => expect(found[row]?.[at]).toBeCloseTo(chance, 4));
  }
  expect(await chooseSlots(tree, [])).toEqual([]);
});
