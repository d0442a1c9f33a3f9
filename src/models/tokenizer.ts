import * as huggingFace from '@huggingface/tokenizers';

/** What we use of the package; its own declarations do not resolve under Node's module rules. */
interface Inner {
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: number[] };
  decode(
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
  get_vocab(withAddedTokens: boolean): ReadonlyMap<string, number>;
}
type InnerClass = new (description: object, config: object) => Inner;
const { Tokenizer: HuggingFaceTokenizer } = huggingFace as unknown as { Tokenizer: InnerClass };

/** Text to token ids and back, by a bundle's `tokenizer.json`. Adds no special tokens of its own. */
export class Tokenizer {
  /** One more than the largest token id. */
  readonly vocabulary: number;
  readonly #inner: Inner;

  /** @param json the text of `tokenizer.json`; throws an ordinary error where it is none. */
  constructor(json: string) {
    const description: unknown = JSON.parse(json);
    if (typeof description !== 'object' || description === null || !('model' in description)) {
      throw new Error('it has no "model"');
    }
    this.#inner = new HuggingFaceTokenizer(description, {});
    let largest = -1;
    for (const id of this.#inner.get_vocab(true).values()) largest = Math.max(largest, id);
    this.vocabulary = largest + 1;
  }

  encode(text: string): readonly number[] {
    if (text === '') return [];
    return this.#inner.encode(text, { add_special_tokens: false }).ids;
  }

  decode(ids: readonly number[]): string {
    if (ids.length === 0) return '';
    return this.#inner.decode([...ids], {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: false,
    });
  }
}
