/**
 * Slots: the program writes the fixed text, the model fills only what is open: one of a closed set, by likelihood, or free
 * words up to a stop. So whatever the model says, the whole can be read.
 */
import { softmax } from './confidence.js';
import { decodeTexts, type Choose, type Decoded, type DecodeLimits } from './decode.js';
import { chain, type Sprout, type TokenTree } from './token-tree.js';
import { TokenTrie } from './token-trie.js';

/** Fixed text after a position of the tree; not empty. */
export interface Fixed {
  readonly parent: number;
  readonly ids: readonly number[];
}

export interface ClosedSlot extends Fixed {
  /** What may stand there; none is the beginning of another. */
  readonly options: readonly (readonly number[])[];
}

/** Chances of the options of each slot, which sum to 1: all slots and options in one run. */
export async function chooseSlots(
  tree: TokenTree,
  slots: readonly ClosedSlot[],
): Promise<number[][]> {
  const sprouts: Sprout[] = [];
  const wanted: number[] = [];
  const tries = slots.map(({ parent, ids, options }) => {
    const trie = new TokenTrie(options);
    sprouts.push(...chain(parent, ids, tree.length + sprouts.length));
    const root = sprouts.length - 1;
    sprouts.push(...trie.sprouts(tree.length + root, tree.length + root + 1));
    const rows = Array.from({ length: trie.size + 1 }, (_, index) => root + index);
    const from = wanted.push(...rows) - rows.length;
    return { trie, from };
  });
  if (slots.length === 0) return [];
  const { vocabulary } = tree;
  const { logits } = await tree.grow(sprouts, wanted);
  return tries.map(({ trie, from }) => {
    const rows = logits.subarray(from * vocabulary, (from + trie.size + 1) * vocabulary);
    return softmax(trie.scores(rows, vocabulary));
  });
}

/** Free text after each fixed text. All fixed texts are read in one run, and then one token of each text a run. */
export async function fillFree(
  tree: TokenTree,
  starts: readonly Fixed[],
  choose: Choose,
  limits: DecodeLimits,
): Promise<Decoded[]> {
  if (starts.length === 0) return [];
  const sprouts: Sprout[] = [];
  const ends = starts.map(({ parent, ids }) => {
    sprouts.push(...chain(parent, ids, tree.length + sprouts.length));
    return sprouts.length - 1;
  });
  const { first, logits } = await tree.grow(sprouts, ends);
  const begun = ends.map((end, row) => ({
    last: first + end,
    logits: logits.subarray(row * tree.vocabulary, (row + 1) * tree.vocabulary),
  }));
  return decodeTexts(tree, begun, choose, limits);
}
