import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundle, type Bundle } from '../../src/models/bundle.js';
import { Reasoner, type AskInput } from '../../src/models/reasoner.js';
import { event, thing, windowOf } from '../../bench/made-up.js';
import { yardDir } from './yard-bundle.js';

let bundle: Bundle;
let reasoner: Reasoner;
beforeAll(async () => {
  bundle = await openBundle(yardDir);
  reasoner = await Reasoner.open(bundle, { threads: 1 });
});
afterAll(() => reasoner.dispose());

const labelOf = (text: string): number =>
  bundle.manifest.labels.findIndex((label) => label.text === text);
const sum = (chances: readonly number[]): number => chances.reduce((total, one) => total + one, 0);

const clips = Array.from({ length: 8 }, (_, clip) => [
  thing(1, 'gate', { attributes: { open: clip / 7 } }),
  thing(2, 'van', { speed: clip < 4 ? 0.1 : 0 }),
]);
const seen = () =>
  windowOf(clips, [
    event(labelOf('van enters'), 100, [2]),
    event(labelOf('van stops at gate'), 3900, [2], 1),
    event(labelOf('gate opens'), 5000, [1]),
  ]);
const other = () =>
  windowOf(Array.from({ length: 8 }, () => [thing(4, 'person', { speed: 0.06 })]));

describe('scoring', () => {
  test('gives every label a chance, the same each time, whatever was read before', async () => {
    const first = await reasoner.score(seen());
    expect(first.basis).toBe('reasoned');
    expect(first.probabilities).toHaveLength(bundle.manifest.labels.length);
    expect(sum(first.probabilities)).toBeCloseTo(1, 9);
    expect(sum(first.rawProbabilities)).toBeCloseTo(1, 9);
    expect(Math.min(...first.probabilities)).toBeGreaterThan(0);
    expect(Object.keys(first.stagesMs)).toEqual(['fusion', 'prefill', 'score', 'tracks']);
    const between = await reasoner.score(other());
    expect(between.probabilities).not.toEqual(first.probabilities);
    await reasoner.explain(other(), between);
    const again = await reasoner.score(seen());
    expect(again.probabilities).toEqual(first.probabilities);
  });

  test('adds the bias to «nothing» before the temperature divides', async () => {
    const { pool: _alone, ...fitted } = bundle.calibration;
    const calibration = { ...fitted, nothingBias: 0.7, temperature: 2 };
    const biased = await Reasoner.open({ ...bundle, calibration }, { threads: 1 });
    const [found, plain] = [await biased.score(seen()), await reasoner.score(seen())];
    expect(found.rawProbabilities).toEqual(plain.rawProbabilities);
    const weights = plain.rawProbabilities.map((chance, label) =>
      Math.sqrt(chance * (label === 0 ? Math.exp(0.7) : 1)),
    );
    found.probabilities.forEach((chance, label) =>
      expect(chance).toBeCloseTo((weights[label] ?? 0) / sum(weights), 6),
    );
    await biased.dispose();
  });

  test('pools what the language model says with the object encoder and the track forecaster', async () => {
    const sharing = async (pool: { reasoner: number; outlook: number; tracks: number }) => {
      const calibration = { ...bundle.calibration, pool };
      const asked = await Reasoner.open({ ...bundle, calibration }, { threads: 1 });
      const { probabilities, rawProbabilities } = await asked.score(seen());
      await asked.dispose();
      return { probabilities, rawProbabilities };
    };
    const alone = await sharing({ reasoner: 1, outlook: 0, tracks: 0 });
    const outlook = await sharing({ reasoner: 0, outlook: 1, tracks: 0 });
    const tracks = await sharing({ reasoner: 0, outlook: 0, tracks: 1 });
    const pooled = await reasoner.score(seen());
    expect(tracks.probabilities).toEqual((await reasoner.carry(seen())).probabilities);
    expect(outlook.probabilities).not.toEqual(tracks.probabilities);
    expect(pooled.rawProbabilities).toEqual(alone.rawProbabilities);
    pooled.probabilities.forEach((chance, label) => {
      const said = [alone, outlook, tracks].map(({ probabilities: all }) => all[label] ?? 0);
      expect(chance).toBeCloseTo(sum(said) / 3, 9);
    });
  });

  test('is less sure of a strange picture', async () => {
    const strange = seen().map((scene) => ({ ...scene, familiarity: 0.1 }));
    const [sure, unsure] = [await reasoner.score(seen()), await reasoner.score(strange)];
    expect(Math.max(...unsure.probabilities)).toBeLessThan(Math.max(...sure.probabilities));
    expect(unsure.rawProbabilities).toEqual(sure.rawProbabilities);
  });

  test("reads a camera's own prompt in place of the manifest's", async () => {
    const plain = await reasoner.score(seen());
    const own = await reasoner.score(seen(), { forecast: 'Scene:', cause: undefined });
    expect(own.probabilities).not.toEqual(plain.probabilities);
    expect(
      await reasoner.score(seen(), { forecast: bundle.manifest.prompts.forecast }),
    ).toMatchObject({
      probabilities: plain.probabilities,
    });
  });

  test('is carried by the tracks alone, where the bundle can', async () => {
    const carried = await reasoner.carry(seen());
    expect(carried.basis).toBe('carried');
    expect(sum(carried.probabilities)).toBeCloseTo(1, 5);
    const files = { ...bundle.manifest.files, trackForecaster: undefined };
    const manifest = { ...bundle.manifest, files };
    const without = await Reasoner.open({ ...bundle, manifest }, { threads: 1 });
    await expect(without.carry(seen())).rejects.toMatchObject({ code: 'model_failed' });
    await without.dispose();
  });

  test('in words gives a distribution too, read or not, by greed or by beams', async () => {
    for (const beams of [1, 2]) {
      const found = await reasoner.scoreVerbal(seen(), { beams, tokensMax: 60 });
      expect(sum(found.probabilities)).toBeCloseTo(1, 6);
      expect(found.text).not.toBe('');
      expect(typeof found.parsed).toBe('boolean');
    }
  });
});

