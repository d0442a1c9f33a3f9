import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats, int64, sizeOf, type Tensor } from './tensor.js';
import type { Growth, Sprout, TokenTree } from './token-tree.js';

/** What a position may not look at; large enough for softmax to forget it, and fp16 could hold it. */
const never = -1e4;
/**
 * Buffers grow by so many positions: few runs need new ones, and they stay small. The graph writes in place, but onnxruntime-node
 * 1.30 also copies a given output into its result, all of its capacity.
 */
const capacityStep = 64;

type Shape = Pick<Manifest, 'language' | 'geometry'>;

/** The language model (eq. 5) over embeddings. */
export class LanguageModel {
  readonly #session: Session;
  readonly #table: Float32Array;
  readonly #shape: Shape;

  /** @param table the embedding table, [vocabulary, languageDim] */
  constructor(session: Session, table: Float32Array, shape: Shape) {
    this.#session = session;
    this.#table = table;
    this.#shape = shape;
  }

  get vocabulary(): number {
    return this.#shape.language.vocabulary;
  }

  /** Nothing read yet. */
  plant(): LanguageTree {
    return new LanguageTree(this.#session, this.#table, this.#shape);
  }
}

/**
 * All that the model has read of one window, as a tree: texts share their beginnings, and a position attends to its
 * ancestors only. Keys and values stay in buffers that the graph writes in place.
 */
export class LanguageTree implements TokenTree {
  readonly #session: Session;
  readonly #table: Float32Array;
  readonly #shape: Shape;
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  /** By the names of the graph's inputs, [1, keyValueHeads, capacity, headDim]. */
  #past: Record<string, Tensor> = {};
  #capacity = 0;

  constructor(session: Session, table: Float32Array, shape: Shape) {
    this.#session = session;
    this.#table = table;
    this.#shape = shape;
  }

  get length(): number {
    return this.#parents.length;
  }

  get vocabulary(): number {
    return this.#shape.language.vocabulary;
  }

  /** Forgets all but the first `length` positions; the buffers stay. */
  cut(length: number): void {
    this.#parents.length = Math.min(length, this.length);
    this.#depths.length = this.#parents.length;
  }

  /** Reads embeddings, [S, languageDim], as the tree's stem. @returns the last position */
  async readEmbedded(embedded: Float32Array): Promise<number> {
    const count = embedded.length / this.#shape.geometry.languageDim;
    const first = this.length;
    const parents = Array.from({ length: count }, (_, index) => first + index - 1);
    await this.#run(embedded, parents, [count - 1]);
    return this.length - 1;
  }

  async grow(sprouts: readonly Sprout[], wanted: readonly number[]): Promise<Growth> {
    const { languageDim } = this.#shape.geometry;
    const embedded = new Float32Array(sprouts.length * languageDim);
    sprouts.forEach(({ id }, index) => {
      const from = id * languageDim;
      embedded.set(this.#table.subarray(from, from + languageDim), index * languageDim);
    });
    const first = this.length;
    const parents = sprouts.map(({ parent }) => parent);
    return { first, logits: await this.#run(embedded, parents, wanted) };
  }

  async #run(
    embedded: Float32Array,
    parents: readonly number[],
    wanted: readonly number[],
  ): Promise<Float32Array> {
    const first = this.length;
    const total = first + parents.length;
    this.#reserve(total);
    const depths: number[] = [];
    const bias = new Float32Array(parents.length * total).fill(never);
    parents.forEach((parent, index) => {
      const row = index * total;
      const itself = first + index;
      if (parent >= itself) throw new Error(`Position ${itself} cannot follow ${parent}.`);
      depths.push(parent < 0 ? 0 : 1 + (this.#depths[parent] ?? depths[parent - first] ?? 0));
      bias[row + itself] = 0;
      for (let at = parent; at >= 0; at = this.#parents[at] ?? parents[at - first] ?? -1) {
        bias[row + at] = 0;
      }
    });
    const present = Object.fromEntries(
      Object.entries(this.#past).map(([name, buffer]) => [presentOf(name), buffer]),
    );
    const outputs = await this.#session.run(
      {
        inputs_embeds: float32([1, parents.length, this.#shape.geometry.languageDim], embedded),
        position_ids: int64([1, parents.length], depths),
        attention_bias: float32([1, 1, parents.length, total], bias),
        logit_positions: int64([wanted.length], wanted),
        ...this.#past,
      },
      present,
    );
    this.#parents.push(...parents);
    this.#depths.push(...depths);
    return floats(outputs, 'logits');
  }

  #reserve(length: number): void {
    if (length <= this.#capacity) return;
    const { layers, keyValueHeads, headDim } = this.#shape.language;
    const before = this.#capacity * headDim;
    this.#capacity = Math.ceil(length / capacityStep) * capacityStep;
    const dims = [1, keyValueHeads, this.#capacity, headDim];
    const grown: Record<string, Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ['key', 'value']) {
        const name = `past_key_values.${layer}.${part}`;
        const data = new Float32Array(sizeOf(dims));
        const old = this.#past[name]?.data;
        if (old instanceof Float32Array) {
          for (let head = 0; head < keyValueHeads; head++) {
            const from = head * before;
            data.set(old.subarray(from, from + before), head * this.#capacity * headDim);
          }
        }
        grown[name] = float32(dims, data);
      }
    }
    this.#past = grown;
  }
}

function presentOf(name: string): string {
  return name.replace('past_key_values', 'present');
}
