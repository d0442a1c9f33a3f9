import type { Manifest } from './manifest.js';
import type { Session } from './session.js';
import { float32, floats, int64 } from './tensor.js';

/** What the language model has read so far, for B rows of text: keys and values of every layer. */
export interface Past {
  /** [layers, 2, B, keyValueHeads, length, headDim]. */
  readonly keyValues: Float32Array;
  readonly rows: number;
  readonly length: number;
  /** [B, length]: 1 where a row has a token, 0 where it was padded. */
  readonly mask: readonly (readonly number[])[];
}

/** Logits of some new positions, [B, S, vocabulary]. */
export interface Read {
  readonly past: Past;
  readonly logits: Float32Array;
  readonly width: number;
}

/** The language model over embeddings with a KV cache (eq. 5). */
export class LanguageModel {
  readonly #session: Session;
  readonly #table: Float32Array;
  readonly #manifest: Manifest;

  /** @param table the embedding table, [vocabulary, languageDim] */
  constructor(session: Session, table: Float32Array, manifest: Manifest) {
    this.#session = session;
    this.#table = table;
    this.#manifest = manifest;
  }

  get vocabulary(): number {
    return this.#manifest.language.vocabulary;
  }

  /** Nothing read yet, one row. */
  empty(): Past {
    return { keyValues: new Float32Array(0), rows: 1, length: 0, mask: [[]] };
  }

  embed(ids: readonly number[]): Float32Array {
    const { languageDim } = this.#manifest.geometry;
    const embedded = new Float32Array(ids.length * languageDim);
    ids.forEach((id, index) => {
      embedded.set(
        this.#table.subarray(id * languageDim, (id + 1) * languageDim),
        index * languageDim,
      );
    });
    return embedded;
  }

  /** Reads embeddings, [S, languageDim], after one row of the past. */
  async readEmbedded(past: Past, embedded: Float32Array): Promise<Read> {
    const width = embedded.length / this.#manifest.geometry.languageDim;
    return this.#run(past, embedded, width, [Array<number>(width).fill(1)]);
  }

  /**
   * Reads one text for each row of the past. Shorter ones are padded on the right; padded positions are masked for
   * ever, and the next token of such a row takes the position after its last real one.
   */
  async read(past: Past, texts: readonly (readonly number[])[]): Promise<Read> {
    const width = Math.max(...texts.map(({ length }) => length));
    const padding = this.#manifest.language.endOfText;
    const ids = texts.flatMap((text) => [
      ...text,
      ...Array<number>(width - text.length).fill(padding),
    ]);
    const mask = texts.map((text) => Array.from({ length: width }, (_, i) => +(i < text.length)));
    return this.#run(past, this.embed(ids), width, mask);
  }

  async #run(
    past: Past,
    embedded: Float32Array,
    width: number,
    newMask: readonly (readonly number[])[],
  ): Promise<Read> {
    const { layers, keyValueHeads, headDim } = this.#manifest.language;
    const { rows, length } = past;
    const mask = past.mask.map((row, index) => [...row, ...(newMask[index] ?? [])]);
    const positions = past.mask.flatMap((row) => {
      const start = row.reduce((count, one) => count + one, 0);
      return Array.from({ length: width }, (_, i) => start + i);
    });
    const outputs = await this.#session.run({
      inputs_embeds: float32([rows, width, this.#manifest.geometry.languageDim], embedded),
      position_ids: int64([rows, width], positions),
      attention_mask: int64([rows, length + width], mask.flat()),
      past_key_values: float32([layers, 2, rows, keyValueHeads, length, headDim], past.keyValues),
    });
    const keyValues = floats(outputs, 'present_key_values');
    return {
      past: { keyValues, rows, length: length + width, mask },
      logits: floats(outputs, 'logits'),
      width,
    };
  }

  /** The same past for several rows. */
  repeat(past: Past, rows: number): Past {
    const { layers, keyValueHeads, headDim } = this.#manifest.language;
    const block = keyValueHeads * past.length * headDim;
    const keyValues = new Float32Array(layers * 2 * rows * block);
    for (let outer = 0; outer < layers * 2; outer++) {
      const one = past.keyValues.subarray(outer * block, (outer + 1) * block);
      for (let row = 0; row < rows; row++) keyValues.set(one, (outer * rows + row) * block);
    }
    const [mask = []] = past.mask;
    return {
      keyValues,
      rows,
      length: past.length,
      mask: Array<readonly number[]>(rows).fill(mask),
    };
  }

  /** One row's past as it was after its first `length` positions. */
  first(past: Past, length: number): Past {
    const { headDim } = this.#manifest.language;
    const blocks = past.keyValues.length / (past.length * headDim);
    const keyValues = new Float32Array(blocks * length * headDim);
    for (let block = 0; block < blocks; block++) {
      const from = block * past.length * headDim;
      keyValues.set(
        past.keyValues.subarray(from, from + length * headDim),
        block * length * headDim,
      );
    }
    return {
      keyValues,
      rows: past.rows,
      length,
      mask: past.mask.map((row) => row.slice(0, length)),
    };
  }
}
