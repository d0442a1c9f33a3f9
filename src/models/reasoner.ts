import { LookaheadError } from '../errors.js';
import type { Explanation, Reasoning } from '../types.js';
import type { Bundle } from './bundle.js';
import { softmax } from './confidence.js';
import {
  beamSearch,
  decodeTexts,
  greedy,
  type Choose,
  type Decoded,
  type DecodeLimits,
} from './decode.js';
import { asTrained, eventLog, withArticles } from './explanation.js';
import { fuse, type Fused } from './fusion.js';
import { divergence } from './grounding.js';
import { LanguageModel, type LanguageTree } from './language-model.js';
import type { Prompts } from './manifest.js';
import { familiarityOfWindow, poolChances, soften } from './pool-chances.js';
import { explainEvents, justify, logIds, type Wording } from './prose.js';
import type { SeenWindow } from './seen-window.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { sayableTokens } from './sayable-tokens.js';
import { stopwatch, type ClockMs, type Stopwatch } from './stopwatch.js';
import { usualBudget, type TextBudget } from './text-budget.js';
import { readText, type TokenTree } from './token-tree.js';
import { scoreTexts, TokenTrie } from './token-trie.js';
import { TrackForecaster } from './track-forecaster.js';
import { readVerbalForecast } from './verbal.js';

/** Texts whose tokens are kept. */
const encodedMax = 1024;

/** Prompts of one camera, where they differ from the manifest's. */
export type PromptOverrides = { readonly [K in keyof Prompts]?: Prompts[K] | undefined };

/** A question about a window, and what was answered so far. */
export interface AskInput {
  /** What of the same name goes on was asked of the same window; another's answer is never gone on with. */
  readonly conversation: string;
  /** Empty: the default question, how the newest event came about. */
  readonly question: string;
  /** Token ids of the answer so far; empty at the start. */
  readonly said: readonly number[];
  readonly tokensMax: number;
}

/** What comes next of an answer. */
export interface AnswerPiece {
  readonly ids: readonly number[];
  readonly text: string;
  /** Whether the model has not ended the answer. */
  readonly more: boolean;
}

export interface VerbalReasoning extends Reasoning {
  readonly text: string;
  /** False: the text could not be read, the chances are the base rates. */
  readonly parsed: boolean;
}

/** Turns windows into distributions over the labels, and says why. One window at a time; keeps nothing of it but an answer that goes on. */
export class Reasoner {
  readonly #bundle: Bundle;
  readonly #fusion: Session;
  readonly #session: Session;
  readonly #forecaster: TrackForecaster | null;
  readonly #clock: ClockMs | undefined;
  readonly #model: LanguageModel;
  readonly #tree: LanguageTree;
  readonly #trie: TokenTrie;
  readonly #sayable: Uint8Array;
  readonly #encoded = new Map<string, readonly number[]>();
  /** Chances without seeing, by the forecast prompt. */
  readonly #blind = new Map<string, readonly number[]>();
  /** The newest answer, so that its next piece need not read all again. */
  #asked: { readonly key: string; readonly tree: LanguageTree; read: readonly number[] } | null =
    null;

  private constructor(
    bundle: Bundle,
    fusion: Session,
    session: Session,
    forecaster: TrackForecaster | null,
    table: Float32Array,
    clock: ClockMs | undefined,
  ) {
    const { tokenizer, manifest } = bundle;
    this.#bundle = bundle;
    this.#fusion = fusion;
    this.#session = session;
    this.#forecaster = forecaster;
    this.#clock = clock;
    this.#model = new LanguageModel(session, table, manifest);
    this.#tree = this.#model.plant();
    this.#trie = new TokenTrie(manifest.labels.map(({ text }) => tokenizer.encode(` ${text}`)));
    this.#sayable = sayableTokens(tokenizer, manifest.language.vocabulary);
  }

  /** @throws LookaheadError `bundle_invalid` where a graph does not load or fit the manifest. */
  static async open(bundle: Bundle, options: SessionOptions): Promise<Reasoner> {
    const { files } = bundle.manifest;
    return new Reasoner(
      bundle,
      await openSession(bundle.path('fusion'), files.fusion, options),
      await openSession(bundle.path('reasoner'), files.reasoner, options),
      await TrackForecaster.open(bundle, options),
      await bundle.embeddings(),
      options.clock,
    );
  }

