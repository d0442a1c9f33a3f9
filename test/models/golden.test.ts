import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/models/bundle.js';
import { LanguageModel } from '../../src/models/language-model.js';
import { Reasoner } from '../../src/models/reasoner.js';
import { openSession } from '../../src/models/session.js';
import { float32, floats } from '../../src/models/tensor.js';
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

describe('a whole forecast', () => {
  let reasoner: Reasoner;
  beforeAll(async () => {
    reasoner = await Reasoner.open(bundle, { threads: 1 });
  });
  afterAll(() => reasoner.dispose());

  /** The golden window as the perceiver would hand it over; masked rows are no objects. */
  function goldenWindow() {
    const { inputs, outputs, tolerance } = golden('forecast');
    const { visionDim, attributes } = bundle.manifest.geometry;
    const ages = Array.from(inputs['global_clip']?.data ?? [], Number);
    const objectAges = Array.from(inputs['object_clip']?.data ?? [], Number).filter(
      (_, row) => floats(inputs, 'object_mask')[row] === 1,
    );
    const oldest = Math.max(...ages);
    const tokens = {
      scenes: ages.map((age) => ({
        clip: oldest - age,
        objectCount: objectAges.filter((one) => one === age).length,
      })),
      global: floats(inputs, 'global'),
      objects: floats(inputs, 'objects').slice(0, objectAges.length * visionDim),
      attributes: floats(inputs, 'object_attributes').slice(
        0,
        objectAges.length * attributes.length,
      ),
    };
    return { tokens, outputs, tolerance };
  }

  test("through fusion, prompt and all labels' tokens gives PyTorch's chances", async () => {
    const { tokens, outputs, tolerance } = goldenWindow();
    const found = await reasoner.reason({ tokens, seen: [] });
    const expected = floats(outputs, 'probabilities');
    expect(found.probabilities).toHaveLength(expected.length);
    found.probabilities.forEach((probability, label) => {
      expect(Math.abs(probability - (expected[label] ?? NaN))).toBeLessThanOrEqual(tolerance);
    });
    found.rawProbabilities.forEach((probability, label) => {
      const raw = floats(outputs, 'raw_probabilities')[label] ?? NaN;
      expect(Math.abs(probability - raw)).toBeLessThanOrEqual(tolerance);
    });
    expect(found.probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
  });

  test('justifies the three most likely events, best first, within its budget of tokens', async () => {
    const { tokens } = goldenWindow();
    const justify = async (tokensMax: number) =>
      reasoner.reason({ tokens, seen: [] }, { tokensMax, justifyMs: 60_000, explainMs: 0 });
    const { probabilities, justifications } = await justify(3);
    const best = probabilities
      .map((probability, label) => ({ probability, label }))
      .slice(1)
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3);
    expect(justifications.map(({ label }) => label)).toEqual(best.map(({ label }) => label));

    const whole = (await justify(48)).justifications;
    justifications.forEach(({ text }, index) => {
      const begun = text.replace(/…$/, '').trimEnd();
      expect(begun).not.toBe('');
      expect(whole[index]?.text.startsWith(begun)).toBe(true);
      expect(begun.length).toBeLessThan(whole[index]?.text.length ?? 0);
    });
  });
});

test('rows of different lengths, padded into one batch, are read as each would be alone', async () => {
  const { manifest, tokenizer } = bundle;
  const session = await openSession(bundle.path('reasoner'), manifest.files.reasoner, {
    threads: 1,
  });
  const model = new LanguageModel(session, await bundle.embeddings(), manifest);
  const start = (await model.readEmbedded(model.empty(), model.embed(tokenizer.encode('Seen:'))))
    .past;
  const texts = [' van', ' ball rolls onto road'].map((text) => tokenizer.encode(text));
  expect(texts[0]?.length).toBeLessThan(texts[1]?.length ?? 0);
  const next = tokenizer.encode(' enters').slice(0, 1);

  const batch = await model.read(model.repeat(start, 2), texts);
  const batched = await model.read(batch.past, [next, next]);
  for (const [row, text] of texts.entries()) {
    const alone = await model.read((await model.read(start, [text])).past, [next]);
    alone.logits.forEach((logit, index) => {
      expect(batched.logits[row * model.vocabulary + index]).toBeCloseTo(logit, 3);
    });
  }
  // And a past cut back is the past before it grew.
  const cut = await model.read(model.first(batch.past, start.length), texts);
  expect(
    largestDifference(
      float32([cut.logits.length], cut.logits),
      float32([batch.logits.length], batch.logits),
    ),
  ).toBeLessThan(1e-4);
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
