import type { Tokenizer } from './tokenizer.js';

/** 1 for each token that is text by itself: half a character, a control character and a special token are nothing to say. */
export function sayableTokens(
  tokenizer: Pick<Tokenizer, 'decode' | 'vocabulary'>,
  vocabulary: number,
): Uint8Array {
  return Uint8Array.from({ length: vocabulary }, (_, id) => {
    const text = id < tokenizer.vocabulary ? tokenizer.decode([id]) : '';
    return +/^[^\p{C}\uFFFD]+$/u.test(text);
  });
}