  /**
   * Every label by its likelihood: no prose, and nothing that is no label. Pooled with what the object encoder and the track
   * forecaster say, as the calibration weighs them; `rawProbabilities` are the language model's own.
   */
  async score(window: SeenWindow, overrides: PromptOverrides = {}): Promise<Reasoning> {
    const watch = stopwatch(this.#clock);
    const { stem, outlook } = await this.#see(window, watch);
    const { probabilities, rawProbabilities } = await this.#score(
      ...([this.#tree, stem, this.#prompts(overrides)] as const),
    );
    watch.lap('score');
    const tracks = this.#poolsTracks ? await this.#forecaster?.chances(window) : undefined;
    if (tracks) watch.lap('tracks');
    const { pool, unfamiliar } = this.#bundle.calibration;
    const pooled = poolChances({ reasoner: probabilities, outlook, tracks: tracks ?? null }, pool);
    return {
      probabilities: soften(pooled, familiarityOfWindow(window), unfamiliar),
      rawProbabilities,
      basis: 'reasoned',
      stagesMs: watch.laps,
    };
  }

  /**
   * Chances from the tracks alone, by the cheap head.
   *
   * @throws LookaheadError `model_failed` where the bundle has none
   */
  async carry(window: SeenWindow): Promise<Reasoning> {
    const watch = stopwatch(this.#clock);
    if (!this.#forecaster) {
      throw new LookaheadError(
        'model_failed',
        `The bundle ${this.#bundle.manifest.name} has no track forecaster.`,
        'Switch the gate off for this bundle, or build it with one.',
      );
    }
    const chances = await this.#forecaster.chances(window);
    watch.lap('carry');
    const { unfamiliar } = this.#bundle.calibration;
    return {
      probabilities: soften(chances, familiarityOfWindow(window), unfamiliar),
      rawProbabilities: chances,
      basis: 'carried',
      stagesMs: watch.laps,
    };
  }

  /** The paper's own mode: chances in the model's words. What cannot be read gives the base rates. */
  async scoreVerbal(
    window: SeenWindow,
    decoding: { readonly beams?: number; readonly tokensMax?: number } = {},
    overrides: PromptOverrides = {},
  ): Promise<VerbalReasoning> {
    const { manifest } = this.#bundle;
    const watch = stopwatch(this.#clock);
    const { stem } = await this.#see(window, watch);
    const prompts = this.#prompts(overrides);
    const asked = this.#questionIds(window, prompts.verbal, prompts);
    const begun = await readText(this.#tree, stem, asked);
    watch.lap('prefill');
    const { beams = 1, tokensMax = 192 } = decoding;
    const limits = { ...this.#limits(tokensMax, Infinity), beams };
    const decoded: readonly Decoded[] =
      beams > 1
        ? [await beamSearch(this.#tree, begun, limits)]
        : await decodeTexts(this.#tree, [begun], greedy, limits);
    const text = decoded[0]?.text.trim() ?? '';
    watch.lap('decode');
    const { probabilities, parsed } = readVerbalForecast(text, manifest.labels);
    return {
      probabilities,
      rawProbabilities: probabilities,
      basis: 'reasoned',
      text,
      parsed,
      stagesMs: watch.laps,
    };
  }

  /** Why: of the three most likely events, and of what was recognised in the window. All of it is held against the scene. */
  async explain(
    window: SeenWindow,
    { probabilities }: Pick<Reasoning, 'probabilities'>,
    budget: TextBudget = usualBudget,
    overrides: PromptOverrides = {},
  ): Promise<Explanation> {
    const prompts = this.#prompts(overrides);
    const watch = stopwatch(this.#clock);
    const { stem } = await this.#see(window, watch);
    const wording = this.#wording(prompts);
    const top = this.#likeliest(probabilities);
    const prose = { tokensMax: budget.tokensMax, budgetMs: budget.justifyMs };
    const justified = await justify(this.#tree, stem, top, window, prose, wording);
    watch.lap('justify');
    const steps =
      budget.explainMs > 0
        ? await explainEvents(this.#tree, stem, window, wording, this.#bundle.calibration.causeMin)
        : [];
    watch.lap('explain');
    const grounded = await this.#isGrounded(probabilities, prompts);
    watch.lap('ground');
    return { ...justified, steps, grounded, stagesMs: watch.laps };
  }

  /** The next piece of an answer. What was said is given back with each call, so any reasoner can go on. */
  async ask(
    window: SeenWindow,
    { conversation: key, question, said, tokensMax }: AskInput,
    overrides: PromptOverrides = {},
    choose: Choose = greedy,
  ): Promise<AnswerPiece> {
    const { manifest } = this.#bundle;
    const prompts = this.#prompts(overrides);
    const start = this.#questionIds(
      window,
      asTrained(question) || this.#usualQuestion(window),
      prompts,
    );
    const wanted = [...start, ...said];
    const kept = this.#asked;
    // Whatever fails on the way leaves nothing to go on with.
    this.#asked = null;
    // What was read must be a beginning of what is wanted: questions and logs may differ.
    const goesOn =
      kept?.key === key &&
      said.length > 0 &&
      kept.read.length < wanted.length &&
      kept.read.every((id, index) => id === wanted[index]);
    const asked = goesOn ? kept : { key, tree: kept?.tree ?? this.#model.plant(), read: [] };
    if (!goesOn) {
      asked.tree.cut(0);
      await asked.tree.readEmbedded((await fuse(this.#fusion, window, manifest)).prefix);
    }
    const { tree } = asked;
    const begun = await readText(tree, tree.length - 1, wanted.slice(asked.read.length));
    const [decoded] = await decodeTexts(tree, [begun], choose, this.#limits(tokensMax, Infinity));
    const ids = decoded?.ids ?? [];
    // The last token that was said is not read before the one after it is wanted.
    asked.read = decoded?.end === 'stop' ? [...wanted, ...ids] : [...wanted, ...ids.slice(0, -1)];
    this.#asked = asked;
    const before = this.#bundle.tokenizer.decode(said);
    const text = this.#bundle.tokenizer.decode([...said, ...ids]).slice(before.length);
    return { ids, text, more: decoded?.end !== 'stop' };
  }

  async dispose(): Promise<void> {
    await this.#fusion.dispose();
    await this.#session.dispose();
    await this.#forecaster?.dispose();
  }

  get #poolsTracks(): boolean {
    return (this.#bundle.calibration.pool?.tracks ?? 0) > 0;
  }

  /** Begins the tree anew with a window's fused prefix. @returns the position behind it, and what the objects alone expect */
  async #see(
    window: SeenWindow,
    watch: Stopwatch,
  ): Promise<Pick<Fused, 'outlook'> & { readonly stem: number }> {
    const { prefix, outlook } = await fuse(this.#fusion, window, this.#bundle.manifest);
    watch.lap('fusion');
    this.#tree.cut(0);
    const stem = await this.#tree.readEmbedded(prefix);
    watch.lap('prefill');
    return { stem, outlook };
  }

  /** What stands between the prefix and an answer. */
  #questionIds(window: SeenWindow, question: string, prompts: Prompts): readonly number[] {
    return [
      ...logIds(window, this.#wording(prompts)),
      ...this.#encode(prompts.ask),
      ...this.#encode(` ${question}`),
      ...this.#encode(prompts.answer),
    ];
  }

  /** Log-likelihood of every label and the end after it, then bias and temperature. */
  async #score(
    tree: TokenTree,
    stem: number,
    prompts: Prompts,
  ): Promise<Pick<Reasoning, 'probabilities' | 'rawProbabilities'>> {
    const { manifest, calibration } = this.#bundle;
    const { endOfText } = manifest.language;
    const prompt = this.#encode(prompts.forecast);
    const scores = await scoreTexts(tree, stem, prompt, this.#trie, endOfText);
    const biased = scores.map(
      (score, label) => score + (label === 0 ? calibration.nothingBias : 0),
    );
    return {
      probabilities: softmax(biased, calibration.temperature),
      rawProbabilities: softmax(scores),
    };
  }

  /** The three most likely events, best first. */
  #likeliest(probabilities: readonly number[]): number[] {
    const { labels } = this.#bundle.manifest;
    return probabilities
      .map((_, label) => label)
      .filter((label) => labels[label]?.type !== 'nothing')
      .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
      .slice(0, 3);
  }

  async #isGrounded(probabilities: readonly number[], prompts: Prompts): Promise<boolean | null> {
    const { meanPrefix, groundedMin } = this.#bundle.calibration;
    if (!meanPrefix) return null;
    let blind = this.#blind.get(prompts.forecast);
    if (!blind) {
      const tree = this.#model.plant();
      const stem = await tree.readEmbedded(Float32Array.from(meanPrefix));
      blind = (await this.#score(tree, stem, prompts)).probabilities;
      this.#blind.set(prompts.forecast, blind);
    }
    return divergence(probabilities, blind) >= groundedMin;
  }

  /** The paper's prompt for event reasoning, about the newest event. */
  #usualQuestion(window: SeenWindow): string {
    const { labels, classes } = this.#bundle.manifest;
    const newest = eventLog(window).at(-1);
    const text = newest && labels[newest.label]?.text;
    const what = text === undefined ? 'the scene is as it is' : withArticles(text, classes);
    return `explain step by step how it came that ${what} .`;
  }

  #prompts(overrides: PromptOverrides): Prompts {
    const own = Object.entries(overrides).filter(([, text]) => text !== undefined);
    return { ...this.#bundle.manifest.prompts, ...Object.fromEntries(own) };
  }

  #wording(prompts: Prompts): Wording {
    return {
      prompts,
      manifest: this.#bundle.manifest,
      encode: (text) => this.#encode(text),
      limits: (tokensMax, budgetMs) => this.#limits(tokensMax, budgetMs),
    };
  }

  /** Prompts and labels come again and again, and the tokenizer takes its time. */
  #encode(text: string): readonly number[] {
    const known = this.#encoded.get(text);
    if (known) return known;
    const ids = this.#bundle.tokenizer.encode(text);
    if (this.#encoded.size >= encodedMax) this.#encoded.clear();
    this.#encoded.set(text, ids);
    return ids;
  }

  #limits(tokensMax: number, budgetMs: number): DecodeLimits {
    const now = (): number => performance.now();
    return {
      endOfText: this.#bundle.manifest.language.endOfText,
      tokensMax,
      now,
      untilMs: now() + budgetMs,
      decode: (ids) => this.#bundle.tokenizer.decode(ids),
      sayable: this.#sayable,
    };
  }
}
