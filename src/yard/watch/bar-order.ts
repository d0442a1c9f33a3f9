/** Which labels are shown as bars, and in what order. Bars that are about as long keep their places. */

export const rowsMax = 6;
const leastShown = 0.01;
/** A bar passes another one when it is so much longer. */
const marginLeast = 0.04;

export class BarOrder {
  private labels: number[] = [];

  /** @returns labels, the likeliest first but for small differences; without 0, which is nothing */
  arrange(chances: readonly number[]): readonly number[] {
    const chance = (label: number): number => chances[label] ?? 0;
    const byChance = (a: number, b: number): number => chance(b) - chance(a);
    const kept = this.labels.filter((label) => chance(label) >= leastShown);
    const fresh = chances
      .flatMap((share, label) => (label > 0 && share >= leastShown ? [label] : []))
      .filter((label) => !kept.includes(label))
      .sort(byChance);
    const labels = [...kept, ...fresh];
    for (let end = labels.length - 1; end > 0; end--)
      for (let at = 0; at < end; at++) {
        const [upper, lower] = [labels[at]!, labels[at + 1]!];
        if (chance(lower) > chance(upper) + marginLeast)
          [labels[at], labels[at + 1]] = [lower, upper];
      }
    this.labels = labels.slice(0, rowsMax);
    return this.labels;
  }
}
