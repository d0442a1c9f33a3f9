import { logSoftmaxAt } from './confidence.js';
import { chain, type Sprout, type TokenTree } from './token-tree.js';

/** Texts by their common beginnings: each shared token is computed once. Pure. */
export class TokenTrie {
  /** Parents before children; -1: begins a text. */
  readonly #nodes: { readonly parent: number; readonly id: number }[] = [];
  /** The nodes of each text, first to last. */
  readonly #paths: (readonly number[])[];

  /** @param texts token ids; none is empty */
  constructor(texts: readonly (readonly number[])[]) {
    const known = new Map<string, number>();
    this.#paths = texts.map((ids) => {
      if (ids.length === 0) throw new Error('A text without tokens has no likelihood.');
      let parent = -1;
      return ids.map((id) => {
        const key = `${parent},${id}`;
        const node = known.get(key) ?? this.#nodes.push({ parent, id }) - 1;
        known.set(key, node);
        parent = node;
        return node;
      });
    });
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** @param root position after which the texts stand @param first position of the first node */
  sprouts(root: number, first: number): Sprout[] {
    return this.#nodes.map(({ parent, id }) => ({
      parent: parent < 0 ? root : first + parent,
      id,
    }));
  }

  /**
   * Log-likelihood of every text, teacher-forced.
   *
   * @param logits what may follow the root, then what may follow each node: [1 + size, vocabulary]
   * @param end the token that must follow each text, where one must
   */
  scores(logits: Float32Array, vocabulary: number, end: number | null = null): number[] {
    const logChance = (row: number, id: number): number =>
      logSoftmaxAt(logits, row * vocabulary, vocabulary, id);
    const steps = this.#nodes.map(({ parent, id }) => logChance(parent + 1, id));
    return this.#paths.map((path) => {
      const ends = end === null ? 0 : logChance((path.at(-1) ?? -1) + 1, end);
      return path.reduce((sum, node) => sum + (steps[node] ?? NaN), ends);
    });
  }
}

/**
 * Reads a prompt and after it all texts of a trie, in one run.
 *
 * @param prompt not empty
 */
export async function scoreTexts(
  tree: TokenTree,
  parent: number,
  prompt: readonly number[],
  trie: TokenTrie,
  end: number | null = null,
): Promise<readonly number[]> {
  const first = tree.length;
  const root = first + prompt.length - 1;
  const sprouts = [...chain(parent, prompt, first), ...trie.sprouts(root, root + 1)];
  const wanted = Array.from({ length: trie.size + 1 }, (_, index) => prompt.length - 1 + index);
  const { logits } = await tree.grow(sprouts, wanted);
  return trie.scores(logits, tree.vocabulary, end);
}
