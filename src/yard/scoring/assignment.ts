/**
 * Which row goes with which column, each at most once, so that the gains add up to the most: the Hungarian method with
 * potentials, O(rows² columns).
 *
 * @param gains [rows][columns], finite, 0 or more; 0: these two do not go together
 * @returns for each row its column, or null
 */
export function assign(gains: readonly (readonly number[])[]): (number | null)[] {
  const rows = gains.length;
  const columns = gains[0]?.length ?? 0;
  if (rows > columns) return columns === 0 ? gains.map(() => null) : transposed(gains);
  const gainOf = (row: number, column: number): number => gains[row]?.[column] ?? 0;
  // Column `columns` stands for «none yet»: each new row starts there and pushes others along the cheapest path.
  const rowPrice = new Float64Array(rows);
  const columnPrice = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1).fill(-1);
  for (let start = 0; start < rows; start++) {
    rowOf[columns] = start;
    const slack = new Float64Array(columns).fill(Infinity);
    const before = new Int32Array(columns).fill(columns);
    const isDone = new Uint8Array(columns + 1);
    let at = columns;
    while (rowOf[at] !== -1) {
      isDone[at] = 1;
      const row = rowOf[at]!;
      let next = -1;
      for (let column = 0; column < columns; column++) {
        if (isDone[column]) continue;
        const reduced = -gainOf(row, column) - rowPrice[row]! - columnPrice[column]!;
        if (reduced < slack[column]!) {
          slack[column] = reduced;
          before[column] = at;
        }
        if (next < 0 || slack[column]! < slack[next]!) next = column;
      }
      const step = slack[next]!;
      for (let column = 0; column <= columns; column++) {
        if (isDone[column]) {
          rowPrice[rowOf[column]!]! += step;
          columnPrice[column]! -= step;
        } else if (column < columns) slack[column]! -= step;
      }
      at = next;
    }
    for (; at !== columns; at = before[at]!) rowOf[at] = rowOf[before[at]!]!;
  }
  const found: (number | null)[] = gains.map(() => null);
  for (let column = 0; column < columns; column++) {
    const row = rowOf[column]!;
    if (row >= 0 && gainOf(row, column) > 0) found[row] = column;
  }
  return found;
}

function transposed(gains: readonly (readonly number[])[]): (number | null)[] {
  const turned = (gains[0] ?? []).map((_, column) => gains.map((row) => row[column] ?? 0));
  const found: (number | null)[] = gains.map(() => null);
  assign(turned).forEach((row, column) => {
    if (row !== null) found[row] = column;
  });
  return found;
}