describe('explaining', () => {
  test('justifies the three most likely events, best first, and costs no more tokens than it may', async () => {
    const reasoning = await reasoner.score(seen());
    const explain = (tokensMax: number) =>
      reasoner.explain(seen(), reasoning, { tokensMax, justifyMs: 60_000, explainMs: 60_000 });
    const { justifications, stagesMs, grounded } = await explain(48);
    const best = reasoning.probabilities
      .map((chance, label) => ({ chance, label }))
      .slice(1)
      .sort((a, b) => b.chance - a.chance)
      .slice(0, 3);
    expect(justifications.map(({ label }) => label)).toEqual(best.map(({ label }) => label));
    expect(typeof grounded).toBe('boolean');
    expect(Object.keys(stagesMs)).toEqual(['fusion', 'prefill', 'justify', 'explain', 'ground']);
    const short = await explain(2);
    short.justifications.forEach(({ text, verified }, row) => {
      const whole = justifications[row]?.text ?? '';
      if (text === '' || whole === '') return;
      expect(whole.startsWith(text.replace(/…$/, ''))).toBe(true);
      expect(verified && text.endsWith('…')).toBe(false);
    });
  });

  test('names only what was recognised, with its tracks, and is silent where no text is wanted', async () => {
    const reasoning = await reasoner.score(seen());
    const window = seen();
    const known = window.flatMap(({ events }) => events.map(({ label }) => label));
    const { steps } = await reasoner.explain(window, reasoning);
    for (const { label, causes, evidence } of steps) {
      expect(known).toContain(label);
      expect(causes.length).toBeGreaterThan(0);
      for (const cause of causes)
        expect(known.indexOf(cause.label)).toBeLessThan(known.indexOf(label));
      expect([1, 2]).toEqual(expect.arrayContaining([...evidence.tracks]));
    }
    const silent = await reasoner.explain(window, reasoning, {
      tokensMax: 0,
      justifyMs: 0,
      explainMs: 0,
    });
    expect(silent).toMatchObject({ justifications: [], steps: [] });
  });

  test('says whether vision changes the answer, as far as the bundle knows what is said without', async () => {
    const reasoning = await reasoner.score(seen());
    const silent = { tokensMax: 0, justifyMs: 0, explainMs: 0 };
    const groundedWith = async (calibration: Bundle['calibration']): Promise<boolean | null> => {
      const one = await Reasoner.open({ ...bundle, calibration }, { threads: 1 });
      const { grounded } = await one.explain(seen(), reasoning, silent);
      await one.dispose();
      return grounded;
    };
    expect(await groundedWith({ ...bundle.calibration, groundedMin: 1e6 })).toBe(false);
    const { meanPrefix, ...without } = bundle.calibration;
    expect(meanPrefix).toBeDefined();
    expect(await groundedWith(without)).toBeNull();
  });
});

describe('asking', () => {
  const ask = async (input: Partial<AskInput>, window = seen()) =>
    reasoner.ask(window, { conversation: 'a', question: '', said: [], tokensMax: 12, ...input });
  /** In pieces of so many tokens, up to 24 in all. */
  async function answer(
    pieceOf: number,
    between: () => Promise<unknown> = () => Promise.resolve(),
    question = 'Why did the gate open?',
  ): Promise<{ said: number[]; text: string }> {
    const said: number[] = [];
    let text = '';
    for (let more = true; more && said.length < 24;) {
      const piece = await ask({
        question,
        said: [...said],
        tokensMax: Math.min(pieceOf, 24 - said.length),
      });
      said.push(...piece.ids);
      text += piece.text;
      more = piece.more;
      await between();
    }
    return { said, text };
  }

  test('gives the same answer in pieces as at once, whatever else is read or asked in between', async () => {
    const whole = await answer(24);
    expect(whole.text.trim()).not.toBe('');
    expect(await answer(1)).toEqual(whole);
    expect(await answer(5, () => reasoner.score(other()))).toEqual(whole);
    expect(await answer(5, () => ask({ conversation: 'b' }, other()))).toEqual(whole);
    // Even of the same name: what was said of another window is no beginning of this one's answer.
    expect(bundle.tokenizer.decode(whole.said)).toBe(whole.text);
  });

  test('takes people’s way of writing, and by default asks how the newest event came about', async () => {
    expect(await answer(24, undefined, 'why did the gate open ?')).toEqual(await answer(24));
    const usual = await answer(24, undefined, '');
    const spelt = 'explain step by step how it came that the gate opens .';
    expect(await answer(24, undefined, spelt)).toEqual(usual);
  });
});
