import { LookaheadError } from '../errors.js';
import type { Explanation, ExplanationStep, Reasoning } from '../types.js';
import type { Bundle } from './bundle.js';
import { checkText } from './claims.js';
import { softmax } from './confidence.js';
import {
  beamSearch,
  decodeTexts,
  greedy,
  type Choose,
  type Decoded,
  type DecodeLimits,
} from './decode.js';
import {
  asTrained,
  causeMin,
  eventLog,
  explanationStep,
  readable,
  withArticles,
  type CausedEvent,
} from './explanation.js';
import { fuse } from './fusion.js';
import { divergence } from './grounding.js';
import { LanguageModel, type LanguageTree } from './language-model.js';
import type { Prompts } from './manifest.js';
import { SceneEvidence } from './scene-evidence.js';
import type { SeenWindow } from './seen-window.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { chooseSlots, fillFree } from './slots.js';
import { stopwatch, type ClockMs } from './stopwatch.js';
import { usualBudget, type TextBudget } from './text-budget.js';
import { readText, type TokenTree } from './token-tree.js';
import { scoreTexts, TokenTrie } from './token-trie.js';
import { TrackForecaster } from './track-forecaster.js';
import { readVerbalForecast } from './verbal.js';

/** Prompts of one camera, where they differ from the manifest's. */
export type PromptOverrides = Partial<Prompts>;

