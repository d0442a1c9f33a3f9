/**
 * Mask-average pooling of patch embeddings (paper, eq. 2): the token of mask m is
 * sum over patches p of weight(m, p) * patch(p), divided by the sum of weights, where weight is the share
 * of patch p that the mask covers. Most weights are 0, so the masks form one sparse matrix (compressed rows)
 * and all tokens are one sparse product.
 */
export interface Grid {
  readonly maskRows: number;
  readonly maskColumns: number;
  readonly patchRows: number;
  readonly patchColumns: number;
}

interface SparseRows {
  /** Row r holds the entries rowStart[r] to rowStart[r + 1]. */
  readonly rowStart: number[];
  readonly column: number[];
  /** Already divided by the row's sum. */
  readonly weight: number[];
}

/**
 * @param masks each maskRows x maskColumns, 0 or 1
 * @param patches [patchRows * patchColumns, dim]
 * @returns [masks.length, dim]; an empty mask gives a row of zeros
 */
export function poolMasks(
  masks: readonly Uint8Array[],
  patches: Float32Array,
  dim: number,
  grid: Grid,
): Float32Array {
  const { rowStart, column, weight } = coverage(masks, grid);
  const tokens = new Float32Array(masks.length * dim);
  for (let row = 0; row < masks.length; row++) {
    for (let entry = rowStart[row] ?? 0; entry < (rowStart[row + 1] ?? 0); entry++) {
      const share = weight[entry] ?? 0;
      const from = (column[entry] ?? 0) * dim;
      for (let d = 0; d < dim; d++) {
        tokens[row * dim + d] = (tokens[row * dim + d] ?? 0) + share * (patches[from + d] ?? 0);
      }
    }
  }
  return tokens;
}

function coverage(masks: readonly Uint8Array[], grid: Grid): SparseRows {
  const cellRows = grid.maskRows / grid.patchRows;
  const cellColumns = grid.maskColumns / grid.patchColumns;
  const rowStart = [0];
  const column: number[] = [];
  const weight: number[] = [];
  const covered = new Uint16Array(grid.patchRows * grid.patchColumns);
  for (const mask of masks) {
    covered.fill(0);
    let total = 0;
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] === 0) continue;
      const patchRow = Math.floor(Math.floor(i / grid.maskColumns) / cellRows);
      const patch = patchRow * grid.patchColumns + Math.floor((i % grid.maskColumns) / cellColumns);
      covered[patch] = (covered[patch] ?? 0) + 1;
      total++;
    }
    covered.forEach((count, patch) => {
      if (count === 0) return;
      column.push(patch);
      // Shares of one patch have one denominator, so it cancels when the row is divided by its sum.
      weight.push(count / total);
    });
    rowStart.push(column.length);
  }
  return { rowStart, column, weight };
}
