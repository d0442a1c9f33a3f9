/** How much doubt a moment leaves to one who knows pBayes: what data cards and reports count. */

/** Below this difference between the two likeliest labels a window is near-even. */
const nearEvenMax = 0.1;

export function isNearEven(chances: readonly number[]): boolean {
  const [first = 0, second = 0] = [...chances].sort((a, b) => b - a);
  return first - second < nearEvenMax;
}

export function isNothingLikeliest(chances: readonly number[]): boolean {
  return chances[0] === Math.max(...chances);
}
