/** Models and windows that are made up, for tests and benches of decoding: no graph is needed. */
import type { Bundle } from '../src/models/bundle.js';
import { withArticles } from '../src/models/explanation.js';
import { explainEvents, justify, type Wording } from '../src/models/prose.js';
import { sayableTokens } from '../src/models/sayable-tokens.js';
import { seededRandom } from '../src/models/seeded-random.js';
import type { SeenObject, SeenScene } from '../src/models/seen-window.js';
import type { Growth, Sprout, TokenTree } from '../src/models/token-tree.js';
import type { RecognisedEvent } from '../src/types.js';

/** A language model by a function: what may follow the tokens on the way to a position. */
export class MadeUpTree implements TokenTree {
  readonly vocabulary: number;
  /** So many runs were asked for. */
  runs = 0;
  readonly #nodes: Sprout[] = [];
  readonly #logits: (ids: readonly number[]) => Float32Array;

  constructor(vocabulary: number, logits: (ids: readonly number[]) => Float32Array) {
    this.vocabulary = vocabulary;
    this.#logits = logits;
  }

  get length(): number {
    return this.#nodes.length;
  }

  grow(sprouts: readonly Sprout[], wanted: readonly number[]): Promise<Growth> {
    this.runs++;
    const first = this.length;
    this.#nodes.push(...sprouts);
    const logits = new Float32Array(wanted.length * this.vocabulary);
    wanted.forEach((index, row) => {
      logits.set(this.#logits(this.pathTo(first + index)), row * this.vocabulary);
    });
    return Promise.resolve({ first, logits });
  }

  /** The tokens up to a position, itself included. */
  pathTo(position: number): number[] {
    const ids: number[] = [];
    for (let at = position; at >= 0;) {
      const node = this.#nodes[at];
      if (!node || node.parent >= at) throw new Error(`Position ${at} stands before its parent.`);
      ids.unshift(node.id);
      at = node.parent;
    }
    return ids;
  }
}

/** Logits that are 0 but for one token. */
export function only(vocabulary: number, id: number, logit = 20): Float32Array {
  const logits = new Float32Array(vocabulary);
  logits[id] = logit;
  return logits;
}

/** A thing that stands in the middle of the picture, unless it is told otherwise. */
export function thing(
  track: number,
  className: string,
  {
    speed = 0,
    attributes = {},
  }: { speed?: number; attributes?: Readonly<Record<string, number>> } = {},
): SeenObject {
  return {
    track,
    class: className,
    classProbability: 1,
    box: { x: 0.4, y: 0.4, width: 0.2, height: 0.2 },
    velocity: { x: speed, y: 0 },
    attributes,
    looks: Array.from({ length: 4 }, () => ({ x: 0.5, y: 0.5 })),
  };
}

/** One scene a second, as long as its things; tokens are the number of their track. */
export function windowOf(
  clips: readonly (readonly SeenObject[])[],
  events: readonly RecognisedEvent[] = [],
  visionDim = 128,
): SeenScene[] {
  return clips.map((objects, clip) => {
    const [fromMs, toMs] = [clip * 1000, clip * 1000 + 875];
    const tokens = {
      global: new Float32Array(visionDim).fill(clip),
      objects: Float32Array.from({ length: objects.length * visionDim }, (_, at) => {
        return (objects[Math.floor(at / visionDim)]?.track ?? 0) + clip / 100;
      }),
    };
    const began = events.filter(({ onsetMs }) => onsetMs >= fromMs && onsetMs < fromMs + 1000);
    return { clip, fromMs, toMs, events: began, place: {}, familiarity: 1, objects, tokens };
  });
}

export function event(
  label: number,
  onsetMs: number,
  actors: readonly number[] = [],
  target: number | null = null,
): RecognisedEvent {
  return { label, onsetMs, probability: 0.9, actors, target };
}

/**
 * Decodes prose by logits that mean nothing, over made-up windows, and reads back what would be published.
 *
 * @param treeOf another language model than random numbers
 * @returns the texts that could not be read back; at most ten
 */
export async function proseRuns(
  runs: number,
  { manifest, tokenizer }: Pick<Bundle, 'manifest' | 'tokenizer'>,
  treeOf: ((run: number) => Promise<{ tree: TokenTree; stem: number }>) | null = null,
): Promise<{ runs: number; broken: string[] }> {
  const { labels, classes, language, prompts } = manifest;
  const { vocabulary, endOfText } = language;
  const sayable = sayableTokens(tokenizer, vocabulary);
  const encoded = new Map<string, readonly number[]>();
  const wording: Wording = {
    prompts,
    manifest,
    encode: (text) => {
      const ids = encoded.get(text) ?? tokenizer.encode(text);
      encoded.set(text, ids);
      return ids;
    },
    limits: (tokensMax, budgetMs) => ({
      endOfText,
      tokensMax,
      untilMs: budgetMs,
      now: () => 0,
      decode: (ids) => tokenizer.decode(ids),
      sayable,
    }),
  };
  const sentences = new Map(labels.map(({ text }, label) => [withArticles(text, classes), label]));
  const random = seededRandom(1);
  const pick = (count: number): number => Math.floor(random() * count);
  const noise = new Float32Array(vocabulary);
  const madeUp = (): TokenTree =>
    new MadeUpTree(vocabulary, () => {
      for (let id = 0; id < vocabulary; id++) noise[id] = random() * 12;
      // Now and then the end or a full stop is likeliest, or texts would only end by their budget.
      if (random() < 0.3) noise[random() < 0.5 ? endOfText : (wording.encode(' .')[0] ?? 0)] = 20;
      return noise;
    });
  const broken: string[] = [];
  for (let run = 0; run < runs && broken.length < 10; run++) {
    const things = Array.from({ length: pick(4) }, (_, track) =>
      thing(track, classes[1 + pick(classes.length - 1)] ?? '', { speed: random() / 10 }),
    );
    const events = Array.from({ length: pick(5) }, () =>
      event(
        1 + pick(labels.length - 1),
        pick(3000),
        things.length > 0 ? [pick(things.length)] : [],
      ),
    );
    const window = windowOf([things, things, things], events, 1);
    const top = [1 + pick(labels.length - 1)];
    const { tree, stem } = (await treeOf?.(run)) ?? { tree: madeUp(), stem: -1 };
    const budget = { tokensMax: 1 + pick(6), budgetMs: 1000 };
    const { justifications } = await justify(tree, stem, top, window, budget, wording);
    for (const { label, text, verified } of justifications) {
      const isRead =
        top.includes(label) &&
        (text === '' || /^because [^\p{Cc}\uFFFD]*\p{L}[^\p{Cc}\uFFFD]*$/u.test(text)) &&
        !/\s\.$/.test(text) &&
        !(verified && (text === '' || text.endsWith('…')));
      if (!isRead) broken.push(text);
    }
    const known = new Set(events.map(({ label }) => label));
    for (const { text, label, causes } of await explainEvents(tree, stem, window, wording, 0.25)) {
      const [what = '', why = ''] = text.split(', because ');
      const read = why.split(' and ').map((cause) => sentences.get(cause));
      const isRead =
        sentences.get(what) === label &&
        read.join() === causes.map((cause) => cause.label).join() &&
        [label, ...causes.map((cause) => cause.label)].every((one) => known.has(one));
      if (!isRead) broken.push(text);
    }
  }
  return { runs, broken };
}
