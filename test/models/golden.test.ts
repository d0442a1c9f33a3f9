import { beforeAll, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/models/bundle.js';
import { LanguageModel } from '../../src/models/language-model.js';
import { softmax } from '../../src/models/confidence.js';
import { openSession, type Session } from '../../src/models/session.js';
import { floats } from '../../src/models/tensor.js';
import { readText } from '../../src/models/token-tree.js';
import { scoreTexts, TokenTrie } from '../../src/models/token-trie.js';
import { golden, largestDifference, yardDir } from './yard-bundle.js';

/** PyTorch's numbers against ours: every graph by itself, then a forecast end to end. */
const graphs = [
  ['backbone', 'backbone'],
  ['segmenterEncoder', 'segmenter-encoder'],
  ['segmenterDecoder', 'segmenter-decoder'],
  ['objectHead', 'object-head'],
  ['eventHead', 'event-head'],
  ['fusion', 'fusion'],
  ['reasoner', 'reasoner'],
] as const;

let bundle: Bundle;
beforeAll(async () => {
  bundle = await openBundle(yardDir);
});

test.each(graphs)("%s gives PyTorch's numbers", async (key, name) => {
  const { inputs, outputs, tolerance } = golden(name);
  const session = await openSession(bundle.path(key), bundle.manifest.files[key], { threads: 1 });
  const found = await session.run(inputs);
  for (const [output, expected] of Object.entries(outputs)) {
    const tensor = found[output];
    expect(tensor, output).toBeDefined();
    if (tensor !== undefined) {
      expect(largestDifference(tensor, expected), output).toBeLessThanOrEqual(tolerance);
    }
  }
  await session.dispose();
});

/** Opens the language model's graph and reads what PyTorch read. */
async function openModel(): Promise<{ session: Session; model: LanguageModel }> {
  const { manifest } = bundle;
  const options = { threads: 1 };
  const session = await openSession(bundle.path('reasoner'), manifest.files.reasoner, options);
  return { session, model: new LanguageModel(session, await bundle.embeddings(), manifest) };
}

test("a forecast through fusion, prompt and the labels' trie gives PyTorch's chances", async () => {
  const { inputs, outputs, tolerance } = golden('forecast');
  const { manifest, tokenizer, calibration } = bundle;
  const fusion = await openSession(bundle.path('fusion'), manifest.files.fusion, { threads: 1 });
  const { session, model } = await openModel();
  const tree = model.plant();
  const stem = await tree.readEmbedded(floats(await fusion.run(inputs), 'prefix'));
  const trie = new TokenTrie(manifest.labels.map(({ text }) => tokenizer.encode(` ${text}`)));
  const prompt = tokenizer.encode(manifest.prompts.forecast);
  const scores = await scoreTexts(tree, stem, prompt, trie, manifest.language.endOfText);
  const expected = floats(outputs, 'raw_probabilities');
  expect(scores).toHaveLength(expected.length);
  softmax(scores).forEach((chance, label) => {
    expect(Math.abs(chance - (expected[label] ?? NaN))).toBeLessThanOrEqual(tolerance);
  });
  const biased = scores.map((score, label) => score + (label === 0 ? calibration.nothingBias : 0));
  softmax(biased, calibration.temperature).forEach((chance, label) => {
    const wanted = floats(outputs, 'probabilities')[label] ?? NaN;
    expect(Math.abs(chance - wanted)).toBeLessThanOrEqual(tolerance);
  });
  await Promise.all([fusion.dispose(), session.dispose()]);
});

test('a branch of the tree reads as it would alone, also behind what grew after it and in larger buffers', async () => {
  const { session, model } = await openModel();
  const texts = [' van', ' ball rolls onto road', ' person enters'].map((text) =>
    bundle.tokenizer.encode(text),
  );
  const start = bundle.tokenizer.encode('Seen:');
  const tree = model.plant();
  const { last } = await readText(tree, -1, start);
  for (const text of [...texts, ...texts]) {
    const alone = await readText(model.plant(), -1, [...start, ...text]);
    const branch = await readText(tree, last, text);
    expect(branch.logits).toHaveLength(model.vocabulary);
    branch.logits.forEach((logit, id) => expect(logit).toBeCloseTo(alone.logits[id] ?? NaN, 3));
    // More than a buffer's step, so that the next branch lies in larger buffers.
    const filler = Array<number>(120).fill(texts[0]?.[0] ?? 0);
    await readText(tree, last, filler);
  }
  expect(tree.length).toBeGreaterThan(512);
  await session.dispose();
});

test('text comes back from its tokens, and no special token is added', () => {
  const { tokenizer, manifest } = bundle;
  for (const { text } of manifest.labels) {
    const ids = tokenizer.encode(` ${text}`);
    expect(tokenizer.decode(ids)).toBe(` ${text}`);
    expect(ids).not.toContain(manifest.language.endOfText);
  }
});
