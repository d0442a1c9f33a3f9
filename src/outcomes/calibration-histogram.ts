/** How often what was called so likely came true, from counts of fixed size: pairs (chance, came) of any number. */

/** Bins of equal width in which pairs are kept. */
export const fineBins = 200;
/** Bins of equal mass of which the error speaks, as in the yard's exams. */
const massBins = 15;

export interface ReliabilityRow {
  /** Lower and upper edge of the chances in it. */
  readonly from: number;
  readonly to: number;
  readonly pairs: number;
  /** Mean chance that was said. */
  readonly said: number;
  /** Share that came true. */
  readonly came: number;
}

/**
 * Exact within a bin of width 1/200: its count, the sum of its chances (single precision) and how many came. What is lost is
 * the order of pairs within one bin.
 */
export class CalibrationHistogram {
  readonly #pairs = new Uint32Array(fineBins);
  readonly #came = new Uint32Array(fineBins);
  readonly #said = new Float64Array(fineBins);

  add(chance: number, came: boolean): void {
    const bin = Math.min(fineBins - 1, Math.max(0, Math.floor(chance * fineBins)));
    this.#pairs[bin]! += 1;
    this.#said[bin]! += chance;
    if (came) this.#came[bin]! += 1;
  }

  merge(other: CalibrationHistogram): void {
    for (let bin = 0; bin < fineBins; bin++) {
      this.#pairs[bin]! += other.#pairs[bin]!;
      this.#said[bin]! += other.#said[bin]!;
      this.#came[bin]! += other.#came[bin]!;
    }
  }

  /**
   * Mean over the pairs of |said - came| of their bin, of 15 bins of equal mass; null without pairs. An approximation of the
   * error over sorted pairs (`calibrate` of the yard's scoring): where an edge between two of the 15 cuts through one of the
   * 200, both sides get its mean chance and its share that came. Over thousands of pairs the two differ by less than 0.005.
   */
  error(): number | null {
    const total = this.#pairs.reduce((sum, pairs) => sum + pairs, 0);
    if (total === 0) return null;
    const edge = (index: number): number => Math.floor((index * total) / massBins);
    let [gaps, gap, index, before] = [0, 0, 1, 0];
    for (let bin = 0; bin < fineBins; bin++) {
      const pairs = this.#pairs[bin]!;
      const gapOfOne = (this.#said[bin]! - this.#came[bin]!) / pairs;
      const after = before + pairs;
      while (before < after) {
        while (edge(index) <= before) index += 1;
        const taken = Math.min(after, edge(index)) - before;
        gap += taken * gapOfOne;
        before += taken;
        if (before < edge(index)) continue;
        gaps += Math.abs(gap);
        gap = 0;
      }
    }
    return gaps / total;
  }

  /** Bins of equal width that hold pairs, for a diagram. `bins` divides 200. */
  rows(bins = 10): ReliabilityRow[] {
    const width = fineBins / bins;
    return Array.from({ length: bins }, (_, row) => {
      const sum = (of: Uint32Array | Float64Array): number => {
        let total = 0;
        for (let bin = row * width; bin < (row + 1) * width; bin++) total += of[bin]!;
        return total;
      };
      const pairs = sum(this.#pairs);
      const [said, came] = [sum(this.#said) / pairs, sum(this.#came) / pairs];
      return { from: row / bins, to: (row + 1) / bins, pairs, said, came };
    }).filter(({ pairs }) => pairs > 0);
  }
}
