import type {
  EvidentStep as ExplanationStep,
  WholeReasoning as Reasoning,
} from './earlier-reasoner.js';
import type { Bundle } from './bundle.js';
import { argmax, logSoftmaxAt, softmax } from './confidence.js';
import { explanationSteps, type SeenScene } from './explanation.js';
import { fuse, type WindowTokens } from './fusion.js';
import { LanguageModel, type Past } from './language-model.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { stopwatch, type ClockMs } from './stopwatch.js';
import { usualBudget, type TextBudget } from './text-budget.js';

/** A window's tokens, and what was seen in it as far as text needs it: [scene] in the order of the tokens. */
export interface ReasonerInput {
  readonly tokens: WindowTokens;
  readonly seen: readonly SeenScene[];
}

/** Turns windows into distributions over the labels, and says why. One window at a time. */
export class Reasoner {
  readonly #bundle: Bundle;
  readonly #fusion: Session;
  readonly #session: Session;
  readonly #model: LanguageModel;
  readonly #ids: {
    readonly forecast: readonly number[];
    readonly justify: readonly number[];
    readonly explain: readonly number[];
    readonly labels: readonly (readonly number[])[];
  };

  readonly #clock: ClockMs | undefined;

  private constructor(
    bundle: Bundle,
    fusion: Session,
    session: Session,
    table: Float32Array,
    clock: ClockMs | undefined,
  ) {
    this.#clock = clock;
    const { tokenizer, manifest } = bundle;
    this.#bundle = bundle;
    this.#fusion = fusion;
    this.#session = session;
    this.#model = new LanguageModel(session, table, manifest);
    this.#ids = {
      forecast: tokenizer.encode(manifest.prompts.forecast),
      justify: tokenizer.encode(manifest.prompts.justify),
      explain: tokenizer.encode(manifest.prompts.explain),
      labels: manifest.labels.map(({ text }) => tokenizer.encode(` ${text}`)),
    };
  }

  /** @throws LookaheadError `bundle_invalid` where a graph does not load or fit the manifest. */
  static async open(bundle: Bundle, options: SessionOptions): Promise<Reasoner> {
    const { files } = bundle.manifest;
    return new Reasoner(
      bundle,
      await openSession(bundle.path('fusion'), files.fusion, options),
      await openSession(bundle.path('reasoner'), files.reasoner, options),
      await bundle.embeddings(),
      options.clock,
    );
  }

  async reason(input: ReasonerInput, budget: TextBudget = usualBudget): Promise<Reasoning> {
    const { manifest, calibration } = this.#bundle;
    const watch = stopwatch(this.#clock);
    const prefix = await fuse(this.#fusion, input.tokens, manifest);
    watch.lap('fusion');
    const prompt = this.#model.embed(this.#ids.forecast);
    const embedded = new Float32Array(prefix.length + prompt.length);
    embedded.set(prefix);
    embedded.set(prompt, prefix.length);
    const { past, logits } = await this.#model.readEmbedded(this.#model.empty(), embedded);
    watch.lap('prefill');
    const scores = await this.#score(past, logits);
    const probabilities = softmax(scores, calibration.temperature);
    watch.lap('score');
    const top = probabilities
      .map((_, label) => label)
      .filter((label) => manifest.labels[label]?.type !== 'nothing')
      .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
      .slice(0, 3);
    const justifications = await this.#justify(past, top, budget);
    watch.lap('justify');
    const explanation = await this.#explain(past, input.seen, budget);
    watch.lap('explain');
    return {
      probabilities,
      rawProbabilities: softmax(scores),
      justifications,
      explanation,
      stagesMs: watch.laps,
    };
  }

  async dispose(): Promise<void> {
    await this.#fusion.dispose();
    await this.#session.dispose();
  }

  /**
   * Log-likelihood of every label's tokens and the end after them, teacher-forced: what came before is read once and
   * shared, then all labels are read in one batch.
   *
   * @param promptLogits of the prefix and the prompt; its last row speaks of the labels' first tokens
   */
  async #score(past: Past, promptLogits: Float32Array): Promise<number[]> {
    const { labels } = this.#ids;
    const { vocabulary } = this.#model;
    const { endOfText } = this.#bundle.manifest.language;
    const { logits, width } = await this.#model.read(
      this.#model.repeat(past, labels.length),
      labels,
    );
    return labels.map((ids, row) => {
      let score = logSoftmaxAt(
        promptLogits,
        promptLogits.length - vocabulary,
        vocabulary,
        ids[0] ?? endOfText,
      );
      ids.forEach((_, at) => {
        const from = (row * width + at) * vocabulary;
        score += logSoftmaxAt(logits, from, vocabulary, ids[at + 1] ?? endOfText);
      });
      return score;
    });
  }

  async #justify(
    past: Past,
    top: readonly number[],
    budget: TextBudget,
  ): Promise<Reasoning['justifications']> {
    if (budget.justifyMs <= 0) return [];
    const starts = top.map((label) => [...(this.#ids.labels[label] ?? []), ...this.#ids.justify]);
    const repeated = this.#model.repeat(past, top.length);
    const texts = await this.#decode(repeated, starts, budget.tokensMax, budget.justifyMs);
    return top.map((label, row) => ({ label, text: texts[row] ?? '' }));
  }

  async #explain(
    past: Past,
    seen: readonly SeenScene[],
    budget: TextBudget,
  ): Promise<readonly ExplanationStep[]> {
    if (budget.explainMs <= 0) return [];
    // The explanation follows the same prefix with a prompt of its own.
    const prefix = this.#model.first(past, this.#bundle.manifest.geometry.queries);
    const texts = await this.#decode(
      prefix,
      [this.#ids.explain],
      budget.tokensMax,
      budget.explainMs,
    );
    return explanationSteps(texts[0] ?? '', seen);
  }

  /** Greedy decoding of one text after each row's start, until the end of text or of a budget. */
  async #decode(
    past: Past,
    starts: readonly (readonly number[])[],
    tokensMax: number,
    budgetMs: number,
  ): Promise<string[]> {
    const { endOfText } = this.#bundle.manifest.language;
    const { vocabulary } = this.#model;
    const until = performance.now() + budgetMs;
    const texts: number[][] = starts.map(() => []);
    const ended = starts.map(() => false);
    let fed = starts;
    let read = past;
    while (ended.includes(false)) {
      const { logits, past: present, width } = await this.#model.read(read, fed);
      read = present;
      const next = fed.map(({ length }, row) => {
        const from = (row * width + length - 1) * vocabulary;
        return argmax(logits, from, vocabulary);
      });
      next.forEach((id, row) => {
        if (id === endOfText) ended[row] = true;
        if (ended[row] === false) texts[row]?.push(id);
      });
      if (Math.max(...texts.map((ids) => ids.length)) >= tokensMax) break;
      if (performance.now() >= until) break;
      fed = next.map((id) => [id]);
    }
    return texts.map((ids, row) => {
      const text = this.#bundle.tokenizer.decode(ids).trim();
      return ended[row] === true || text === '' ? text : `${text}…`;
    });
  }
}
