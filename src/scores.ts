/** The scores of one distribution over all labels, defined once for live outcomes and for the yard's exams alike. */

/** Below this no label's chance falls, so that one surprise does not outweigh a thousand good forecasts. */
export const chanceMin = 1e-4;

/** What came true: the index of a label, or the share of possible futures in which each label came. */
export type Truth = number | readonly number[];

/**
 * A distribution over all labels from one that names only some: `somethingElse` is spread over the unnamed ones (null) in
 * proportion to their base rates; then the floor, then a sum of 1.
 */
export function spreadOverLabels(
  named: readonly (number | null)[],
  somethingElse: number,
  baseRates: readonly number[],
): number[] {
  const isUnnamed = (index: number): boolean => named[index] === null;
  const unnamedRate = sum(baseRates.filter((_, index) => isUnnamed(index)));
  const unnamedCount = named.filter((chance) => chance === null).length;
  const floored = named.map((chance, index) => {
    const share = unnamedRate > 0 ? (baseRates[index] ?? 0) / unnamedRate : 1 / unnamedCount;
    return Math.max(chanceMin, chance ?? somethingElse * share);
  });
  const total = sum(floored);
  return floored.map((chance) => chance / total);
}

/** -ln q(o) in nats, 0 is perfect; the mean over the futures where the truth is a distribution. */
export function logScore(chances: readonly number[], truth: Truth): number {
  const loss = (label: number): number => -Math.log(chances[label] ?? chanceMin);
  if (typeof truth === 'number') return loss(truth);
  return sum(truth.map((share, label) => (share > 0 ? share * loss(label) : 0)));
}

/** Sum over all labels of (q - 1[o])²: 0 is perfect, 2 the worst; the mean over the futures likewise. */
export function brierScore(chances: readonly number[], truth: Truth): number {
  const squares = sum(chances.map((chance) => chance * chance));
  const hit =
    typeof truth === 'number'
      ? (chances[truth] ?? 0)
      : sum(truth.map((share, label) => share * (chances[label] ?? 0)));
  return squares - 2 * hit + 1;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