/** A question about a window, and what was answered so far. */
export interface AskInput {
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
  readonly #labels: readonly (readonly number[])[];
  readonly #trie: TokenTrie;
  readonly #sayable: Uint8Array;
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
    this.#labels = manifest.labels.map(({ text }) => tokenizer.encode(` ${text}`));
    this.#trie = new TokenTrie(this.#labels);
    this.#sayable = Uint8Array.from(
      { length: manifest.language.vocabulary },
      (_, id) =>
        // Half a character, a control character or a special token is nothing to say.
        +(id < tokenizer.vocabulary && /^[^\p{C}\uFFFD]+$/u.test(tokenizer.decode([id]))),
    );
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

  /** Every label by its likelihood: no prose, and nothing that is no label. */
  async score(window: SeenWindow, overrides: PromptOverrides = {}): Promise<Reasoning> {
    const watch = stopwatch(this.#clock);
    const prefix = await fuse(this.#fusion, window, this.#bundle.manifest);
    watch.lap('fusion');
    this.#tree.cut(0);
    const stem = await this.#tree.readEmbedded(prefix);
    watch.lap('prefill');
    const scored = await this.#score(this.#tree, stem, this.#prompts(overrides));
    watch.lap('score');
    return { ...scored, basis: 'reasoned', stagesMs: watch.laps };
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
    const probabilities = await this.#forecaster.chances(window);
    watch.lap('carry');
    return {
      probabilities,
      rawProbabilities: probabilities,
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
    const prefix = await fuse(this.#fusion, window, manifest);
    watch.lap('fusion');
    this.#tree.cut(0);
    const stem = await this.#tree.readEmbedded(prefix);
    const begun = await readText(this.#tree, stem, this.#encode(this.#prompts(overrides).verbal));
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
    const laps = watch.laps;
    return {
      probabilities,
      rawProbabilities: probabilities,
      basis: 'reasoned',
      text,
      parsed,
      stagesMs: laps,
    };
  }

  /** Why: of the three most likely events, and of what was recognised in the window. All of it is held against the scene. */
  async explain(
    window: SeenWindow,
    reasoning: Pick<Reasoning, 'probabilities'>,
    budget: TextBudget = usualBudget,
    overrides: PromptOverrides = {},
  ): Promise<Explanation> {
    const prompts = this.#prompts(overrides);
    const watch = stopwatch(this.#clock);
    const prefix = await fuse(this.#fusion, window, this.#bundle.manifest);
    watch.lap('fusion');
    this.#tree.cut(0);
    const stem = await this.#tree.readEmbedded(prefix);
    watch.lap('prefill');
    const evidence = new SceneEvidence(window);
    const justified = await this.#justify(stem, reasoning, evidence, budget, prompts);
    watch.lap('justify');
    const steps = budget.explainMs > 0 ? await this.#explain(stem, window, evidence, prompts) : [];
    watch.lap('explain');
    const grounded = await this.#isGrounded(reasoning, prompts);
    watch.lap('ground');
    return { ...justified, steps, grounded, stagesMs: watch.laps };
  }

  /** The next piece of an answer. What was said is given back with each call, so any reasoner can go on. */
  async ask(
    window: SeenWindow,
    { question, said, tokensMax }: AskInput,
    overrides: PromptOverrides = {},
    choose: Choose = greedy,
  ): Promise<AnswerPiece> {
    const { manifest } = this.#bundle;
    const prompts = this.#prompts(overrides);
    const start = [
      ...this.#logIds(window, prompts),
      ...this.#encode(prompts.ask),
      ...this.#encode(` ${asTrained(question) || this.#usualQuestion(window)}`),
      ...this.#encode(prompts.answer),
    ];
    const wanted = [...start, ...said];
    const newest = window.at(-1);
    const key = `${newest?.clip ?? ''}/${newest?.fromMs ?? ''}`;
    const kept = this.#asked;
    // What was read must be a true beginning, or another camera's window would answer.
    const goesOn =
      kept?.key === key &&
      said.length > 0 &&
      kept.read.length < wanted.length &&
      kept.read.every((id, index) => id === wanted[index]);
    const asked = goesOn ? kept : { key, tree: kept?.tree ?? this.#model.plant(), read: [] };
    if (!goesOn) {
      asked.tree.cut(0);
      await asked.tree.readEmbedded(await fuse(this.#fusion, window, manifest));
    }
    this.#asked = asked;
    const { tree } = asked;
    const begun = await readText(tree, tree.length - 1, wanted.slice(asked.read.length));
    const [decoded] = await decodeTexts(tree, [begun], choose, this.#limits(tokensMax, Infinity));
    const ids = decoded?.ids ?? [];
    // The last token that was said is not read before the one after it is wanted.
    asked.read = decoded?.end === 'stop' ? [...wanted, ...ids] : [...wanted, ...ids.slice(0, -1)];
    const before = this.#bundle.tokenizer.decode(said);
    const text = this.#bundle.tokenizer.decode([...said, ...ids]).slice(before.length);
    return { ids, text, more: decoded?.end !== 'stop' };
  }

  async dispose(): Promise<void> {
    await this.#fusion.dispose();
    await this.#session.dispose();
    await this.#forecaster?.dispose();
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

  async #justify(
    stem: number,
    { probabilities }: Pick<Reasoning, 'probabilities'>,
    evidence: SceneEvidence,
    { tokensMax, justifyMs }: TextBudget,
    prompts: Prompts,
  ): Promise<Pick<Explanation, 'justifications' | 'absentNamed'>> {
    if (justifyMs <= 0 || tokensMax <= 0) return { justifications: [], absentNamed: 0 };
    const { labels, classes } = this.#bundle.manifest;
    const top = probabilities
      .map((_, label) => label)
      .filter((label) => labels[label]?.type !== 'nothing')
      .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
      .slice(0, 3);
    const [prompt, justify] = [prompts.forecast, prompts.justify].map((text) => this.#encode(text));
    const starts = top.map((label) => ({
      parent: stem,
      ids: [
        ...(prompt ?? []),
        ...(this.#labels[label] ?? []),
        ...(justify ?? []),
        ...this.#encode(' because'),
      ],
    }));
    const limits = { ...this.#limits(tokensMax, justifyMs), stops: [' .'] };
    const texts = await fillFree(this.#tree, starts, greedy, limits);
    let absentNamed = 0;
    const justifications = top.map((label, row) => {
      const { text = '', end } = texts[row] ?? {};
      const words = readable(text);
      const said = `because ${words}`;
      const { verified, absent } = checkText(said, evidence, classes, labels);
      if (absent.length > 0) absentNamed++;
      if (absent.length > 0 || !/\p{L}/u.test(words)) return { label, text: '', verified: false };
      const isWhole = end === 'stop';
      return { label, text: isWhole ? said : `${said}…`, verified: verified && isWhole };
    });
    return { justifications, absentNamed };
  }

  /** For each recognised event with something before it: which of that it came of, all in one run. */
  async #explain(
    stem: number,
    window: SeenWindow,
    evidence: SceneEvidence,
    prompts: Prompts,
  ): Promise<readonly ExplanationStep[]> {
    const { manifest } = this.#bundle;
    const log = eventLog(window);
    if (log.length < 2) return [];
    const { last } = await readText(this.#tree, stem, this.#logIds(window, prompts));
    const answer = (label: number): readonly number[] =>
      this.#encode(` ${manifest.labels[label]?.text ?? ''} .`);
    const asked = log.slice(1).map((event, index) => {
      // Of several of one label the newest is meant.
      const earlier = new Map(log.slice(0, index + 1).map((one) => [one.label, one]));
      return { event, earlier: [...earlier.values()] };
    });
    const chances = await chooseSlots(
      this.#tree,
      asked.map(({ event, earlier }) => ({
        parent: last,
        ids: [
          ...this.#encode(prompts.cause),
          ...(this.#labels[event.label] ?? []),
          ...this.#encode(':'),
        ],
        options: [0, ...earlier.map(({ label }) => label)].map(answer),
      })),
    );
    const caused = asked.map(({ event, earlier }, row): CausedEvent => ({
      event,
      causes: earlier.filter((_, index) => (chances[row]?.[index + 1] ?? 0) >= causeMin),
    }));
    return caused
      .filter(({ causes }) => causes.length > 0)
      .map((one) => explanationStep(one, evidence, manifest));
  }

  async #isGrounded(
    { probabilities }: Pick<Reasoning, 'probabilities'>,
    prompts: Prompts,
  ): Promise<boolean | null> {
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

  /** «Seen: van enters . gate opens .» */
  #logIds(window: SeenWindow, prompts: Prompts): number[] {
    const { labels } = this.#bundle.manifest;
    return [
      ...this.#encode(prompts.events),
      ...eventLog(window).flatMap(({ label }) => this.#encode(` ${labels[label]?.text ?? ''} .`)),
    ];
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
    return { ...this.#bundle.manifest.prompts, ...overrides };
  }

  #encode(text: string): readonly number[] {
    return this.#bundle.tokenizer.encode(text);
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
