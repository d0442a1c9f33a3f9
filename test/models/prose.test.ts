/** Whatever a model says, what is published can be read, is of the manifest's labels, and claims no more than is seen. */
import { describe, expect, test } from 'vitest';
import { withArticles } from '../../src/models/explanation.js';
import { explainEvents, justify, type Wording } from '../../src/models/prose.js';
import { sayableTokens } from '../../src/models/sayable-tokens.js';
import { openBundle } from '../../src/models/bundle.js';
import { MadeUpTree, event, only, proseRuns, thing, windowOf } from '../../bench/made-up.js';
import { yardDir } from './yard-bundle.js';

const { manifest, tokenizer } = await openBundle(yardDir);
const { vocabulary, endOfText } = manifest.language;
const labelOf = (text: string): number => manifest.labels.findIndex((one) => one.text === text);
const sayable = sayableTokens(tokenizer, vocabulary);
const wording: Wording = {
  prompts: manifest.prompts,
  manifest,
  encode: (text) => tokenizer.encode(text),
  limits: (tokensMax, budgetMs) => ({
    endOfText,
    tokensMax,
    untilMs: budgetMs,
    now: () => 0,
    decode: (ids) => tokenizer.decode(ids),
    sayable,
  }),
};
const budget = { tokensMax: 40, budgetMs: 1000 };

/** Goes on with a text after everything, whatever it was asked. */
function insists(text: string): MadeUpTree {
  const ids = tokenizer.encode(text);
  const after = tokenizer.encode(' because').at(-1);
  return new MadeUpTree(vocabulary, (path) => {
    const from = path.lastIndexOf(after ?? -1);
    return only(vocabulary, ids[path.length - 1 - from] ?? endOfText);
  });
}

const van = thing(2, 'van', { speed: 0.1 });
const person = thing(5, 'person', { speed: 0.06 });
const window = windowOf(Array.from({ length: 8 }, () => [thing(1, 'gate'), van, person]));

describe('a justification', () => {
  const justifyWith = (text: string, more = budget) =>
    justify(insists(text), -1, [labelOf('van stops at gate')], window, more, wording);

  test('is what the model says up to its first full stop, as people write', async () => {
    const { justifications, absentNamed } = await justifyWith(' the van drives to the gate . and');
    const text = 'because the van drives to the gate';
    expect(justifications).toEqual([{ label: labelOf('van stops at gate'), text, verified: true }]);
    expect(absentNamed).toBe(0);
  });

  test('that insists on a class that is not there is left out and counted', async () => {
    const { justifications, absentNamed } = await justifyWith(' a dog runs after the van .');
    expect(justifications[0]).toMatchObject({ text: '', verified: false });
    expect(absentNamed).toBe(1);
  });

  test('that insists on a torque wrench that was never there is never published as verified', async () => {
    for (const text of [' the person holds a torque wrench .', ' the torque wrench moves .']) {
      const { justifications } = await justifyWith(text);
      expect(justifications[0]?.text).toContain('torque wrench');
      expect(justifications[0]?.verified).toBe(false);
    }
  });

  test('that breaks off ends in an ellipsis and is not verified', async () => {
    const short = { ...budget, tokensMax: 3 };
    const { justifications } = await justifyWith(' the van drives to the gate .', short);
    expect(justifications[0]).toMatchObject({ verified: false });
    expect(justifications[0]?.text).toMatch(/^because .*…$/);
  });

  test('costs nothing where no text is wanted', async () => {
    expect(await justifyWith(' the van drives .', { tokensMax: 0, budgetMs: 0 })).toEqual({
      justifications: [],
      absentNamed: 0,
    });
  });
});

describe('a causal step', () => {
  const gate = (open: number) => thing(1, 'gate', { attributes: { open } });
  const enters = event(labelOf('van enters'), 200, [2]);
  const stops = event(labelOf('van stops at gate'), 3000, [2], 1);
  const opens = event(labelOf('gate opens'), 6000, [1]);
  const scenes = windowOf(
    [0, 0, 0, 0, 0, 0, 0.5, 1].map((open, clip) => [gate(open), clip < 3 ? van : thing(2, 'van')]),
    [enters, stops, opens],
  );

  /** Prefers one answer after each question; all else is as likely as anything. */
  const answers = (byEvent: Record<string, string>): MadeUpTree => {
    const questions = Object.entries(byEvent).map(([asked, answer]) => ({
      asked: [manifest.prompts.cause, ` ${asked}`, ':'].flatMap((text) => tokenizer.encode(text)),
      answer: tokenizer.encode(` ${answer} .`),
    }));
    return new MadeUpTree(vocabulary, (path) => {
      for (const { asked, answer } of questions) {
        const text = path.join();
        const at = text.lastIndexOf(asked.join());
        if (at < 0) continue;
        const said = path.slice(text.slice(0, at).split(',').length - 1 + asked.length);
        if (said.every((id, index) => id === answer[index]))
          return only(vocabulary, answer[said.length] ?? 0);
      }
      return new Float32Array(vocabulary);
    });
  };

  test('tells what an event came of, with tracks and times, and is verified where the scene bears it out', async () => {
    const tree = answers({ 'van stops at gate': 'nothing', 'gate opens': 'van stops at gate' });
    expect(await explainEvents(tree, -1, scenes, wording, 0.25)).toEqual([
      {
        text: 'the gate opens, because the van stops at the gate',
        label: opens.label,
        causes: [{ label: stops.label, onsetMs: 3000 }],
        verified: true,
        evidence: { tracks: [1, 2], fromMs: 3000, toMs: 6000 },
      },
    ]);
    expect(tree.runs, 'the log, then all questions at once').toBe(2);
  });

  test('is not verified where the scene does not bear it out', async () => {
    const still = windowOf(
      Array.from({ length: 8 }, () => [gate(0), thing(2, 'van')]),
      [stops, opens].map((one) => ({ ...one, probability: 0.6 })),
    );
    const [step] = await explainEvents(
      answers({ 'gate opens': 'van stops at gate' }),
      -1,
      still,
      wording,
      0.25,
    );
    expect(step).toMatchObject({ label: opens.label, verified: false });
  });

  test('can name only what came before it in the log', async () => {
    const tree = answers({ 'van stops at gate': 'gate opens', 'gate opens': 'dog follows person' });
    for (const { label, causes } of await explainEvents(tree, -1, scenes, wording, 0.25)) {
      const earlier = label === opens.label ? [enters.label, stops.label] : [enters.label];
      for (const cause of causes) expect(earlier).toContain(cause.label);
    }
  });

  test('is missing where less than two events were recognised', async () => {
    const tree = answers({});
    const one = windowOf([[gate(0)]], [event(labelOf('gate opens'), 100, [1])]);
    expect(await explainEvents(tree, -1, one, wording, 0.25)).toEqual([]);
    expect(tree.runs).toBe(0);
  });
});

test('labels read as sentences', () => {
  expect(withArticles('person hands over parcel', manifest.classes)).toBe(
    'the person hands over the parcel',
  );
  expect(withArticles('ball rolls onto road', manifest.classes)).toBe(
    'the ball rolls onto the road',
  );
});

test('20,000 decoder runs on random logits parse', async () => {
  expect(await proseRuns(20_000, { manifest, tokenizer })).toEqual({ runs: 20_000, broken: [] });
}, 300_000);
