/** One token more, after a position of the tree. */
export interface Sprout {
  /** A position that is there, or one of the same growth: `length` of the tree before it, and so on. -1: nothing. */
  readonly parent: number;
  readonly id: number;
}

export interface Growth {
  /** Position of the first sprout; the others follow. */
  readonly first: number;
  /** [wanted, vocabulary]: what may follow each wanted sprout. */
  readonly logits: Float32Array;
}

/** Texts that share their beginnings, as a decoder sees them: a language model, or a test's made-up numbers. */
export interface TokenTree {
  readonly length: number;
  readonly vocabulary: number;
  /**
   * Reads new tokens in one run, parents before children.
   *
   * @param wanted indices among the sprouts
   */
  grow(sprouts: readonly Sprout[], wanted: readonly number[]): Promise<Growth>;
}

/** Sprouts for a text after a position. @param first where the growth begins */
export function chain(parent: number, ids: readonly number[], first: number): Sprout[] {
  return ids.map((id, index) => ({ parent: index === 0 ? parent : first + index - 1, id }));
}

/** Reads one text after a position. */
export async function readText(
  tree: TokenTree,
  parent: number,
  ids: readonly number[],
): Promise<{ readonly last: number; readonly logits: Float32Array }> {
  const sprouts = chain(parent, ids, tree.length);
  const { logits } = await tree.grow(sprouts, [ids.length - 1]);
  return { last: tree.length - 1, logits };
}
